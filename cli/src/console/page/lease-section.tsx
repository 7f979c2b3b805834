/** The leases: their filters, and the table in which only the rows in sight exist. */
import { useMemo, useState } from "preact/hooks";
import type { ListedLease } from "../../listing.ts";
import type { EndDialogJob } from "./end-dialog.tsx";
import { LeaseTable } from "./lease-table.tsx";
import { type Column, type Selection, selectRows } from "./rows.ts";
import type { View } from "./view.ts";

interface Props {
  readonly view: View;
  readonly scope: string | undefined;
  onAllScopes(): void;
  onEnd(job: EndDialogJob): void;
}

const number = (count: number) => count.toLocaleString("en-GB");

export function LeaseSection({ view, scope, onAllScopes, onEnd }: Props) {
  const [words, setWords] = useState("");
  const [state, setState] = useState<Selection["state"]>("");
  const [order, setOrder] = useState<{ sortBy: Column; descending: boolean }>({
    sortBy: "age",
    descending: false,
  });
  const { scopes, ahead } = view;
  const rows = useMemo(
    () => selectRows(scopes, { scope, state, words, ...order }),
    [scopes, scope, state, words, order],
  );
  const total = scopes.reduce((sum, { leases }) => sum + leases.length, 0);
  const isWhole = scopes.length > 0 && scopes.every(({ asOf }) => asOf !== undefined);
  return (
    <section aria-labelledby="leases" class="leases">
      <h2 id="leases">{scope === undefined ? "Leases" : `Leases of ${scope}`}</h2>
      <search class="filters" aria-label="Filter the leases">
        <label>
          Filter
          <input
            type="search"
            placeholder="caller, session, lease, credential"
            value={words}
            onInput={({ currentTarget }) => setWords(currentTarget.value)}
          />
        </label>
        <label>
          State
          <select
            value={state}
            onChange={({ currentTarget }) => setState(currentTarget.value as ListedLease["state"] | "")}
          >
            <option value="">any</option>
            <option>live</option>
            <option>superseded</option>
            <option>pending</option>
            <option>minting</option>
          </select>
        </label>
        <label class="order">
          Order
          <select
            value={order.sortBy}
            onChange={({ currentTarget }) => setOrder({ ...order, sortBy: currentTarget.value as Column })}
          >
            {(["age", "remaining", "caller", "session", "scope", "state", "credential"] as const).map(
              (column) => (
                <option key={column}>{column}</option>
              ),
            )}
          </select>
        </label>
        {scope !== undefined && (
          <button type="button" onClick={onAllScopes}>
            All scopes
          </button>
        )}
        <output aria-live="polite">
          {rows.length === total ? "" : `${number(rows.length)} of `}
          {`${number(total)} ${total === 1 ? "lease" : "leases"}`}
          {isWhole ? "" : " so far"}
        </output>
      </search>
      <LeaseTable
        rows={rows}
        isWhole={isWhole}
        ahead={ahead}
        order={order}
        onOrder={setOrder}
        onEnd={onEnd}
      />
    </section>
  );
}
