import { describe, expect, it } from "vitest";
import { sessionBudgetKey, slotKey } from "../../../functions/adapters/rows.ts";
import { newSessionBudget, type SessionBudget } from "../../../functions/domain/session-budget.ts";
import { type CallerKey, sealIdentity } from "../../../functions/use-cases/ports.ts";
import { someLease } from "./rows.ts";
import { type Context, slotOf, someKey, storedBy } from "./table-under-test.ts";

/** One caller's own slots, and the budget of its sessions. */
export function ownSlots(context: Context): void {
  const { clock, made } = context;
  const table = () => made().table;
  const write = (key: ReturnType<typeof someKey> & { session?: string }) =>
    table().slots.write(key, slotOf(key.callerArn), 0);

  async function allOwn(caller: CallerKey) {
    const keys: unknown[] = [];
    let unreadable = 0;
    let after: string | undefined;
    do {
      const page = await table().queryOwnSlots(caller, after);
      keys.push(...page.entries.map(({ key }) => key.session));
      unreadable += page.unreadable;
      after = page.next;
    } while (after !== undefined);
    return { keys, unreadable };
  }

  describe("a caller's own slots", () => {
    it("are the shared one and those of its sessions, in the order of their names", async () => {
      const key = someKey();
      const names = ["z", "A", "a.b", "a-b", "a_b", "0", "zzz", "x".repeat(64)];
      await write(key);
      for (const session of names) await write({ ...key, session });
      expect(await allOwn(key)).toEqual({ keys: [undefined, ...names.toSorted()], unreadable: 0 });
    });

    it("are none where there is no row", async () => {
      expect(await allOwn(someKey())).toEqual({ keys: [], unreadable: 0 });
    });

    it("are nobody else's: not of an id with the same beginning, nor of another account or scope", async () => {
      const key = someKey();
      const pk = slotKey(key).pk;
      await write({ ...key, session: "own" });
      const others = [`${key.uniqueId}0`, `${key.uniqueId}Z`, key.uniqueId.slice(0, -1)].flatMap(
        (uniqueId) => [`caller#${key.account}#${uniqueId}`, `caller#${key.account}#${uniqueId}#session#own`],
      );
      const elsewhere = `caller#${key.account.replace("1", "2")}#${key.uniqueId}`;
      // Also where their hash has put them into the same partition.
      for (const sk of [...others, elsewhere, `sessions#${key.account}#${key.uniqueId}`])
        await made().put({ ...slotOf(key.callerArn), schema: 1, pk, sk });
      await write({ ...key, scope: "another" });
      expect(await allOwn(key)).toEqual({ keys: ["own"], unreadable: 0 });
    });

    it("are counted if they cannot be read, and hide no other slot", async () => {
      const key = someKey();
      await write({ ...key, session: "a" });
      await write({ ...key, session: "c" });
      const { pk, sk } = slotKey({ ...key, session: "b" });
      await made().put({ pk, sk, schema: 99 });
      await made().put({ pk, sk: `${sk}#session#x`, schema: 1 });
      expect(await allOwn(key)).toEqual({ keys: ["a", "c"], unreadable: 2 });
    });

    it("are found by the sweeper by their own key", async () => {
      const key = { ...someKey(), session: "job" };
      const lease = someLease("a", clock.now());
      await table().slots.write(key, slotOf(key.callerArn, { lease }), 0);
      const item = await storedBy(context)(key);
      expect(item).toMatchObject({
        due_shard: expect.stringMatching(/^due#[0-7]$/),
        due_at: expect.any(Number),
      });
      expect(item.pk).toBe(slotKey({ ...key, session: undefined }).pk);
    });
  });

  describe("a session's token", () => {
    it("is sealed for this session alone", () => {
      const key = someKey();
      const token = { leaseId: "l", baseUrl: "https://looker.example", clientId: "c" };
      const sessions = [undefined, "a", "b"].map(
        (session) => sealIdentity({ ...key, session }, token).session,
      );
      expect(sessions).toEqual(["-", "a", "b"]);
    });
  });

  describe("the budget of a caller's sessions", () => {
    const budget: SessionBudget = {
      version: 1,
      writeId: "w1",
      minutes: { "28333333": 2, "28333334": 60 },
      failures: [{ digest: "d", code: "looker_unavailable", detail: "x", at: 1, until: 2, count: 3 }],
      probes: { d: 5 },
      settled: ["owner-1"],
    };

    it("is one row of the caller, in the partition of its slots, and is kept as it is", async () => {
      const key = { ...someKey(), session: "any" };
      expect(await table().sessionBudgets.read(key)).toEqual(newSessionBudget);
      expect(await table().sessionBudgets.write(key, budget, 0)).toBe(true);
      expect(await table().sessionBudgets.read({ ...key, session: "other" } as CallerKey)).toEqual(budget);
      expect(sessionBudgetKey(key).pk).toBe(slotKey(key).pk);
    });

    it("is written on its version, expires after a day, and is nothing for the sweeper", async () => {
      const key = someKey();
      await table().sessionBudgets.write(key, budget, 0);
      expect(await table().sessionBudgets.write(key, budget, 0)).toBe(false);
      const item = await made().get(sessionBudgetKey(key));
      expect(item?.ttl).toBe(Math.ceil(clock.now() / 1_000) + 86_400);
      expect(item).not.toHaveProperty("due_at");
    });
  });
}
