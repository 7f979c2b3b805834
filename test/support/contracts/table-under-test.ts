/** What the contract suites need of an engine, and the rows that they begin with. */
import { expect } from "vitest";
import type { Item, ItemKey } from "../../../functions/adapters/row-values.ts";
import { slotKey } from "../../../functions/adapters/rows.ts";
import type { ScopeControl } from "../../../functions/domain/control.ts";
import { emptySlot, type Slot } from "../../../functions/domain/slot.ts";
import type { SlotKey, SlotTable } from "../../../functions/use-cases/ports.ts";
import type { VirtualClock } from "../fakes/virtual-clock.ts";

export interface TableUnderTest {
  readonly table: SlotTable;
  /** Past the table: to look at what is stored, and to tamper with it. */
  get(key: ItemKey): Promise<Item | undefined>;
  put(item: Item): Promise<void>;
  /** Calls made to the engine through `table` so far. */
  calls(): number;
  close(): Promise<void>;
}

export type MakeTable = (clock: VirtualClock) => Promise<TableUnderTest>;

export interface Context {
  readonly clock: VirtualClock;
  readonly made: () => TableUnderTest;
}

const account = "123456789012";
let callers = 0;
export const freshName = () => `fresh-${++callers}`;

/** A fresh one, so that no test meets another's row. */
export function someKey(scope = "sales") {
  const uniqueId = `AROA${String(++callers).padStart(17, "0")}`;
  return { scope, account, uniqueId, callerArn: `arn:aws:iam::${account}:role/job-${callers}` };
}

export const slotOf = (callerArn: string, more: Partial<Slot> = {}): Slot => ({
  ...emptySlot,
  names: [callerArn],
  version: 1,
  writeId: "w1",
  ...more,
});

export const control: ScopeControl = { version: 1, writeId: "w1", epoch: 3 };

/** A slot's item as it is stored. */
export const storedBy =
  ({ made }: Context) =>
  async (key: SlotKey): Promise<Item> =>
    (await made().get(slotKey(key))) ?? expect.fail("no such row");
