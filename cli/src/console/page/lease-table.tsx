/**
 * The table of leases. Of ten thousand rows only those in sight are in the document. It has the roles of a table and not its
 * elements, because on a phone each row is a grid, and a browser takes a row of a `<table>` with another layout for no row.
 */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { EndDialogJob } from "./end-dialog.tsx";
import { age, remaining, useNow } from "./moments.tsx";
import type { Column, Row } from "./rows.ts";

interface Order {
  readonly sortBy: Column;
  readonly descending: boolean;
}

interface Props {
  readonly rows: readonly Row[];
  /** The lists of all scopes have come. */
  readonly isWhole: boolean;
  readonly ahead: number;
  readonly order: Order;
  onOrder(order: Order): void;
  onEnd(job: EndDialogJob): void;
}

const columns: readonly [Column, string][] = [
  ["caller", "Caller"],
  ["scope", "Scope"],
  ["session", "Session"],
  ["state", "State"],
  ["age", "Age"],
  ["remaining", "Remaining"],
  ["lease", "Lease"],
  ["credential", "Credential"],
];

export function LeaseTable({ rows, isWhole, ahead, order, onOrder, onEnd }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const { from, to, rowHeight } = useRowsInSight(body, rows.length);
  const now = useNow(ahead);
  return (
    <div role="table" class="table" aria-labelledby="leases" aria-rowcount={rows.length + 1}>
      <div role="rowgroup" class="head">
        <div role="row" aria-rowindex={1} class="row">
          {columns.map(([column, name]) => (
            <span role="columnheader" key={column} class={`cell-${column}`} aria-sort={sortOf(column, order)}>
              <button
                type="button"
                onClick={() =>
                  onOrder({ sortBy: column, descending: order.sortBy === column && !order.descending })
                }
              >
                {name}
              </button>
            </span>
          ))}
          <span role="columnheader" class="cell-do">
            <span class="hidden">Action</span>
          </span>
        </div>
      </div>
      <div role="rowgroup" class="body" ref={body} style={{ height: `${rows.length * rowHeight}px` }}>
        {rows.slice(from, to).map((row, at) => (
          <LeaseRow
            key={row.key}
            row={row}
            now={now}
            index={from + at + 2}
            top={(from + at) * rowHeight}
            onEnd={() => onEnd({ kind: "revoke", row })}
          />
        ))}
      </div>
      {rows.length === 0 && <p class="empty">{isWhole ? "No leases here." : "None so far."}</p>}
    </div>
  );
}

const sortOf = (column: Column, { sortBy, descending }: Order) =>
  sortBy !== column ? undefined : descending ? "descending" : "ascending";

interface RowProps {
  readonly row: Row;
  readonly now: number;
  readonly index: number;
  readonly top: number;
  onEnd(): void;
}

function LeaseRow({ row, now, index, top, onEnd }: RowProps) {
  const { lease, name, from, scope, issuedAt, endsAt } = row;
  const texts: readonly [string, string, string?][] = [
    ["scope", scope],
    ["session", lease.session ?? "–"],
    ["state", lease.state, `state ${lease.state}`],
    ["age", age(issuedAt, now)],
    ["remaining", remaining(endsAt, now)],
    ["lease", lease.lease_id ?? "–"],
    ["credential", lease.client_id ?? "–"],
  ];
  return (
    <div role="row" class="row" aria-rowindex={index} style={{ transform: `translateY(${top}px)` }}>
      <span role="cell" class="cell-caller" title={lease.caller}>
        <strong>{name}</strong>
        <span class="dim">{from}</span>
      </span>
      {texts.map(([column, text, style]) => (
        <span role="cell" key={column} class={`cell-${column}`} title={text}>
          <span class={style}>{text}</span>
        </span>
      ))}
      <span role="cell" class="cell-do">
        <button type="button" onClick={onEnd} aria-label={`End the lease of ${name} in ${scope}`}>
          End …
        </button>
      </span>
    </div>
  );
}

/** Above and below, so that a fast thumb and the tab key find rows. */
const spare = 12;

/** The window scrolls, not the table: on a phone there is one scroll bar, and the keys for it just work. */
function useRowsInSight(body: { readonly current: HTMLElement | null }, count: number) {
  const [place, setPlace] = useState({ first: 0, shown: 40, rowHeight: 52 });
  useLayoutEffect(() => {
    const measure = () => {
      if (!body.current) return;
      const rowHeight = Number.parseFloat(getComputedStyle(body.current).getPropertyValue("--row-height"));
      const first = Math.max(0, Math.floor(-body.current.getBoundingClientRect().top / rowHeight));
      const shown = Math.ceil(innerHeight / rowHeight);
      setPlace((old) =>
        old.first === first && old.shown === shown && old.rowHeight === rowHeight
          ? old
          : { first, shown, rowHeight },
      );
    };
    measure();
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, [body, count]);
  const { first, shown, rowHeight } = place;
  return { from: Math.max(0, first - spare), to: Math.min(count, first + shown + spare), rowHeight };
}
