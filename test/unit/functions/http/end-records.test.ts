/** Records of the end of leases: by a logout, a sweep and an operator. test/support/fakes/recorded.ts holds each to the schema. */
import { describe, expect, it } from "vitest";
import { roleIdentity } from "../../../support/fakes/api-function.ts";
import { account } from "../../../support/fakes/in-memory-broker.ts";
import { whole } from "../../../support/fakes/recorded-broker.ts";

const minute = 60_000;

describe("a record of a lease's end", () => {
  it("is there once Looker confirmed a caller's logout, next to the request's own record", async () => {
    const { api } = whole();
    const { body } = await api.token();
    await api.logOut({ body: { lease_id: body.lease_id } });
    expect(api.lines[1]).toMatchObject({
      verb: "logout",
      outcome: "revoked",
      lease_id: body.lease_id,
      revoked: 1,
      pending: 0,
      logouts: 1,
    });
    expect(api.leaseEnds).toEqual([
      {
        time: expect.any(String),
        kind: "lease_end",
        broker: "test/Broker",
        request_id: api.lines[1]?.request_id,
        verb: "logout",
        scope: "sales",
        account,
        unique_id: "AROAREPORTSERVICE000",
        lease_id: body.lease_id,
        client_id: "clientOne",
      },
    ]);
  });

  it("comes with the sweep, once Looker has confirmed the end", async () => {
    const { broker, api, sweeper } = whole();
    const { body } = await api.token();
    broker.looker.onLogout = () => "unconfirmed";
    await api.logOut();
    expect(api.leaseEnds).toEqual([]);
    await broker.clock.advance(7 * minute);
    await sweeper.run();
    expect(sweeper.leaseEnds).toEqual([]);
    expect(sweeper.lines[0]).toMatchObject({
      verb: "sweep",
      outcome: "swept",
      code: "ok",
      revoked: 0,
      pending: 1,
      // The sweeper tries again half a minute later.
      oldest_pending_ms: 7.5 * minute,
    });
    broker.looker.onLogout = undefined;
    await broker.clock.advance(5 * minute);
    await sweeper.run();
    expect(sweeper.leaseEnds).toMatchObject([{ verb: "sweep", lease_id: body.lease_id }]);
    expect(sweeper.lines[1]).toMatchObject({ revoked: 1, pending: 0, oldest_pending_ms: 0, logouts: 1 });
  });

  it("is there for every lease ended by a freeze", async () => {
    const { api, operator } = whole();
    const first = await api.token();
    const second = await api.token({
      identity: roleIdentity("report-nightly", { uniqueId: "AROAREPORTNIGHTLY000" }),
    });
    await operator.freeze();
    expect(operator.lines[0]).toMatchObject({ verb: "freeze", outcome: "frozen", revoked: 2, logouts: 2 });
    expect(operator.leaseEnds.map(({ lease_id, verb }) => [lease_id, verb]).sort()).toEqual(
      [
        [first.body.lease_id, "freeze"],
        [second.body.lease_id, "freeze"],
      ].sort(),
    );
    await api.token();
    expect(api.lines[2]).toMatchObject({ code: "scope_frozen", status: 403 });
  });
});

describe("a record of a sweep", () => {
  it("tells how late the longest due row was", async () => {
    const { broker, api, sweeper } = whole();
    await api.token();
    await broker.clock.advance(15 * minute);
    const late = 20 * minute;
    await broker.clock.advance(late);
    await sweeper.run();
    const { sweep_lag_ms = 0 } = sweeper.lines[0] ?? {};
    // Index times are whole seconds, rounded up.
    expect(sweep_lag_ms).toBeLessThanOrEqual(late);
    expect(sweep_lag_ms).toBeGreaterThan(late - 1_000);
  });

  it("is there even with nothing to do, as the sign of life", async () => {
    const { sweeper } = whole();
    await sweeper.run();
    expect(sweeper.lines).toMatchObject([
      {
        verb: "sweep",
        outcome: "swept",
        code: "ok",
        pending: 0,
        oldest_pending_ms: 0,
        sweep_lag_ms: 0,
        Sweeps: 1,
      },
    ]);
  });

  it("does not count as a sign of life after a failure", async () => {
    const { broker, sweeper } = whole();
    broker.table.before = (operation) => {
      if (operation === "queryDue") throw new Error("no such index");
    };
    await expect(sweeper.run()).rejects.toThrow();
    expect(sweeper.lines).toMatchObject([{ verb: "sweep", code: "internal", error: "Error" }]);
    expect(sweeper.lines[0]).not.toHaveProperty("Sweeps");
  });
});

describe("a record of an operator's revocation", () => {
  it.each<[string, Record<string, string>, object]>([
    ["everything", { all: "true" }, { filters: ["all"] }],
    [
      "a caller and a time",
      { caller: `arn:aws:iam::${account}:role/report-service`, issued_before: "2023-11-14T22:13:00Z" },
      {
        filters: ["caller", "issued_before"],
        target_caller: `arn:aws:iam::${account}:role/report-service`,
        issued_before: "2023-11-14T22:13:00.000Z",
      },
    ],
    ["a client id", { client_id: "clientOne" }, { filters: ["client_id"] }],
  ])("lists the operator's filters: %s", async (_, query, expected) => {
    const { operator } = whole();
    await operator.revoke(query);
    expect(operator.lines[0]).toMatchObject({ verb: "revoke", outcome: "revoked", code: "ok", ...expected });
  });

  it("names the lease and the operator", async () => {
    const { api, operator } = whole();
    const { body } = await api.token();
    await operator.revoke({ lease_id: body.lease_id });
    expect(operator.lines[0]).toMatchObject({
      lease_id: body.lease_id,
      filters: ["lease_id"],
      matched: 1,
      revoked: 1,
      caller: { arn: `arn:aws:iam::${account}:role/oncall` },
    });
  });
});
