import { commit } from "../../../functions/use-cases/commit.ts";
import { type Rows, Unavailable } from "../../../functions/use-cases/ports.ts";
import { countingIds } from "./counting-ids.ts";
import { virtualClock } from "./virtual-clock.ts";

interface Counter {
  version: number;
  writeId?: string | undefined;
  sum: number;
  /** Who added. */
  added: readonly string[];
}

export const lost = () => new Unavailable("dynamodb");
export type Fault = "before" | "after" | "overtaken" | "refused" | undefined;

/** One row whose writes can be lost before or after they took effect, or overtaken by another's. */
export function faultyRow(faults: Fault[]) {
  const clock = virtualClock();
  const ids = countingIds();
  const state = {
    row: { version: 0, sum: 0, added: [] } as Counter,
    writes: [] as Counter[],
    reads: 0,
    others: 0,
  };
  const store = (row: Counter) => {
    state.row = structuredClone(row);
  };
  const rows: Rows<string, Counter> = {
    async read() {
      state.reads++;
      return structuredClone(state.row);
    },
    async write(_, row, expectedVersion) {
      state.writes.push(structuredClone(row));
      const fault = faults.shift();
      if (fault === "before") throw lost();
      if (fault === "refused") throw new Error("ValidationException");
      if (fault === "overtaken") {
        state.others++;
        const { version, sum, added } = state.row;
        store({
          version: version + 1,
          writeId: `other-${version}`,
          sum: sum + 100,
          added: [...added, "other"],
        });
      }
      if (state.row.version !== expectedVersion) return false;
      store(row);
      if (fault === "after") throw lost();
      return true;
    },
  };
  const add = (options: { start?: Counter; deadline?: number; mustLand?: boolean } = {}) =>
    commit(
      rows,
      "row",
      (row, at) => ({
        next: { ...row, sum: row.sum + 1, added: [...row.added, "me"] },
        outcome: { sum: row.sum + 1, at },
      }),
      { clock, ids, deadline: clock.now() + 60_000, ...options },
    );
  return { clock, state, rows, add, faults };
}
