import type { ItemKey } from "../../../functions/adapters/row-values.ts";
import { slotTableContract } from "../../support/contracts/slot-table.ts";
import { memorySlotTable, nameOf } from "../../support/fakes/memory-slot-table.ts";

slotTableContract("the fake in memory", async (clock) => {
  const table = memorySlotTable(clock);
  return {
    table,
    get: async (key) => structuredClone(table.items.get(nameOf(key))),
    put: async (item) => void table.items.set(nameOf(item as ItemKey), item),
    calls: () => table.calls.length,
    close: async () => {},
  };
});
