/** The table in memory, with DynamoDB's conditional semantics; rows go through the real codec and are copied both ways. */
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import {
  type Item,
  type ItemKey,
  readScopeControl,
  readSecretControl,
  readSlot,
  scopeControlItem,
  scopeControlKey,
  secretControlItem,
  secretControlKey,
  slotItem,
  slotKey,
  slotPartitions,
} from "../../../functions/adapters/rows.ts";
import { newScopeControl, newSecretControl, type Versioned } from "../../../functions/domain/control.ts";
import { emptySlot } from "../../../functions/domain/slot.ts";
import {
  type BrokerTable,
  type Clock,
  type DueRow,
  type Rows,
  type SlotKey,
  type SlotPage,
  Unreadable,
} from "../../../functions/use-cases/ports.ts";

export type TableOperation = "read" | "write" | "readForIssue" | "readControls" | "querySlots" | "queryDue";

/** May throw (`Unavailable`: the answer is lost before or after the effect) or wait. `key` is `pk sk`. */
export type TableHook = (operation: TableOperation, key: string) => void | Promise<void>;

export interface MemorySlotTable extends BrokerTable {
  /** By `pk sk`: to look at, to edit, to swap. */
  readonly items: Map<string, Item>;
  /** Every call that was made, whatever became of it. */
  readonly calls: { operation: TableOperation; key: string }[];
  before: TableHook | undefined;
  after: TableHook | undefined;
}

export const nameOf = ({ pk, sk }: ItemKey): string => `${pk} ${sk}`;

export function memorySlotTable(clock: Pick<Clock, "now">): MemorySlotTable {
  const items = new Map<string, Item>();
  const find = (key: ItemKey) => structuredClone(items.get(nameOf(key)));

  async function call<T>(operation: TableOperation, key: string, effect: () => T): Promise<T> {
    table.calls.push({ operation, key });
    await table.before?.(operation, key);
    const result = effect();
    await table.after?.(operation, key);
    return result;
  }

  const rows = <Key, Row extends Versioned>(
    keyOf: (key: Key) => ItemKey,
    parse: (item: Item) => Row,
    itemOf: (key: Key, row: Row) => Item,
    fresh: (key: Key) => Row,
  ): Rows<Key, Row> => ({
    read: (key) =>
      call("read", nameOf(keyOf(key)), () => {
        const item = find(keyOf(key));
        return item ? parse(item) : fresh(key);
      }),
    write: (key, row, expectedVersion) => {
      const name = nameOf(keyOf(key));
      // Marshalled at once: what the caller does to its row afterwards changes nothing.
      const item = unmarshall(marshall(itemOf(key, row), { removeUndefinedValues: true }));
      return call("write", name, () => {
        const stored = items.get(name);
        if (expectedVersion === 0 ? stored : stored?.version !== expectedVersion) return false;
        items.set(name, item);
        return true;
      });
    },
  });

  const parsed = <Row>(key: ItemKey, parse: (item: Item) => Row, fresh: Row): Row => {
    const item = find(key);
    return item ? parse(item) : fresh;
  };

  const table: MemorySlotTable = {
    items,
    calls: [],
    before: undefined,
    after: undefined,
    slotPartitions,
    slots: rows(
      slotKey,
      readSlot,
      (key, slot) => slotItem(key, slot, clock.now()),
      (key: SlotKey & { readonly callerArn: string }) => emptySlot(key.callerArn),
    ),
    scopeControls: rows(scopeControlKey, readScopeControl, scopeControlItem, () => newScopeControl),
    secretControls: rows(secretControlKey, readSecretControl, secretControlItem, () => newSecretControl),
    readForIssue: (key) =>
      call("readForIssue", nameOf(slotKey(key)), () => ({
        slot: parsed(slotKey(key), readSlot, emptySlot(key.callerArn)),
        control: parsed(scopeControlKey(key.scope), readScopeControl, newScopeControl),
      })),
    readControls: (scope, secretId) =>
      call("readControls", nameOf(scopeControlKey(scope)), () => ({
        control: parsed(scopeControlKey(scope), readScopeControl, newScopeControl),
        secretControl: parsed(secretControlKey(secretId), readSecretControl, newSecretControl),
      })),
    querySlots: (scope, partition, { account = "", after = "", limit = 1_000 } = {}) =>
      call("querySlots", `scope#${scope}#${partition}`, () => {
        const prefix = account === "" ? "caller#" : `caller#${account}#`;
        const found = [...items.values()]
          .filter((item) => item.pk === `scope#${scope}#${partition}`)
          .filter((item) => String(item.sk).startsWith(prefix) && String(item.sk) > after)
          .sort((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1));
        const page = found.slice(0, limit);
        const entries = page.flatMap((item) => entryOf(scope, item) ?? []);
        return {
          entries,
          unreadable: page.length - entries.length,
          next: found.length > limit ? String(page.at(-1)?.sk) : undefined,
        };
      }),
    queryDue: (now) =>
      call("queryDue", "due", () =>
        [...items.values()]
          .filter((item) => item.due_shard !== undefined && Number(item.due_at) * 1_000 <= now)
          .sort((a, b) => Number(a.due_at) - Number(b.due_at))
          .map(dueRow),
      ),
  };
  return table;
}

function entryOf(scope: string, item: Item): SlotPage["entries"][number] | undefined {
  try {
    const slot = readSlot(structuredClone(item));
    const [, account = "", uniqueId = ""] = String(item.sk).split("#");
    return { key: { scope, account, uniqueId, callerArn: slot.callerArn }, slot };
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

function dueRow({ pk, sk, due_at }: Item): DueRow {
  const [, scope = ""] = String(pk).split("#");
  const [kind, account = "", uniqueId = ""] = String(sk).split("#");
  const dueAt = Number(due_at) * 1_000;
  return kind === "caller"
    ? { kind: "slot", key: { scope, account, uniqueId }, dueAt }
    : { kind: "scope", scope, dueAt };
}
