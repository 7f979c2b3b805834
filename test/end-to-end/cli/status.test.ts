/** `looker-token status --local` against a whole local broker: faults are made, seen and gone. */
import { expect, test } from "vitest";
import { untilSeen } from "../../support/broker-stand.ts";
import { onStage } from "../../support/cli/stage.ts";

const stage = onStage();
const { run } = stage;
const found = async () => JSON.parse((await stage.cli.run("status", "--json", "--local")).out);
const wrongNow = async () =>
  (await found()).findings
    .filter(({ wrong }: { wrong: boolean }) => wrong)
    .map(({ what, subject }: { what: string; subject?: string }) => [what, subject]);

test("a broker without a fault has nothing wrong, and says when the sweeper ran", async () => {
  await stage.caller("report-service").token("sales");
  await stage.stand.broker.runSchedules("sweep");
  const shown = await untilSeen(async () => {
    const ran = await run("status");
    return ran.out.includes("last run") && ran;
  }, "the sweep's record");
  expect(shown.exitCode).toBe(0);
  expect(shown.out).toBe(
    "looker-token-broker in us-east-1: nothing is wrong\nsweeper  last run SPAN ago\n  Freezes, leases and accounts: of the scopes that you operate (sales,\n  finance).\n  The local run has no alarms.\n",
  );
});

test("a freeze, a pending logout and a failed login are seen, and are gone when they are over", async () => {
  const { control } = stage.stand.looker;
  await stage.caller("report-service").token("sales");
  control.addFault({ route: "logout", kind: "html_404", times: 1_000 });
  await run("revoke", "--scope", "sales", "--all", "--yes", "--wait", "0");
  await run("freeze", "--scope", "finance", "--reason", "incident 42");
  control.addFault({ route: "login", kind: "status", status: 500, times: 1 });
  expect((await stage.caller("nightly-job").token("sales")).status).toBe(503);
  await untilSeen(async () => (await wrongNow()).length === 3, "three faults", 30_000);
  expect(await wrongNow()).toEqual(
    expect.arrayContaining([
      ["frozen", "finance"],
      ["pending", "sales"],
      ["logins", "sales"],
    ]),
  );
  const { out } = await run("status");
  expect(out.replace(/\s+/g, " ")).toContain("finance: SPAN ago by platform-engineer: incident 42");

  control.clearFaults();
  await run("revoke", "--scope", "sales", "--all", "--yes", "--wait", "60");
  await run("unfreeze", "--scope", "finance");
  await untilSeen(
    async () => (await stage.caller("nightly-job").token("sales")).status === 200,
    "a login",
    60_000,
  );
  await untilSeen(async () => (await wrongNow()).length === 0, "no fault", 30_000);
}, 180_000);

test("a caller who may see nothing of it is refused", async () => {
  const { exitCode, err } = await run("status", "--as", "report-service");
  expect([exitCode, err]).toEqual([3, expect.stringContaining("Only operators may ask the local run.")]);
});
