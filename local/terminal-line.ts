/** The line of a function on the terminal of `npm start`. `.local/records.jsonl` has the whole record. */
import { isAuditRecord } from "./record-file.ts";

/** The fields of a record on the terminal: docs/reference/audit-record.schema.json explains them. */
type LogLine = { readonly time: string; readonly verb: string } & (
  | RequestRecord
  | {
      readonly kind: "account_check";
      readonly scope: string;
      readonly reason?: string;
      readonly findings?: readonly string[];
    }
  | {
      readonly kind: "rotation";
      readonly secret?: string;
      readonly step: string;
      readonly outcome: string;
      readonly reason?: string;
    }
  | { readonly kind: "mint" | "lease_end" }
);

interface RequestRecord {
  readonly kind: "audit";
  readonly verb: string;
  readonly scope?: string;
  /** Of the HTTP answer. Scheduled work has none. */
  readonly status?: number;
  readonly code: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly mint_failure?: string;
  readonly caller?: { readonly arn: string };
  readonly duration_ms: number;
  readonly late?: true;
  readonly revoked?: number;
  readonly logouts?: number;
  readonly pending?: number;
  readonly expired?: number;
  readonly possible_orphans?: number;
  readonly unreadable?: number;
}

/**
 * Undefined for a sweep without work, and for a record that repeats its request. A line
 * other than a record comes back as it is, with the function in front.
 *
 * @example
 * 13:20:40Z  token    sales     403  report-service    101 ms  scope_frozen
 */
export function terminalLine(functionId: string, instanceNumber: number, line: string): string | undefined {
  if (!isAuditRecord(line)) return `${functionId}#${instanceNumber} ${line}`;
  const record = JSON.parse(line) as LogLine;
  const text = textOf(record);
  return text === undefined ? undefined : `${record.time.slice(11, 19)}Z  ${text}`;
}

function textOf(record: LogLine): string | undefined {
  switch (record.kind) {
    case "audit":
      return record.status === undefined && !isWorthALine(record) ? undefined : requestText(record);
    case "account_check":
      return wordsOf("account", record.scope, record.reason ?? findingsText(record.findings));
    case "rotation":
      return wordsOf("rotate", record.secret ?? "?", record.step, record.outcome, record.reason);
    // The request has a line already.
    case "mint":
    case "lease_end":
      return undefined;
  }
}

/** A schedule runs each minute, and mostly finds nothing to do. */
const isWorthALine = ({ code, logouts, pending, expired, possible_orphans, unreadable }: RequestRecord) =>
  code !== "ok" ||
  [logouts, pending, expired, possible_orphans, unreadable].some((count) => (count ?? 0) > 0);

function requestText(record: RequestRecord): string {
  const {
    verb,
    scope = "-",
    status,
    code,
    outcome,
    reason,
    mint_failure,
    caller,
    duration_ms,
    late,
  } = record;
  const counts = countsOf(record);
  const more = [reason ?? mint_failure, ...counts, late && "after the answer"].filter(Boolean);
  const result = code === "ok" ? (outcome ?? "ok") : code;
  return [
    verb.padEnd(7),
    scope.padEnd(8),
    String(status ?? "-").padEnd(3),
    (caller ? nameOf(caller.arn) : "-").padEnd(14),
    `${duration_ms} ms`.padStart(8),
    // Last, since its length differs.
    more.length > 0 ? `${result}: ${more.join(", ")}` : result,
  ].join("  ");
}

const countsOf = ({ revoked, logouts, pending, outcome }: RequestRecord) => [
  ...(outcome === "swept" ? counted(logouts, "logged out") : counted(revoked, "dead")),
  ...counted(pending, "pending"),
];

const counted = (count: number | undefined, word: string) => (count ? [`${count} ${word}`] : []);

/** Of an ARN without path. */
const nameOf = (arn: string) => arn.slice(arn.lastIndexOf("/") + 1);

const findingsText = (findings: readonly string[] = []) =>
  findings.length > 0 ? findings.join(", ") : "no findings";

const wordsOf = (verb: string, ...words: readonly (string | undefined)[]) =>
  [verb.padEnd(7), ...words.filter((word) => word !== undefined)].join("  ");
