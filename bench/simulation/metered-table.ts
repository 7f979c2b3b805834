/** Counts a table's request units. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html */
import type { Item } from "../../functions/adapters/row-values.ts";
import { scopeControlKey } from "../../functions/adapters/rows.ts";
import { itemBytes } from "../../test/support/contracts/item-bytes.ts";
import { type MemorySlotTable, nameOf } from "../../test/support/fakes/memory-slot-table.ts";

export interface TableUnits {
  read: number;
  write: number;
}

/** Leaves out the sweeper's queries of the index. They are four units a minute under any load. */
export function metered(table: MemorySlotTable): TableUnits {
  const units: TableUnits = { read: 0, write: 0 };
  const before = table.before;
  const replaced = new Map<string, Item | undefined>();
  const readUnits = (name: string) => Math.max(1, Math.ceil(itemBytes(table.items.get(name) ?? {}) / 4_096));
  table.before = async (operation, key) => {
    await before?.(operation, key);
    if (operation === "read") units.read += readUnits(key);
    if (operation === "readForIssue")
      units.read += readUnits(key) + readUnits(nameOf(scopeControlKey("sales")));
    if (operation === "readControls") units.read += 2;
    if (operation === "write") replaced.set(key, table.items.get(key));
  };
  table.after = (operation, key) => {
    if (operation !== "write") return;
    const [old, stored] = [replaced.get(key) ?? {}, table.items.get(key) ?? {}];
    units.write += Math.ceil(Math.max(itemBytes(old), itemBytes(stored)) / 1_024) + indexUnits(old, stored);
  };
  return units;
}

/** An entry of the index is written, deleted, or one and then the other: its key cannot change. */
function indexUnits(old: Item, stored: Item): number {
  const entry = ({ due_shard, due_at }: Item) =>
    due_at === undefined ? undefined : `${due_shard} ${due_at}`;
  const [before, after] = [entry(old), entry(stored)];
  if (before === after) return 0;
  return (before === undefined ? 0 : 1) + (after === undefined ? 0 : 1);
}
