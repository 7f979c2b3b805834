/** Looker's own SDK, unchanged, under `looker-token exec --proxy` and against a whole local broker. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { writeBrokerFile } from "../../../local/broker-file.ts";
import {
  callerOf,
  clientSecretOf,
  leaksIn,
  type Stand,
  startStand,
  startsWithinMs,
  untilSeen,
} from "../../support/broker-stand.ts";
import { Command, type Running } from "../../support/cli/command.ts";
import { emptyTable } from "../../support/empty-table.ts";

let stand: Stand;
let cli: Command;
beforeAll(async () => {
  stand = await startStand();
  writeBrokerFile(join(stand.workDir, ".local/broker.json"), stand.broker);
  cli = new Command(stand.workDir);
}, startsWithinMs);
afterAll(() => stand?.stop());
afterEach(async () => {
  stand.looker.control.expireAllTokens();
  stand.looker.control.resetLedger();
  await emptyTable(stand.broker);
});

const sdk = createRequire(import.meta.url).resolve("@looker/sdk-node");
const proxied = ["exec", "--scope", "sales", "--local", "--as", "report-service", "--proxy"];

/** `work` has `sdk`, and `next()`, which waits for the test. */
function program(work: string): string[] {
  const script = `
    const { LookerNodeSDK } = require(${JSON.stringify(sdk)});
    const sdk = LookerNodeSDK.init40();
    const next = () => {
      const awake = setInterval(() => {}, 1_000);
      return new Promise((go) => process.once("SIGUSR2", go)).then(() => clearInterval(awake));
    };
    const say = (...words) => process.stdout.write(words.join(" ") + "\\n");
    // The SDK has a line for each request.
    for (const method of ["debug", "log", "warn"]) console[method] = () => {};
    (async () => { ${work} })().catch((error) => { say("failed", error.message); process.exit(1); });
  `;
  return ["--", process.execPath, "-e", script];
}

const saw = (running: Running, text: string) => untilSeen(() => running.out().includes(text), text);

test("a whole session of the SDK works, and neither token nor secret of Looker's is to be seen", async () => {
  const work = `
    const me = await sdk.ok(sdk.me());
    say("user", me.id, JSON.stringify(process.env));
    say("logged out", await sdk.authSession.logout());
  `;
  const { exitCode, out, err } = await cli.run(...proxied, ...program(work));
  expect([exitCode, err]).toEqual([0, ""]);
  expect(out).toMatch(/^user \d+ .*\nlogged out true\n$/);
  const real = [(await clientSecretOf(stand.broker, "looker/sales")).client_secret];
  expect(leaksIn(out, real)).toBe(0);
  const logins = stand.looker.ledger().filter(({ event }) => event === "login");
  expect([logins.length, stand.looker.control.liveTokens().length]).toEqual([1, 0]);
});

test("a job goes on when all tokens are ended at Looker in the middle, in the workspace that it chose", async () => {
  const work = `
    await sdk.ok(sdk.update_session({ workspace_id: "dev" }));
    say("chosen");
    await next();
    say("is in", (await sdk.ok(sdk.session())).workspace_id);
  `;
  const running = cli.start(...proxied, ...program(work));
  await saw(running, "chosen");
  // A stale report counts for a lease that is older than ten seconds.
  await new Promise((resolve) => setTimeout(resolve, 10_500));
  stand.looker.control.expireAllTokens();
  running.child.kill("SIGUSR2");
  expect(await running.ended).toEqual({ exitCode: 0, out: "chosen\nis in dev\n", err: "" });
  expect(stand.looker.control.liveTokens()).toEqual([]);
});

test("two runs at once and a service do not disturb each other: one in dev, one logs out", async () => {
  const service = callerOf(stand, "report-service");
  const shared = (await service.token("sales")).json;
  const developing = cli.start(
    ...proxied,
    ...program(`
      await sdk.ok(sdk.update_session({ workspace_id: "dev" }));
      say("chosen");
      await next();
      say("is in", (await sdk.ok(sdk.session())).workspace_id);
    `),
  );
  await saw(developing, "chosen");
  const leaving = await cli.run(
    ...proxied,
    ...program('say("is in", (await sdk.ok(sdk.session())).workspace_id); await sdk.authSession.logout();'),
  );
  expect(leaving).toEqual({ exitCode: 0, out: "is in production\n", err: "" });
  developing.child.kill("SIGUSR2");
  expect((await developing.ended).out).toBe("chosen\nis in dev\n");
  const headers = { authorization: `Bearer ${shared.access_token}` };
  const session = await fetch(`${stand.looker.url}/api/4.0/session`, { headers });
  expect([session.status, ((await session.json()) as { workspace_id: string }).workspace_id]).toEqual([
    200,
    "production",
  ]);
  expect((await service.token("sales")).json.lease_id).toBe(shared.lease_id);
});
