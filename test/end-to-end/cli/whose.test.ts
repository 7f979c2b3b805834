/** A token was found: `looker-token whose` against a whole local broker, in a pipe and under a terminal. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { auditLines, leaksIn } from "../../support/broker-stand.ts";
import { readable } from "../../support/cli/command.ts";
import { ctrlC } from "../../support/cli/pseudo-terminal.ts";
import { onStage } from "../../support/cli/stage.ts";

const stage = onStage();
const report = "arn:aws:iam::111122223333:role/report-service";
const sha256Of = (text: string) => createHash("sha256").update(text).digest("hex");

/** As `printf TEXT | looker-token whose …`. */
async function whose(text: string, ...args: string[]) {
  const running = stage.cli.talkTo([], "whose", ...args, "--local");
  running.child.stdin?.end(text);
  const { exitCode, out, err } = await running.ended;
  stage.printed.push(out, err);
  return { exitCode, out: readable(out), err: readable(err), raw: out };
}

describe("in a pipe", () => {
  test("it names scope, caller, session, lease, since when, state, and until when the token can work", async () => {
    const { json } = await stage.caller("report-service").token("sales");
    for (const text of [`${json.access_token}\n`, `Authorization: token ${json.access_token}`]) {
      expect(await whose(text)).toMatchObject({
        exitCode: 0,
        err: "",
        out: `\
Scope  sales
Caller  ${report}
Unique id  UNIQUE
Session  none: the lease that all processes of the caller share
Lease  ID
Client id  ID
Since  TIME, SPAN ago
State  live: the broker gives it to this caller, for SPAN more
Works  until TIME at the latest, for 1h SPAN
Next  The same command with --revoke ends it.
`.replace("1h SPAN", "1h 0m"),
      });
    }
  });

  test("it looks in every scope of the operator, in spite of LOOKER_BROKER_SCOPE", async () => {
    const { json } = await stage.caller("finance-service").token("finance", { session: "close-2026" });
    const cli = stage.cli.with({ LOOKER_BROKER_SCOPE: "sales" });
    const running = cli.talkTo([], "whose", "--local");
    running.child.stdin?.end(json.access_token);
    const { out } = await running.ended;
    stage.printed.push(out);
    expect(out).toMatch(/^Scope {6}finance$/m);
    expect(out).toMatch(/^Session {4}close-2026$/m);
    const elsewhere = await whose(json.access_token, "--scope", "sales");
    expect(elsewhere.out).toMatch(/^No lease of sales has this token/);
  });

  test("--json has the lease as the broker lists it, and the hash", async () => {
    const { json } = await stage.caller("report-service").token("sales");
    const { raw } = await whose(json.access_token, "--json");
    expect(JSON.parse(raw)).toMatchObject({
      token_sha256: sha256Of(json.access_token),
      scopes: [
        { scope: "sales", leases: [{ lease_id: json.lease_id, caller: report, state: "live" }] },
        { scope: "finance", leases: [] },
      ],
    });
  });

  test("a hash from a record is taken as it is, and said to be", async () => {
    const { json } = await stage.caller("report-service").token("sales");
    const ran = await whose(sha256Of(json.access_token));
    expect(ran.err).toBe("64 hexadecimal digits were read as the SHA-256 of a token.\n");
    expect(ran.out).toMatch(/^Scope {2}sales$/m);
  });

  test("without a lease of it, it prints the question to the records, and the way to end it at Looker", async () => {
    const stray = "Jx4Ke9Np7Wc5vQ8Hs2Yb6t0ken1Rm5Cd3Fg8TzAB";
    stage.stand.secrets.add(stray);
    const { exitCode, raw } = await whose(stray);
    expect(exitCode).toBe(0);
    expect(raw).toContain(`looker-token ask who-got-this-token --token-sha256 ${sha256Of(stray)} --local\n`);
    expect(raw).toContain(`-X DELETE -H @- ${stage.stand.broker.lookerUrl}/api/4.0/logout\n`);
    expect((await whose(stray, "--revoke", "--yes")).exitCode).toBe(5);
  });

  test("--revoke ends it, and nothing else of the caller", async () => {
    const reports = stage.caller("report-service");
    const { json } = await reports.token("sales");
    const other = (await reports.token("sales", { session: "nightly" })).json;
    const ran = await whose(json.access_token, "--revoke", "--yes");
    expect([ran.exitCode, ran.err]).toEqual([0, ""]);
    expect(ran.out).toMatch(/^Works .*\nrevoked {2}1 lease of sales; Looker confirmed its end\n$/m);
    expect([await stage.lookerTakes(json.access_token), await stage.lookerTakes(other.access_token)]).toEqual(
      [401, 200],
    );
    expect((await whose(json.access_token)).out).toMatch(/^No lease of sales, finance has this token/);
  });

  test("--revoke without --yes is refused before the token is read, because nobody can be asked", async () => {
    const { json } = await stage.caller("report-service").token("sales");
    expect(await whose(json.access_token, "--revoke")).toMatchObject({
      exitCode: 2,
      err: "looker-token: Nobody can be asked here: add --yes, or leave --revoke out.\n",
    });
    expect(await stage.lookerTakes(json.access_token)).toBe(200);
  });
});

describe("on a terminal", () => {
  test("the pasted token is not shown, and the lease is ended after a yes", async () => {
    const { json } = await stage.caller("report-service").token("sales");
    const shown = await stage.onTerminal(
      ["whose", "--revoke"],
      { after: "It is not shown. ", type: `${json.access_token}\r` },
      { after: "End it? [y/N] ", type: "y\r" },
    );
    expect([shown.exitCode, shown.sane], shown.text).toEqual([0, true]);
    expect(shown.text).toMatch(/^Paste the token, then Enter\. It is not shown\. \nScope {2}sales\n/);
    expect(shown.text).toContain("1 lease of sales; Looker confirmed its end");
    expect(await stage.lookerTakes(json.access_token)).toBe(401);
  });

  test("Ctrl-C at the paste ends it with 130, and the terminal is as it was", async () => {
    const shown = await stage.onTerminal(["whose"], { after: "It is not shown. ", type: ctrlC });
    expect([shown.exitCode, shown.sane]).toEqual([130, true]);
  });
});

test("neither the token nor its hash is in a record of the operator's requests", async () => {
  const { json } = await stage.caller("report-service").token("sales");
  await whose(json.access_token, "--revoke", "--yes");
  expect(leaksIn(stage.stand.broker.logs().join("\n"), [json.access_token])).toBe(0);
  const asked = auditLines(stage.stand.broker).filter(({ verb }) => verb === "list" || verb === "revoke");
  expect(JSON.stringify(asked)).not.toContain(sha256Of(json.access_token));
  expect(asked.some(({ verb, lease_id }) => verb === "revoke" && lease_id === json.lease_id)).toBe(true);
});
