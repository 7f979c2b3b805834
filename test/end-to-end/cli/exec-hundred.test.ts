/**
 * A hundred `looker-token exec` of one role at once, against a whole local broker: ten processes with ten commands each. A
 * hundred processes of Node would keep two cores from the broker for so long that clients give up.
 */
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import { sharedStand, startsWithinMs } from "../../support/broker-stand.ts";
import { emptyTable } from "../../support/empty-table.ts";
import { events } from "../../support/looker-ledger.ts";
import { buildCommand, environmentOf, type Ran, start } from "../../support/recipe.ts";

const stand = sharedStand();

let command: string;
beforeAll(() => {
  command = buildCommand();
}, startsWithinMs);
afterEach(async () => {
  stand.looker.control.expireAllTokens();
  stand.looker.control.resetLedger();
  await emptyTable(stand.broker);
});

/** Each command has a client of its own: `run` is all that the process of one command runs. */
const tenCommands = `
  import { run } from ${JSON.stringify("RUN")};
  process.setMaxListeners(0);
  const codes = await Promise.all(Array.from({ length: 10 }, () => run(process.argv.slice(1))));
  for (const code of codes) console.log("exit", code);
`;

interface Outcome {
  /** SHA-256 of each command's token, as in Looker's ledger. */
  readonly tokens: readonly string[];
  readonly exitCodes: readonly number[];
  readonly errors: readonly string[];
}

async function hundred(...options: string[]): Promise<Outcome> {
  const script = tenCommands.replace("RUN", join(command, "../run.js"));
  const hash = 'echo "token $(printf %s "$LOOKER_ACCESS_TOKEN" | sha256sum)"';
  const words = ["exec", "--scope", "sales", ...options, "--", "sh", "-c", hash];
  const env = environmentOf(stand, "report-service");
  const runs: Ran[] = await Promise.all(
    Array.from(
      { length: 10 },
      () => start(process.execPath, ["--input-type=module", "--eval", script, "--", ...words], { env }).ended,
    ),
  );
  const out = runs.map((ran) => ran.out).join("");
  return {
    tokens: [...out.matchAll(/^token (\w+)/gm)].map(([, token = ""]) => token),
    exitCodes: [...out.matchAll(/^exit (\d+)$/gm)].map(([, code]) => Number(code)),
    errors: runs.flatMap(({ err }) => err.split("\n").filter((line) => line !== "")),
  };
}

test("a hundred that share the role's token make one login, and leave its token alive", async () => {
  const { tokens, exitCodes, errors } = await hundred();
  expect([errors, exitCodes]).toEqual([[], Array(100).fill(0)]);
  const [login, ...more] = events(stand, "login");
  expect(more).toEqual([]);
  expect(tokens).toEqual(Array(100).fill(login?.tokenSha256));
  expect(stand.looker.liveTokens().map(({ sha256 }) => sha256)).toEqual([login?.tokenSha256]);
});

test("a hundred with a session each stay within the role's sixty logins, and the others name the shared mode", async () => {
  const { tokens, exitCodes, errors } = await hundred("--session");
  expect(exitCodes.toSorted()).toEqual([...Array(60).fill(0), ...Array(40).fill(4)]);
  const logins = events(stand, "login").map(({ tokenSha256 }) => tokenSha256);
  expect(logins).toHaveLength(60);
  expect(tokens.toSorted()).toEqual(logins.toSorted());
  const overBudget =
    /^looker-token: .* Share the role's token instead \(leave out --session\), or try again in \d+ s\.$/;
  expect(errors).toEqual(Array(40).fill(expect.stringMatching(overBudget)));
  expect(stand.looker.liveTokens()).toEqual([]);
});
