/** What every slot table must do, whatever its engine. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { slotKey } from "../../../functions/adapters/rows.ts";
import { newScopeControl, newSecretControl, type Versioned } from "../../../functions/domain/control.ts";
import { emptySlot } from "../../../functions/domain/slot.ts";
import type { Rows, SlotTable } from "../../../functions/use-cases/ports.ts";
import { virtualClock } from "../fakes/virtual-clock.ts";
import { ownSlots } from "./own-slots.ts";
import { anyScopeControl, anySecretControl, anySlot, someLease } from "./rows.ts";
import { commits } from "./slot-table-commit.ts";
import { storedAttributes } from "./slot-table-items.ts";
import { unreadableRows } from "./slot-table-refusals.ts";
import {
  type Context,
  control,
  freshName,
  type MakeTable,
  slotOf,
  someKey,
  storedBy,
  type TableUnderTest,
} from "./table-under-test.ts";

export function slotTableContract(name: string, makeTable: MakeTable): void {
  describe(`${name}, as a slot table`, () => {
    const clock = virtualClock();
    let made: TableUnderTest;
    let table: SlotTable;
    beforeAll(async () => {
      made = await makeTable(clock);
      table = made.table;
    }, 30_000);
    afterAll(() => made?.close());

    const context: Context = { clock, made: () => made };
    const stored = storedBy(context);

    describe("conditional writes", () => {
      it("create a row once, and leave it as it is when tried again", async () => {
        const key = someKey();
        expect(await table.slots.write(key, slotOf(key.callerArn), 0)).toBe(true);
        expect(await table.slots.write(key, slotOf(key.callerArn, { writeId: "w2" }), 0)).toBe(false);
        expect(await table.slots.read(key)).toMatchObject({ version: 1, writeId: "w1" });
      });

      it("replace the row of the expected version, and no attribute of the old image stays", async () => {
        const key = someKey();
        const first = slotOf(key.callerArn, { lease: someLease("a", clock.now()) });
        await table.slots.write(key, first, 0);
        expect(await table.slots.write(key, slotOf(key.callerArn, { version: 2, writeId: "w2" }), 1)).toBe(
          true,
        );
        expect(await table.slots.read(key)).toEqual(slotOf(key.callerArn, { version: 2, writeId: "w2" }));
        expect(await stored(key)).not.toHaveProperty("lease");
      });

      it.each([0, 2, 4])("fail on version 3 when %i is expected, and write nothing", async (expected) => {
        const key = someKey();
        for (const version of [1, 2, 3])
          await table.slots.write(key, slotOf(key.callerArn, { version }), version - 1);
        const attempt = slotOf(key.callerArn, { version: expected + 1, writeId: "late" });
        expect(await table.slots.write(key, attempt, expected)).toBe(false);
        expect(await table.slots.read(key)).toMatchObject({ version: 3, writeId: "w1" });
      });

      it("fail where a version is expected and there is no row", async () => {
        const key = someKey();
        expect(await table.slots.write(key, slotOf(key.callerArn, { version: 8 }), 7)).toBe(false);
        expect(await made.get(slotKey(key))).toBeUndefined();
      });

      it.each([
        ["create", 0],
        ["replace", 1],
      ])("let exactly one of many concurrent writers %s", async (_, expected) => {
        const key = someKey();
        if (expected === 1) await table.slots.write(key, slotOf(key.callerArn), 0);
        const writers = Array.from({ length: 8 }, (__, index) => `writer${index}`);
        const won = await Promise.all(
          writers.map((writeId) =>
            table.slots.write(key, slotOf(key.callerArn, { version: expected + 1, writeId }), expected),
          ),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        expect((await table.slots.read(key)).writeId).toBe(writers[won.indexOf(true)]);
      });

      it.each<[string, (table: SlotTable) => Rows<string, Versioned>, Versioned]>([
        ["scope", ({ scopeControls }) => scopeControls as Rows<string, Versioned>, control],
        [
          "secret",
          ({ secretControls }) => secretControls as Rows<string, Versioned>,
          { ...newSecretControl, version: 1, writeId: "w1" },
        ],
      ])("hold for a %s's control item as well", async (kind, rowsOf, row) => {
        const rows = rowsOf(table);
        const id = `conditional-${kind}`;
        expect(await rows.write(id, row, 0)).toBe(true);
        expect(await rows.write(id, row, 0)).toBe(false);
        expect(await rows.write(id, { ...row, version: 3 }, 2)).toBe(false);
        expect(await rows.write(id, { ...row, version: 2, writeId: "w2" }, 1)).toBe(true);
        expect(await rows.read(id)).toMatchObject({ version: 2, writeId: "w2" });
      });
    });

    describe("reads", () => {
      it("give an empty row of version 0 where there is none", async () => {
        const key = someKey("nothing");
        expect(await table.slots.read(key)).toEqual(emptySlot);
        expect(await table.scopeControls.read("nothing")).toEqual(newScopeControl);
        expect(await table.secretControls.read("nothing")).toEqual(newSecretControl);
        expect(await table.readForIssue(key)).toEqual({
          slot: emptySlot,
          control: newScopeControl,
        });
        expect(await table.readControls("nothing", "nothing")).toEqual({
          control: newScopeControl,
          secretControl: newSecretControl,
        });
      });

      it("see each write at once, by either way of reading", async () => {
        const key = someKey();
        for (let version = 1; version <= 20; version++) {
          await table.slots.write(key, slotOf(key.callerArn, { version }), version - 1);
          expect((await table.slots.read(key)).version).toBe(version);
          expect((await table.readForIssue(key)).slot.version).toBe(version);
        }
      });

      it("for issue give the slot and its scope's control, in one call", async () => {
        const key = someKey("one-call");
        await table.slots.write(key, slotOf(key.callerArn), 0);
        await table.slots.write(someKey("one-call"), slotOf("arn:aws:iam::1:role/other"), 0);
        await table.scopeControls.write("one-call", control, 0);
        await table.scopeControls.write("one-call-too", { ...control, epoch: 99 }, 0);
        const before = made.calls();
        expect(await table.readForIssue(key)).toEqual({ slot: slotOf(key.callerArn), control });
        expect(made.calls() - before).toBe(1);
      });

      it("of both controls are one call, and each gets its own", async () => {
        const throttles = [{ baseUrl: "https://a.looker.example", until: 5 }];
        const secretControl = { ...newSecretControl, version: 1, writeId: "w1", throttles };
        await table.scopeControls.write("both", control, 0);
        await table.secretControls.write("both", secretControl, 0);
        const before = made.calls();
        expect(await table.readControls("both", "both")).toEqual({ control, secretControl });
        expect(made.calls() - before).toBe(1);
      });
    });

    describe("a round trip", () => {
      it("keeps every field of any slot, by either way of reading", async () => {
        await fc.assert(
          fc.asyncProperty(anySlot, async (slot) => {
            const key = someKey();
            expect(await table.slots.write(key, slot, 0)).toBe(true);
            expect(await table.slots.read(key)).toEqual(slot);
            expect((await table.readForIssue(key)).slot).toEqual(slot);
          }),
          { numRuns: 60 },
        );
      });

      it("keeps every field of any control item", async () => {
        await fc.assert(
          fc.asyncProperty(anyScopeControl, anySecretControl, async (scopeControl, secretControl) => {
            const id = freshName();
            await table.scopeControls.write(id, scopeControl, 0);
            await table.secretControls.write(id, secretControl, 0);
            expect(await table.scopeControls.read(id)).toEqual(scopeControl);
            expect(await table.secretControls.read(id)).toEqual(secretControl);
            expect(await table.readControls(id, id)).toEqual({ control: scopeControl, secretControl });
          }),
          { numRuns: 40 },
        );
      });
    });

    storedAttributes(context);
    ownSlots(context);
    unreadableRows(context);
    commits(context);
  });
}
