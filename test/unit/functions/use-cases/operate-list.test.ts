import { describe, expect, it } from "vitest";
import type { ListPosition } from "../../../../functions/use-cases/operate.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { numberedCaller } from "../../../support/fakes/in-memory-operator.ts";
import { roleArn, setUp, withFour } from "../../../support/fakes/operator-use-cases.ts";

describe("a listing", () => {
  it("goes through 250 slots in pages, each lease once", async () => {
    const all = setUp();
    const issued = new Set<string>();
    for (let number = 0; number < 250; number++)
      issued.add((await all.issue({ key: numberedCaller(number) })).leaseId);
    const seen: (string | null)[] = [];
    let pages = 0;
    let from: ListPosition | undefined = { partition: 0, after: undefined };
    while (from) {
      const { leases, next } = await all.list(from);
      expect(leases.length).toBeLessThanOrEqual(100);
      seen.push(...leases.map(({ leaseId }) => leaseId));
      from = next;
      pages++;
    }
    expect(pages).toBe(3);
    expect(seen).toHaveLength(250);
    expect(new Set(seen)).toEqual(issued);
  });

  it("tells live, superseded, pending and minting apart, and holds no token", async () => {
    const all = setUp();
    const key = numberedCaller(1);
    all.looker.onLogout = () => "unconfirmed";
    const revoked = await all.issue({ key });
    await all.logOut({ key });
    const old = await all.issue({ key });
    all.clock.jump(850_000);
    const fresh = await all.issue({ key });
    expect(fresh.leaseId).not.toBe(old.leaseId);
    all.looker.onLogin = async () => {
      const { leases } = await all.list();
      expect(leases.map(({ state, leaseId }) => [state, leaseId])).toEqual(
        expect.arrayContaining([["minting", null]]),
      );
      return { kind: "failed", reason: "status_500" };
    };
    await all.ask({ key: numberedCaller(2) });
    const { leases } = await all.list();
    expect(leases.map(({ state, leaseId }) => [state, leaseId])).toEqual([
      ["live", fresh.leaseId],
      ["superseded", old.leaseId],
      ["pending", revoked.leaseId],
    ]);
    expect(JSON.stringify(leases)).not.toContain("looker-token");
  });

  it("does not call a lease live after an older epoch or the end of its life", async () => {
    const all = setUp();
    await all.issue({ key: numberedCaller(1) });
    all.table.before = (operation) => {
      if (operation === "querySlots") throw new Unavailable("dynamodb");
    };
    await all.revoke({ all: true });
    all.table.before = undefined;
    expect((await all.list()).leases).toMatchObject([{ state: "pending" }]);
  });

  it("shows the others where one row cannot be read", async () => {
    const four = await withFour();
    four.row(four.keys[0]).schema = 99;
    expect((await four.list()).leases).toHaveLength(3);
  });
});

describe("a caller whose IAM user was renamed", () => {
  it("keeps its lease, and is revoked by either name once it has asked under the new one", async () => {
    const all = setUp();
    const old = numberedCaller(1);
    const { accessToken } = await all.issue({ key: old });
    const renamed = { ...old, callerArn: roleArn("report-renamed") };
    expect((await all.revoke({ callerArn: renamed.callerArn })).matched).toBe(0);
    expect((await all.issue({ key: renamed })).accessToken).toBe(accessToken);
    for (const { callerArn } of [old, renamed])
      expect(await all.count({ callerArn })).toEqual({ matched: 1 });
    expect(await all.revoke({ callerArn: renamed.callerArn })).toEqual({
      matched: 1,
      revoked: 1,
      pending: 0,
    });
    expect(all.looker.live.size).toBe(0);
  });
});
