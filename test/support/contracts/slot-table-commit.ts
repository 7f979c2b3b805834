import { describe, expect, it } from "vitest";
import type { Versioned } from "../../../functions/domain/control.ts";
import type { Slot, Step } from "../../../functions/domain/slot.ts";
import { commit } from "../../../functions/use-cases/commit.ts";
import { type Rows, Unavailable } from "../../../functions/use-cases/ports.ts";
import { countingIds } from "../fakes/counting-ids.ts";
import { type Context, slotOf, someKey } from "./table-under-test.ts";

/** Rows whose next writes lose their answer, after the effect or before it. */
function losing<Key, Row extends Versioned>(
  rows: Rows<Key, Row>,
  losses: ("after" | "before" | "none")[],
): Rows<Key, Row> {
  return {
    read: rows.read,
    async write(key, row, expectedVersion) {
      const loss = losses.shift() ?? "none";
      const done = loss === "before" ? false : await rows.write(key, row, expectedVersion);
      if (loss !== "none") throw new Unavailable("dynamodb");
      return done;
    },
  };
}

/** `mintedAt` as a counter: what was applied twice, or not at all, shows. */
const add = (slot: Slot): Step<Slot, number> => ({
  next: { ...slot, mintedAt: [...slot.mintedAt, slot.mintedAt.length] },
  outcome: slot.mintedAt.length,
});

/** commit() over this very table: its condition, its consistency, its idea of what was written. */
export function commits({ clock, made }: Context): void {
  const options = (prefix: string) => ({ clock, ids: countingIds(prefix), deadline: clock.now() + 60_000 });
  const slots = () => made().table.slots;

  describe("commit", () => {
    it("applies five concurrent transitions once each", async () => {
      const key = someKey();
      const outcomes = await Promise.all(
        ["a", "b", "c", "d", "e"].map((name) => commit(slots(), key, add, options(name))),
      );
      expect(outcomes.sort()).toEqual([0, 1, 2, 3, 4]);
      expect(await slots().read(key)).toMatchObject({ version: 5, mintedAt: [0, 1, 2, 3, 4] });
    });

    it.each<[string, ("after" | "before")[]]>([
      ["that was done", ["after"]],
      ["that was not done", ["before"]],
      ["that was not done, and of the next, that was", ["before", "after"]],
      ["that was done, and of none thereafter", ["after", "after"]],
    ])("applies a transition once when the answer is lost of a write %s", async (_, losses) => {
      const key = someKey();
      await slots().write(key, slotOf(key.callerArn), 0);
      expect(await commit(losing(slots(), losses), key, add, options("lost"))).toBe(0);
      expect(await slots().read(key)).toMatchObject({ version: 2, mintedAt: [0] });
    });

    it("applies each of two transitions once when one loses its answer and the other writes in between", async () => {
      const key = someKey();
      await slots().write(key, slotOf(key.callerArn), 0);
      const rows = losing(slots(), ["before"]);
      const overtaken: Rows<typeof key, Slot> = {
        read: async (name) => {
          const row = await rows.read(name);
          if (row.version === 1) await commit(slots(), key, add, options("other"));
          return row;
        },
        write: rows.write,
      };
      expect(await commit(overtaken, key, add, options("mine"))).toBe(1);
      expect(await slots().read(key)).toMatchObject({ version: 3, mintedAt: [0, 1] });
    });

    it("leaves the row to whoever wrote it, when every answer stays away and nothing is done", async () => {
      const key = someKey();
      const never = losing(
        slots(),
        Array.from({ length: 20 }, () => "before" as const),
      );
      await expect(commit(never, key, add, options("never"))).rejects.toBeInstanceOf(Unavailable);
      expect((await slots().read(key)).version).toBe(0);
    });
  });
}
