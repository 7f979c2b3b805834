import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scopeControlKey, secretControlKey, slotKey } from "../../../functions/adapters/rows.ts";
import { newSecretControl } from "../../../functions/domain/control.ts";
import type { Slot } from "../../../functions/domain/slot.ts";
import { itemBytes } from "./item-bytes.ts";
import { anySlot, fullSlot, someLease, someOutboxToken, someToken } from "./rows.ts";
import { type Context, control, slotOf, someKey, storedBy } from "./table-under-test.ts";

/** What other readers of the table rely on: its partitions, the sweeper's index, DynamoDB's TTL and its limits. */
export function storedAttributes(context: Context): void {
  const { clock, made } = context;
  const table = () => made().table;
  const stored = storedBy(context);
  describe("stored attributes", () => {
    it("spread a scope's slots over 16 partitions, evenly, and name the caller", async () => {
      const sizes = new Map<string, number>();
      for (let index = 0; index < 800; index++) {
        const { pk } = slotKey(someKey());
        sizes.set(pk, (sizes.get(pk) ?? 0) + 1);
      }
      const partitions = Array.from({ length: 16 }, (_, partition) => `scope#sales#${partition}`);
      expect([...sizes.keys()].sort()).toEqual(partitions.sort());
      expect(Math.max(...sizes.values())).toBeLessThan(100);
      const key = someKey();
      await table().slots.write(key, slotOf(key.callerArn), 0);
      expect(await stored(key)).toMatchObject({ schema: 1, sk: `caller#${key.account}#${key.uniqueId}` });
    });

    it.each<[what: string, due: number | undefined, slot: (now: number) => Partial<Slot>]>([
      ["nothing", undefined, () => ({})],
      [
        "only a failure and a budget",
        undefined,
        (now) => ({
          failure: { code: "busy", at: now, until: now + 1_000, count: 1 },
          mintedAt: [now],
        }),
      ],
      ["a lease", 900, (now) => ({ lease: someLease("a", now) })],
      ["a superseded token", 900, (now) => ({ superseded: [someToken("a", now)] })],
      ["an outbox", 0, (now) => ({ outbox: [someOutboxToken("a", now)], lease: someLease("b", now) })],
      ["a lock", 20, (now) => ({ mint: { owner: "o", since: now, until: now + 15_000, doomed: false } })],
    ])("with %s are due after %o seconds", async (_, seconds, slot) => {
      const key = someKey();
      const now = clock.now();
      await table().slots.write(key, slotOf(key.callerArn, slot(now)), 0);
      const { due_shard, due_at } = await stored(key);
      expect(due_at).toBe(seconds === undefined ? undefined : now / 1_000 + seconds);
      expect(due_shard).toEqual(seconds === undefined ? undefined : expect.stringMatching(/^due#[0-7]$/));
    });

    it("of a scope's control are due while there is a job, and never expire", async () => {
      const job = { epoch: 3, at: clock.now(), nextPartition: 0 };
      await table().scopeControls.write("due", { ...control, job }, 0);
      const item = await made().get(scopeControlKey("due"));
      expect(item).toMatchObject({ due_shard: expect.any(String), due_at: job.at / 1_000 });
      expect(item).not.toHaveProperty("ttl");
      await table().scopeControls.write("due", { ...control, version: 2 }, 1);
      const after = await made().get(scopeControlKey("due"));
      expect(Object.keys(after ?? {}).filter((each) => /due|ttl/.test(each))).toEqual([]);
    });

    it("let no slot expire within a day after the last Looker expiry in it, nor an empty one within a day", async () => {
      await fc.assert(
        fc.asyncProperty(anySlot, async (slot) => {
          const key = someKey();
          await table().slots.write(key, slot, 0);
          const tokens = [...(slot.lease ? [slot.lease] : []), ...slot.superseded, ...slot.outbox];
          const last = Math.max(clock.now(), ...tokens.map(({ lookerEndsAt }) => lookerEndsAt));
          expect(Number((await stored(key)).ttl) * 1_000).toBeGreaterThanOrEqual(last + 86_400_000);
          expect(Number.isInteger((await stored(key)).ttl)).toBe(true);
        }),
        { numRuns: 20 },
      );
    });

    it("of a full slot stay under 8 KB as DynamoDB counts", async () => {
      const key = someKey("a-scope-with-quite-a-long-name");
      const slot = fullSlot(key.callerArn, clock.now());
      await table().slots.write(key, slot, 0);
      expect(await table().slots.read(key)).toEqual(slot);
      expect(itemBytes(await stored(key))).toBeLessThan(8_192);
    });

    it("of a secret's control are under its id, and never expire", async () => {
      await table().secretControls.write(
        "looker/sales",
        { ...newSecretControl, version: 1, writeId: "w" },
        0,
      );
      const item = await made().get(secretControlKey("looker/sales"));
      expect(item).toMatchObject({ pk: "secret#looker/sales", sk: "#control", schema: 1 });
      expect(item).not.toHaveProperty("ttl");
    });
  });
}
