/** The table, as an instance sees it: rows under conditional writes, and an index that may lie behind. */
import { newAccountCheck } from "../../functions/domain/account-check.ts";
import type { Versioned } from "../../functions/domain/control.ts";
import type { Slot } from "../../functions/domain/slot.ts";
import type { BrokerTable, DueRow, KeyedSlot, Rows, SlotPage } from "../../functions/use-cases/ports.ts";
import type { Instance } from "./simulation.ts";
import { callerOf, nameOf, tokenIn, type World } from "./world.ts";

/** Two partitions are enough to be between them. */
const slotPartitions = 2;
const partitionOf = (uniqueId: string) => Number(uniqueId.slice(-1)) % slotPartitions;
const rowsOnPage = 8;

export function tableFor(world: World, instance: Instance): BrokerTable {
  const { simulation } = world;
  const ask = <T>(label: string, effect: () => T) => world.ask(instance, "dynamodb", { label }, effect);

  const rows = <Key, Row extends Versioned>(
    name: string,
    get: (key: Key) => Row,
    set: (key: Key, row: Row) => void,
  ): Rows<Key, Row> => ({
    read: (key) => ask(`reads ${name}`, () => get(key)),
    write: (key, row, expectedVersion) =>
      world.ask(instance, "dynamodb", { label: `writes ${name}`, isWrite: true }, () => {
        const held = get(key).version === expectedVersion;
        if (held) set(key, row);
        simulation.tell(instance, () =>
          held ? `wrote ${name} ${describeRow(row)}` : `is refused a write of ${name}`,
        );
        return held;
      }),
  });

  /** What the index shows now. */
  const due = (now: number): DueRow[] => {
    const shownAt = simulation.now - world.scenario.indexLagMs;
    const dueAtOf = (history: readonly { at: number; dueAt: number | undefined }[]) =>
      history.findLast(({ at }) => at <= shownAt)?.dueAt ?? Number.POSITIVE_INFINITY;
    const scopes = [...world.scopeControls].map(
      ([scope, stored]): DueRow => ({ kind: "scope", scope, dueAt: dueAtOf(stored.due) }),
    );
    const slots = [...world.slots.values()].map(
      (stored): DueRow => ({ kind: "slot", key: stored.key, dueAt: dueAtOf(stored.due) }),
    );
    return [...scopes, ...slots].filter(({ dueAt }) => dueAt <= now).toSorted((a, b) => a.dueAt - b.dueAt);
  };

  /** In the order of their keys. */
  const pageOf = (isWanted: (slot: KeyedSlot) => boolean): SlotPage => ({
    entries: [...world.slots.values()]
      .filter(isWanted)
      .map(({ key, slot }) => ({ key, slot }))
      .toSorted((a, b) => (nameOf(a.key) < nameOf(b.key) ? -1 : 1)),
    unreadable: 0,
    next: undefined,
  });

  return {
    slotPartitions,
    slots: rows(
      "slot",
      (key) => world.slotAt(key),
      (key, slot) => world.setSlot(key, slot, instance),
    ),
    scopeControls: rows(
      "scope control",
      (scope) => world.controlOf(scope),
      (scope, control) => world.setControl(scope, control),
    ),
    secretControls: rows(
      "secret control",
      (secretId) => world.secretControlOf(secretId),
      (secretId, row) => {
        world.secretControls.set(secretId, row);
      },
    ),
    readForIssue: (key) =>
      ask("reads slot and control", () => ({
        slot: world.slotAt(key),
        control: world.controlOf(key.scope),
      })),
    readControls: (scope, secretId) =>
      ask("reads controls", () => ({
        control: world.controlOf(scope),
        secretControl: world.secretControlOf(secretId),
      })),
    sessionBudgets: rows(
      "session budget",
      (caller) => world.sessionBudgetOf(caller),
      (caller, budget) => {
        world.sessionBudgets.set(callerOf(caller), budget);
      },
    ),
    accountChecks: rows(
      "account check",
      () => newAccountCheck,
      () => {},
    ),
    querySlots: (scope, partition) =>
      ask(`queries partition ${partition}`, () =>
        pageOf(({ key }) => key.scope === scope && partitionOf(key.uniqueId) === partition),
      ),
    queryOwnSlots: (caller) =>
      ask("queries own slots", () => pageOf(({ key }) => callerOf(key) === callerOf(caller))),
    async *queryDue(now) {
      const shown = await ask("queries what is due", () => due(now));
      for (let first = 0; first < shown.length; first += rowsOnPage) {
        if (first > 0) await ask("queries the next page", () => undefined);
        yield shown.slice(first, first + rowsOnPage);
      }
    },
  };
}

const names = (tokens: readonly { sealed: Uint8Array }[]) => tokens.map(tokenIn).join(",");

function describeRow(row: object): string {
  if (!("outbox" in row)) return JSON.stringify(row);
  const { lease, superseded, outbox, mint, failures } = row as Slot;
  const kept = superseded.filter(({ replaced }) => !replaced);
  return [
    `lease=${lease ? names([lease]) : "-"}`,
    kept.length > 0 ? `beside=${names(kept)}` : "",
    superseded.length > kept.length ? `replaced=${names(superseded.filter(({ replaced }) => replaced))}` : "",
    outbox.length > 0 ? `outbox=${names(outbox)}` : "",
    mint ? `lock=${mint.owner}${mint.doomed ? " doomed" : ""}` : "",
    failures.length > 0 ? `failures=${failures.map(({ code }) => code)}` : "",
  ]
    .filter(Boolean)
    .join(" ");
}
