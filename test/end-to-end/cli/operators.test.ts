/** What `looker-token` prints for operators, in a pipe and under a terminal, against a whole local broker. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Caller, untilSeen } from "../../support/broker-stand.ts";
import { readable } from "../../support/cli/command.ts";
import { ctrlC, ctrlD } from "../../support/cli/pseudo-terminal.ts";
import { onStage } from "../../support/cli/stage.ts";

const stage = onStage();
const { run, onTerminal, lookerTakes } = stage;
let [reports, nightly, money] = [] as unknown as [Caller, Caller, Caller];
beforeAll(() => {
  [reports, nightly, money] = [
    stage.caller("report-service"),
    stage.caller("nightly-job"),
    stage.caller("finance-service"),
  ];
});

describe("leases", () => {
  test("in a pipe: a table without colours", async () => {
    await reports.token("sales");
    await nightly.token("sales");
    expect(await run("leases", "--scope", "sales")).toEqual({
      exitCode: 0,
      err: "",
      out: `\
CALLER  LEASE  STATE  AGE  REMAINING  CREDENTIAL
arn:aws:iam::111122223333:role/report-service  ID  live  SPAN  SPAN  ID
arn:aws:iam::111122223333:role/nightly-job  ID  live  SPAN  SPAN  ID
`,
    });
  });

  test("on a terminal: the same with colours, unless NO_COLOR is set", async () => {
    await reports.token("sales");
    await money.token("finance");
    const { text } = await onTerminal(["leases", "--all-scopes"]);
    expect(text).toBe(`\
␛[1mSCOPE  CALLER  LEASE  STATE  AGE  REMAINING  CREDENTIAL␛[22m
sales  arn:aws:iam::111122223333:role/report-service  ID  ␛[32mlive␛[39m  SPAN  SPAN  ID
finance  arn:aws:iam::111122223333:role/finance-service  ID  ␛[32mlive␛[39m  SPAN  SPAN  ID
`);
    const monochrome = await stage.cli
      .with({ NO_COLOR: "1" })
      .onTerminal(["leases", "--all-scopes", "--local"]);
    expect(monochrome.text).not.toContain("\x1b");
  });

  test("--json is what the broker says, of all pages, by scope", async () => {
    const { lease_id } = (await reports.token("sales")).json;
    const { out } = await stage.cli.run("leases", "--all-scopes", "--json", "--local");
    stage.printed.push(out);
    const { scopes } = JSON.parse(out);
    expect(scopes).toMatchObject([
      { scope: "sales", leases: [{ lease_id, state: "live", caller: reports.principal.callerArn }] },
      { scope: "finance", leases: [] },
    ]);
  });
});

describe("revoke", () => {
  const reportsOnly = [
    "revoke",
    "--scope",
    "sales",
    "--caller",
    "arn:aws:iam::111122223333:role/report-service",
  ];

  test("on a terminal it shows the count and asks; no, and the end of the input, leave all as it was", async () => {
    const { json } = await reports.token("sales");
    for (const type of ["n\n", "\n", "yess\n", ctrlD]) {
      const shown = await onTerminal(reportsOnly, { after: "End them? [y/N] ", type });
      expect(shown.text).toMatch(
        /^To be ended \(caller arn:aws:iam::111122223333:role\/report-service\):\n {2}sales: 1 lease\nEnd them\? \[y\/N\] /,
      );
      expect(shown.text).toMatch(/Nothing was done\.\n$/);
      expect([shown.exitCode, shown.sane]).toEqual([1, true]);
    }
    expect(await lookerTakes(json.access_token)).toBe(200);
  });

  test("after a yes the last line says that it is dead, and it is", async () => {
    const { json } = await reports.token("sales");
    const other = (await nightly.token("sales")).json;
    expect(await onTerminal(reportsOnly, { after: "[y/N] ", type: "y\n" })).toEqual({
      exitCode: 0,
      sane: true,
      text: `\
To be ended (caller arn:aws:iam::111122223333:role/report-service):
  sales: 1 lease
End them? [y/N] y
␛[32mrevoked␛[39m  1 lease of sales; Looker confirmed its end
`,
    });
    expect([await lookerTakes(json.access_token), await lookerTakes(other.access_token)]).toEqual([401, 200]);
  });

  test("Ctrl-C at the question ends nothing and leaves the terminal sane", async () => {
    const { json } = await reports.token("sales");
    const shown = await onTerminal(reportsOnly, { after: "[y/N] ", type: ctrlC });
    expect([shown.exitCode, shown.sane]).toEqual([130, true]);
    expect(await lookerTakes(json.access_token)).toBe(200);
  });

  test("in a pipe it wants --yes or --dry-run, before it asks the broker for anything", async () => {
    expect(await run(...reportsOnly)).toEqual({
      exitCode: 2,
      out: "",
      err: "looker-token: Nobody can be asked here: add --yes, or count with --dry-run first.\n",
    });
  });

  test("--dry-run only counts", async () => {
    const { json } = await reports.token("sales");
    expect((await run(...reportsOnly, "--dry-run")).out).toBe(
      "1 lease would be ended (caller arn:aws:iam::111122223333:role/report-service)\n",
    );
    expect(JSON.parse((await run("revoke", "--all-scopes", "--all", "--dry-run", "--json")).out)).toEqual({
      filter: { all: "true" },
      matched: 1,
      scopes: [
        { scope: "sales", matched: 1 },
        { scope: "finance", matched: 0 },
      ],
    });
    expect(await lookerTakes(json.access_token)).toBe(200);
  });

  test.each<[string, (lease: { lease_id: string }) => string[]]>([
    ["its lease id", ({ lease_id }) => ["--lease-id", lease_id]],
    ["when it was issued", () => ["--issued-before", "0s"]],
    [
      "when it was issued and by whom",
      () => [
        "--issued-before",
        new Date().toISOString(),
        "--caller",
        "arn:aws:iam::111122223333:role/report-service",
      ],
    ],
    ["the name of its caller", () => ["--caller", "report-service"]],
    [
      "the ARN of a session of its caller",
      () => ["--caller", "arn:aws:sts::111122223333:assumed-role/report-service/i-0abc"],
    ],
    ["everything", () => ["--all"]],
  ])("ends a lease by %s", async (_, filter) => {
    const { json } = await reports.token("sales");
    const { out, exitCode } = await run("revoke", "--scope", "sales", "--yes", ...filter(json));
    expect([exitCode, out]).toEqual([0, "revoked  1 lease of sales; Looker confirmed its end\n"]);
    expect(await lookerTakes(json.access_token)).toBe(401);
  });

  test("in all scopes, a line for each and the total last", async () => {
    await Promise.all([reports.token("sales"), nightly.token("sales"), money.token("finance")]);
    expect(await run("revoke", "--all-scopes", "--all", "--yes")).toEqual({
      exitCode: 0,
      err: "",
      out: `\
revoked  2 leases of sales; Looker confirmed each one's end
revoked  1 lease of finance; Looker confirmed its end
revoked  3 leases of 2 scopes; Looker confirmed each one's end
`,
    });
  });

  test("while Looker does not confirm it says pending, exit code 5", async () => {
    await reports.token("sales");
    stage.stand.broker.looker?.control.addFault({ route: "logout", kind: "status", status: 500 });
    expect(await run(...reportsOnly, "--yes", "--wait", "0")).toEqual({
      exitCode: 5,
      err: "",
      out: "pending  1 lease of sales; given to nobody any more, but not confirmed dead: the broker goes on trying\n",
    });
    const json = JSON.parse((await run(...reportsOnly, "--yes", "--wait", "0", "--json")).out);
    expect(json).toMatchObject({
      outcome: "pending",
      revoked: 0,
      unknown: 0,
      pending: 1,
      scopes: [{ scope: "sales" }],
    });
  });

  test("shows its progress until Looker confirms, and leaves the caller's new lease alone", async () => {
    await reports.token("sales");
    stage.stand.broker.looker?.control.addFault({ route: "logout", kind: "status", status: 500 });
    const running = stage.cli.start(...reportsOnly, "--yes", "--local");
    await untilSeen(() => running.err().includes("1 pending, 0 revoked"), "progress");
    const fresh = (await reports.token("sales")).json;
    stage.stand.broker.looker?.control.clearFaults();
    const { exitCode, out, err } = await running.ended;
    expect([exitCode, readable(out)]).toEqual([0, "revoked  1 lease of sales; Looker confirmed its end\n"]);
    // The caller's new login counts while it is under way.
    expect(readable(err)).toMatch(/^1 pending, 0 revoked, for SPAN\n([12] pending, 0 revoked, for SPAN\n)*$/);
    expect(await lookerTakes(fresh.access_token)).toBe(200);
  });

  test("Ctrl-C while it is pending says so, and leaves the terminal sane", async () => {
    await reports.token("sales");
    stage.stand.broker.looker?.control.addFault({ route: "logout", kind: "status", status: 500 });
    const shown = await onTerminal([...reportsOnly, "--yes"], { after: "1 pending", type: ctrlC });
    expect([shown.exitCode, shown.sane]).toEqual([130, true]);
    expect(shown.text).toMatch(/␛\[33mpending␛\[39m {2}1 lease of sales; .*\n$/);
  });
});

describe("freeze", () => {
  const freeze = ["freeze", "--scope", "sales", "--reason", "incident 42"];

  test("ends what was given out and serves nothing, until the scope is unfrozen", async () => {
    const { json } = await reports.token("sales");
    expect((await run(...freeze)).out).toBe(
      "frozen  sales: callers get no lease of it\nrevoked  1 lease of sales; Looker confirmed its end\n",
    );
    expect(await lookerTakes(json.access_token)).toBe(401);
    expect((await run("get", "--scope", "sales")).exitCode).toBe(3);
    expect((await run("leases", "--scope", "sales")).out).toBe(
      "frozen  sales, by arn:aws:iam::111122223333:role/platform-engineer at\n  TIME: incident 42\nNo leases in sales.\n",
    );
    expect((await run("unfreeze", "--scope", "sales")).out).toBe(
      "unfrozen  sales; callers get new leases again\n  frozen by arn:aws:iam::111122223333:role/platform-engineer at\n  TIME: incident 42\n",
    );
    expect((await reports.token("sales")).status).toBe(200);
    expect((await run("unfreeze", "--scope", "sales")).out).toBe("unchanged  sales was not frozen\n");
  });

  test("--json has the freeze as the broker recorded it", async () => {
    expect(JSON.parse((await run(...freeze, "--json")).out)).toMatchObject({
      outcome: "revoked",
      scopes: [
        {
          scope: "sales",
          frozen: { by: expect.stringContaining("platform-engineer"), reason: "incident 42" },
        },
      ],
    });
    expect(JSON.parse((await run("unfreeze", "--all-scopes", "--json")).out)).toMatchObject({
      scopes: [
        { scope: "sales", frozen: null, was: { reason: "incident 42" } },
        { scope: "finance", frozen: null, was: null },
      ],
    });
  });

  test("wants a reason, and a yes for all scopes", async () => {
    expect(await run("freeze", "--scope", "sales")).toMatchObject({
      exitCode: 2,
      err: expect.stringMatching(/Why\?/),
    });
    const shown = await onTerminal(["freeze", "--all-scopes", "--reason", "x"], {
      after: "[y/N] ",
      type: "n\n",
    });
    expect(shown).toMatchObject({
      exitCode: 1,
      text: expect.stringMatching(/^Freeze sales, finance, and end all their leases\?/),
    });
    expect((await reports.token("sales")).status).toBe(200);
  });
});
