/** Several scopes, one of which fails: what is known of each, on stdout; the errors, on stderr. */
import { beforeEach, describe, expect, test } from "vitest";
import { gatewayReply } from "../../support/broker-replies.ts";
import { FakeBroker, leaseOf } from "../../support/cli/fake-broker.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await FakeBroker.start();
  broker.leases = [leaseOf("one")];
  broker.instead = ({ path }) =>
    path.includes("/finance/") ? gatewayReply(403, "AccessDeniedException", "Not so") : undefined;
});

const error = {
  ...{ code: "access_denied", message: "IAM does not allow the call: Not so." },
  ...{ hint: expect.any(String), status: 403, request_id: expect.any(String) },
};

const ended = { pending: 0, expired: 0, gone: 0, unknown: 0 };

describe.each([
  ["--all-scopes", ["--all-scopes"], ["sales", "finance"]],
  ["one scope", ["--scope", "sales"], ["sales"]],
  ["one scope that fails", ["--scope", "finance"], ["finance"]],
])("the JSON of %s has the same shape", (_, target, scopes) => {
  const expected = (tell: object, ofFailed: object = {}) =>
    scopes.map((scope) => ({ scope, ...(scope === "sales" ? tell : { ...ofFailed, error }) }));
  const fails = scopes.includes("finance");
  const errors = fails ? { error: { ...error, scope: "finance" } } : undefined;
  const exitCode = fails ? 3 : 0;

  const run = async (...args: string[]) => {
    const ran = await broker.cli.run(...args, ...target, "--json");
    return { ...ran, out: JSON.parse(ran.out), err: ran.err === "" ? undefined : JSON.parse(ran.err) };
  };

  test("leases", async () => {
    expect(await run("leases")).toEqual({
      exitCode,
      out: { scopes: expected({ leases: broker.leases }) },
      err: errors,
    });
  });

  test("revoke --dry-run", async () => {
    expect(await run("revoke", "--all", "--dry-run")).toEqual({
      exitCode,
      out: {
        filter: { all: "true" },
        matched: scopes.includes("sales") ? 1 : 0,
        scopes: expected({ matched: 1 }),
      },
      err: errors,
    });
  });

  test("revoke", async () => {
    const revoked = scopes.includes("sales") ? 1 : 0;
    expect(await run("revoke", "--all", "--yes")).toEqual({
      exitCode,
      out: {
        ...{ outcome: fails ? "unknown" : "revoked", revoked, ...ended },
        scopes: expected({ outcome: "revoked", revoked: 1, ...ended }, { outcome: "unknown" }),
      },
      err: errors,
    });
  });

  test("unfreeze", async () => {
    expect(await run("unfreeze")).toEqual({
      exitCode,
      out: { scopes: expected({ frozen: null }) },
      err: errors,
    });
  });
});

describe("in words", () => {
  test("the last line of revoke names what is unknown and why, and counts the rest", async () => {
    const { exitCode, out, err } = await broker.cli.run("revoke", "--all-scopes", "--all", "--yes");
    expect([exitCode, out]).toEqual([
      3,
      "revoked  1 lease of sales; Looker confirmed its end\nunknown  1 of 2 scopes: finance (access_denied); 1 revoked\n",
    ]);
    expect(err).toMatch(/^looker-token: finance: IAM does not allow the call: Not so\. /);
  });

  test("the leases have their scope's column, even where only one scope answered", async () => {
    const { out } = await broker.cli.run("leases", "--all-scopes");
    expect(out).toMatch(/^SCOPE {2}CALLER .*\nsales {2}arn:.*\n$/);
  });

  test("of a scope that fails alone nothing is on stdout", async () => {
    for (const args of [["leases"], ["revoke", "--all", "--yes"], ["revoke", "--all", "--dry-run"]])
      expect(await broker.cli.run(...args, "--scope", "finance")).toEqual({
        exitCode: 3,
        out: "",
        err: expect.stringMatching(/^looker-token: IAM does not allow the call: Not so\. .*\n$/),
      });
  });
});

test("ages are by the broker's clock, whatever this machine's says", async () => {
  broker.leases = [
    leaseOf("one", {
      issued_at: "2026-11-24T12:58:00Z",
      ends_at: "2026-11-24T13:13:00Z",
      token_ends_at: "2026-11-24T13:58:13Z",
    }),
  ];
  broker.instead = () => ({
    status: 200,
    headers: { date: "Tue, 24 Nov 2026 13:00:00 GMT" },
    body: { leases: broker.leases },
  });
  expect((await broker.cli.run("leases", "--scope", "sales")).out).toMatch(
    /live {3}2m 0s {2}12m 59s|live {3}2m 0s {2}13m 0s/,
  );
});

test("so is how long ago --issued-before means", async () => {
  broker.instead = ({ method }) =>
    method === "GET"
      ? { status: 200, headers: { date: "Tue, 24 Nov 2026 13:00:00 GMT" }, body: { leases: [] } }
      : undefined;
  await broker.cli.run("revoke", "--scope", "sales", "--issued-before", "30m", "--yes");
  expect(broker.asked("DELETE")[0]).toMatch(/issued_before=2026-11-24T12%3A30%3A0\d\.\d{3}Z$/);
});
