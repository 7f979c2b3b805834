/** `npm run test:soak -- --minutes N`: the local run under a steady mixed load, with its memory, rows, sockets and answers. */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { signedFetch } from "../support/signed-fetch.ts";
import { Answers } from "./answers.ts";
import { faultsOf, type Sample } from "./judge.ts";
import { startLoad } from "./load.ts";
import { type RemoteBroker, startRemoteBroker } from "./remote-broker.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "5" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  process.stderr.write("--minutes must be a number above 0.\n");
  process.exit(2);
}

const columns = ["seconds", "MB", "rows", "sockets", "instances", "live tokens", "answers"];
const line = (cells: readonly (string | number)[]) =>
  process.stdout.write(
    `${cells.map((cell, index) => String(cell).padStart(columns[index]?.length ?? 0)).join("  ")}\n`,
  );

const broker = await startRemoteBroker();
const answers = new Answers();
const load = startLoad(broker, answers);
const samples: Sample[] = [];
const startedAt = Date.now();
const everyMs = Math.min(60_000, (minutes * 60_000) / 15);

line(columns);
while (Date.now() - startedAt < minutes * 60_000) {
  await sleep(everyMs);
  const measured = await broker.ask("measure", undefined);
  const atSeconds = Math.round((Date.now() - startedAt) / 1_000);
  samples.push({ ...measured, atSeconds });
  const { residentMb, rows, sockets, instances, liveTokens } = measured;
  const total = Object.values(answers.counts()).reduce((sum, count) => sum + count, 0);
  line([atSeconds, Math.round(residentMb), rows, sockets, instances, liveTokens, total]);
}
await load.stop();
await broker.ask("weather", []);
const tokensLeft = await endEverything(broker);
await broker.stop();

process.stdout.write(`\n${JSON.stringify(answers.counts(), undefined, 1)}\n`);
const faults = faultsOf({
  samples,
  counts: answers.counts(),
  unexplained: answers.unexplained(),
  usedAfterRevocation: load.usedAfterRevocation(),
  sessions: load.sessions(),
  kills: load.kills(),
  tokensLeft,
});
process.stdout.write(
  faults.length === 0
    ? `Everything held for ${minutes} minutes: ${load.sessions()} sessions, ${load.kills()} killed instances, ${tokensLeft} tokens of theirs left.\n`
    : `${faults.map((fault) => `✗ ${fault}`).join("\n")}\n`,
);
process.exit(faults.length === 0 ? 0 : 1);

/** An operator revokes all, and the sweeper does the rest. Gives the number of tokens that still work at Looker. */
async function endEverything({ endpoint, region, principals, ask }: RemoteBroker): Promise<number> {
  const operator = principals.find(({ name }) => name === "platform-engineer");
  if (!operator) throw new Error("The soak needs an operator.");
  const credentials = { credentials: operator, region };
  for (const scope of ["sales", "finance"]) {
    await signedFetch(`${endpoint}/scopes/${scope}/freeze`, { method: "DELETE", ...credentials });
    await signedFetch(`${endpoint}/scopes/${scope}/leases?all=true`, { method: "DELETE", ...credentials });
  }
  let left = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 24 && left > 0; round += 1) {
    await ask("runSchedules", undefined);
    const { liveTokens } = await ask("measure", undefined);
    if (liveTokens === 0) return 0;
    left = liveTokens;
    await sleep(5_000);
  }
  return left;
}
