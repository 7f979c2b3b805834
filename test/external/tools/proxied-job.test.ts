/** Jobs with Looker's SDK for Python under `looker-token exec --proxy`, while something happens to them. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { sharedStand, untilSeen } from "../../support/broker-stand.ts";
import { Command } from "../../support/cli/command.ts";
import { emptyTable } from "../../support/empty-table.ts";
import { events } from "../../support/looker-ledger.ts";
import { environmentOf } from "../../support/recipe.ts";
import { pathOf } from "./run.ts";

const stand = sharedStand();

afterEach(async () => {
  stand.looker.control.expireAllTokens();
  stand.looker.control.resetLedger();
  await emptyTable(stand.broker);
});

const python = { name: "Python's SDK", folder: "REFERENCE_BIN", command: "python3" } as const;
const script = fileURLToPath(new URL("python-job.py", import.meta.url));

/** Resolves when the job has made its first calls. */
async function startJob(workspace: string, ...options: string[]) {
  const directory = mkdtempSync(join(stand.workDir, "job-"));
  const cli = new Command(directory, environmentOf(stand, "report-service"));
  const running = cli.start(
    ...["exec", "--scope", "sales", "--proxy", ...options, "--", pathOf(python) ?? "", script, workspace],
  );
  await untilSeen(
    () => running.out().includes("\n"),
    `the first calls of ${workspace}: ${running.err()}`,
    60_000,
  );
  return {
    finish() {
      writeFileSync(join(directory, "go"), "");
      return running.ended;
    },
  };
}

/** The second calls are in the same workspace as the first. */
const undisturbed = (workspace: string) => ({
  exitCode: 0,
  out: expect.stringMatching(RegExp(`^101 ${workspace}\n101 ${workspace}\n\\[\\{.*\\}\\]\n$`)),
  err: "",
});

const tokensOf = (event: Parameters<typeof events>[1]) =>
  events(stand, event).map(({ tokenSha256 }) => tokenSha256);

test("all tokens are ended at Looker in the middle, and the tool does not notice", async () => {
  const jobs = await Promise.all([startJob("production"), startJob("dev")]);
  const [login] = events(stand, "login");
  // The broker believes a report about a token that is older than ten seconds.
  await new Promise((resolve) => setTimeout(resolve, 10_500));
  expect(stand.looker.control.endTokensOf(login?.clientId ?? "")).toBeGreaterThan(1);
  const ended = tokensOf("login");
  stand.looker.control.resetLedger();

  expect(await Promise.all(jobs.map(({ finish }) => finish()))).toEqual([
    undisturbed("production"),
    undisturbed("dev"),
  ]);
  expect(ended).toEqual(expect.arrayContaining(tokensOf("api_unauthorized")));
  expect(tokensOf("login")).toHaveLength(2);
  expect(tokensOf("login")).toEqual(expect.arrayContaining(tokensOf("api")));
  expect(stand.looker.liveTokens()).toEqual([]);
});

test.each([
  ["each with a session of its own", []],
  ["both with the role's token", ["--shared"]],
])("two at once, one of them in dev, %s: neither disturbs the other", async (_, options) => {
  const developing = await startJob("dev", ...options);
  const reporting = await startJob("production", ...options);
  // The one that is over first has logged out.
  expect(await reporting.finish()).toEqual(undisturbed("production"));
  expect(await developing.finish()).toEqual(undisturbed("dev"));
  const inDev = events(stand, "api").filter(({ method }) => method === "PATCH");
  expect(inDev).toHaveLength(1);
  expect(tokensOf("login")).toHaveLength(options.length === 0 ? 3 : 2);
  expect(stand.looker.liveTokens()).toHaveLength(options.length);
});
