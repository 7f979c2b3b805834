/** The table in memory, with DynamoDB's conditional semantics. Rows go through the real codec and are copied both ways. */
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import {
  accountCheckItem,
  accountCheckKey,
  readAccountCheck,
} from "../../../functions/adapters/account-row.ts";
import type { Item, ItemKey } from "../../../functions/adapters/row-values.ts";
import {
  ownSlotKeys,
  readScopeControl,
  readSecretControl,
  readSessionBudget,
  readSlot,
  readSlotKey,
  scopeControlItem,
  scopeControlKey,
  secretControlItem,
  secretControlKey,
  sessionBudgetItem,
  sessionBudgetKey,
  slotItem,
  slotKey,
  slotPartitions,
} from "../../../functions/adapters/rows.ts";
import { newAccountCheck } from "../../../functions/domain/account-check.ts";
import { newScopeControl, newSecretControl, type Versioned } from "../../../functions/domain/control.ts";
import { newSessionBudget } from "../../../functions/domain/session-budget.ts";
import { emptySlot } from "../../../functions/domain/slot.ts";
import {
  type BrokerTable,
  type Clock,
  type DueRow,
  type KeyedSlot,
  type Rows,
  type SlotPage,
  Unreadable,
} from "../../../functions/use-cases/ports.ts";

export type TableOperation =
  | "read"
  | "write"
  | "readForIssue"
  | "readControls"
  | "querySlots"
  | "queryOwnSlots"
  | "queryDue";

/** May throw (`Unavailable`: the answer is lost before or after the effect) or wait. `key` is `pk sk`. */
export type TableHook = (operation: TableOperation, key: string) => void | Promise<void>;

export interface MemorySlotTable extends BrokerTable {
  /** By `pk sk`: to look at, to edit, to swap. */
  readonly items: Map<string, Item>;
  /** Every call, also the failed ones. */
  readonly calls: { operation: TableOperation; key: string }[];
  before: TableHook | undefined;
  after: TableHook | undefined;
}

/** The index is read page by page. DynamoDB's pages hold about 5,000 keys. */
const duePageRows = 100;
/** A caller's own rows are read page by page too. DynamoDB's pages are of 1 MB. */
const ownPageRows = 10;

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
      // Marshalled at once, so the caller's later changes of its row have no effect.
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

  const rowsOf = (pk: string): Item[] =>
    [...items.values()]
      .filter((item) => item.pk === pk)
      .sort((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1));

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
      () => emptySlot,
    ),
    scopeControls: rows(scopeControlKey, readScopeControl, scopeControlItem, () => newScopeControl),
    secretControls: rows(secretControlKey, readSecretControl, secretControlItem, () => newSecretControl),
    sessionBudgets: rows(
      sessionBudgetKey,
      readSessionBudget,
      (caller, row) => sessionBudgetItem(caller, row, clock.now()),
      () => newSessionBudget,
    ),
    accountChecks: rows(accountCheckKey, readAccountCheck, accountCheckItem, () => newAccountCheck),
    readForIssue: (key) =>
      call("readForIssue", nameOf(slotKey(key)), () => ({
        slot: parsed(slotKey(key), readSlot, emptySlot),
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
        return pageOf(
          scope,
          rowsOf(`scope#${scope}#${partition}`).filter(
            ({ sk }) => String(sk).startsWith(prefix) && String(sk) > after,
          ),
          limit,
        );
      }),
    queryOwnSlots: (caller, after = "") =>
      call("queryOwnSlots", nameOf(slotKey(caller)), () => {
        const { pk, from, to } = ownSlotKeys(caller);
        const isOwn = (sk: string) => sk >= from && sk <= to && sk > after;
        return pageOf(
          caller.scope,
          rowsOf(pk).filter(({ sk }) => isOwn(String(sk))),
          ownPageRows,
        );
      }),
    async *queryDue(now) {
      const rows = await call("queryDue", "due", () =>
        [...items.values()]
          .filter((item) => item.due_shard !== undefined && Number(item.due_at) * 1_000 <= now)
          .sort((a, b) => Number(a.due_at) - Number(b.due_at))
          .map(dueRow),
      );
      for (let from = 0; from < rows.length; from += duePageRows) yield rows.slice(from, from + duePageRows);
    },
  };
  return table;
}

function pageOf(scope: string, found: readonly Item[], limit: number): SlotPage {
  const page = found.slice(0, limit);
  const entries = page.flatMap((item) => entryOf(scope, item) ?? []);
  return {
    entries,
    unreadable: page.length - entries.length,
    next: found.length > limit ? String(page.at(-1)?.sk) : undefined,
  };
}

function entryOf(scope: string, item: Item): KeyedSlot | undefined {
  try {
    const key = readSlotKey(scope, item);
    return key && { key, slot: readSlot(structuredClone(item)) };
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

function dueRow({ pk, sk, due_at }: Item): DueRow {
  const [, scope = ""] = String(pk).split("#");
  const key = readSlotKey(scope, { sk });
  const dueAt = Number(due_at) * 1_000;
  return key ? { kind: "slot", key, dueAt } : { kind: "scope", scope, dueAt };
}
