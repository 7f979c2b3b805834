import { describe, expect, it } from "vitest";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { sweepNow } from "../../../support/fakes/in-memory-operator.ts";
import { minutes, operator, setUp, withFour } from "../../../support/fakes/operator-use-cases.ts";

describe("a whole scope", () => {
  it("is fenced by one write, though everything after it fails, and the sweeper ends the rest", async () => {
    const four = await withFour();
    let fenced = false;
    four.table.before = () => {
      if (fenced) throw new Unavailable("dynamodb");
    };
    four.table.after = (operation, key) => {
      if (operation === "write" && key === "scope#sales #control") fenced = true;
    };
    const result = await four.revoke({ all: true });
    expect(result.revoked).toBe(0);
    expect(result.pending).toBeGreaterThanOrEqual(1);
    four.table.before = undefined;
    four.table.after = undefined;
    // Not one slot was written, and yet none of it is served.
    const again = await Promise.all(four.keys.map((key) => four.ask({ key })));
    const old = [four.a, four.b, four.c, four.d].map(({ accessToken }) => accessToken);
    for (const { token } of again) expect(old).not.toContain(token?.accessToken);
    await sweepNow(four.broker);
    expect(four.live()).toEqual([false, false, false, false]);
    // Later tokens live on.
    for (const { token } of again) expect(four.looker.live.has(token?.accessToken ?? "")).toBe(true);
    expect((await four.control()).job).toBeUndefined();
  });

  it("raises the epoch once, though the answer to the write was lost", async () => {
    const four = await withFour();
    let lost = false;
    four.table.after = (operation, key) => {
      if (operation !== "write" || key !== "scope#sales #control" || lost) return;
      lost = true;
      throw new Unavailable("dynamodb");
    };
    expect(await four.revoke({ all: true })).toEqual({ matched: 4, revoked: 4, pending: 0 });
    expect(await four.control()).toMatchObject({ epoch: 1 });
  });

  it("that could not be fenced is reported as a failure", async () => {
    const four = await withFour();
    four.table.before = (operation) => {
      if (operation === "write") throw new Unavailable("dynamodb");
    };
    await expect(four.revoke({ all: true })).rejects.toBeInstanceOf(Unavailable);
    four.table.before = undefined;
    expect(four.live()).toEqual([true, true, true, true]);
    expect((await four.issue({ key: four.keys[0] })).leaseId).toBe(four.a.leaseId);
  });

  it("is carried on from its partition after a crash", async () => {
    const four = await withFour();
    four.table.before = (operation, key) => {
      if (operation === "querySlots" && key === "scope#sales#9") throw new Error("the instance is gone");
    };
    await expect(four.revoke({ all: true })).rejects.toThrow("the instance is gone");
    expect((await four.control()).job).toMatchObject({ epoch: 1, nextPartition: 9 });
    four.table.before = undefined;
    four.table.calls.length = 0;
    await sweepNow(four.broker);
    const queried = four.table.calls
      .filter(({ operation }) => operation === "querySlots")
      .map(({ key }) => key);
    expect(queried).toEqual([9, 10, 11, 12, 13, 14, 15].map((partition) => `scope#sales#${partition}`));
    expect((await four.control()).job).toBeUndefined();
    expect(four.looker.live.size).toBe(0);
  });

  it("asked for again while a job is under way: the later includes the earlier", async () => {
    const four = await withFour();
    four.table.before = (operation, key) => {
      if (operation === "querySlots" && key === "scope#sales#9") throw new Error("the instance is gone");
    };
    await expect(four.revoke({ all: true })).rejects.toThrow();
    four.table.before = undefined;
    const { pending } = await four.revoke({ all: true });
    expect(pending).toBe(0);
    expect(four.looker.live.size).toBe(0);
    expect(await four.control()).toMatchObject({ epoch: 2, job: undefined });
  });
});

describe("freeze", () => {
  it("ends everything and serves nothing until unfrozen, and then with new tokens only", async () => {
    const four = await withFour();
    expect(await four.freeze()).toEqual({ matched: 4, revoked: 4, pending: 0 });
    for (const key of four.keys) expect((await four.ask({ key })).code).toBe("scope_frozen");
    expect(four.looker.logins()).toBe(4);
    await four.unfreeze();
    const token = await four.issue({ key: four.keys[0] });
    expect(token.accessToken).not.toBe(four.a.accessToken);
  });

  it("stands when everything after its one write fails", async () => {
    const four = await withFour();
    four.table.before = (operation) => {
      if (operation === "querySlots") throw new Unavailable("dynamodb");
    };
    const { revoked, pending } = await four.freeze();
    expect([revoked, pending >= 1]).toEqual([0, true]);
    four.table.before = undefined;
    expect((await four.ask({ key: four.keys[0] })).code).toBe("scope_frozen");
    await sweepNow(four.broker);
    expect(four.looker.live.size).toBe(0);
  });

  it("repeated takes the later word and raises the epoch again", async () => {
    const all = setUp();
    await all.freeze("first");
    all.clock.jump(minutes);
    await all.freeze("second");
    expect(await all.control()).toMatchObject({ epoch: 2, frozen: { reason: "second", by: operator } });
    await all.unfreeze();
    expect((await all.control()).frozen).toBeUndefined();
  });

  it("is not undone by ending everything", async () => {
    const all = setUp();
    await all.freeze();
    await all.revoke({ all: true });
    expect(await all.control()).toMatchObject({ epoch: 2, frozen: { reason: "incident 7" } });
  });

  it("undone, leaves a job under way to go on", async () => {
    const four = await withFour();
    four.table.before = (operation) => {
      if (operation === "querySlots") throw new Unavailable("dynamodb");
    };
    await four.freeze();
    four.table.before = undefined;
    await four.unfreeze();
    expect((await four.control()).job).toBeDefined();
    expect((await four.issue({ key: four.keys[0] })).accessToken).not.toBe(four.a.accessToken);
    await sweepNow(four.broker);
    expect(four.live()).toEqual([false, false, false, false]);
  });

  it("undone where there is none writes nothing", async () => {
    const all = setUp();
    await all.unfreeze();
    expect(all.table.items.size).toBe(0);
  });
});
