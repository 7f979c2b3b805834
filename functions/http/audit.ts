/**
 * One audit record for each request, on every path: begun before anything else, emitted once when the answer is known,
 * and after it one for each lease whose end Looker confirmed. The fields are an allow-list by type; nothing of a header
 * or a body can get in. docs/reference/audit-record.schema.json describes them for those who read them.
 */
import type { MiddlewareObj } from "@middy/core";
import type { Principal } from "../domain/principal.ts";
import { Problem } from "../domain/problem.ts";
import type { Findings, LeaseEnd } from "../use-cases/record.ts";
import { type Spent, startTimings, type Timings } from "../use-cases/timings.ts";
import type { ProxyResult } from "./answer.ts";
import { readEvent } from "./api-event.ts";
import { type EmbeddedMetrics, embeddedMetrics } from "./metrics.ts";

export interface AuditRecord extends Omit<Findings, "lease_ends" | Instant>, Spent {
  /** ISO 8601, when the request arrived. */
  time: string;
  kind: "audit";
  /** Which broker of the account and region. */
  broker: string;
  request_id: string;
  trace_id?: string;
  verb: string;
  /** As asked for; "?" where no scope could have that name. */
  scope?: string;
  caller?: { account: string; unique_id: string; arn: string; session_name?: string };
  source_ip?: string;
  source_vpce?: string;
  code: string;
  /** Of the HTTP answer, where there is one. */
  status?: number;
  duration_ms: number;
  /** Name of an unexpected error and where it was thrown; never its message. */
  error?: string;
  error_at?: string;
  /** ISO 8601. */
  lease_ends_at?: string;
  token_ends_at?: string;
  issued_before?: string;
}

type Instant = "lease_ends_at" | "token_ends_at" | "issued_before_at";

/** As written: the record, with its metrics in CloudWatch's embedded metric format. */
export type AuditLine = AuditRecord & EmbeddedMetrics;

export interface LeaseEndLine extends LeaseEnd {
  /** ISO 8601, when Looker's confirmation was recorded. */
  time: string;
  kind: "lease_end";
  broker: string;
  /** Of the request, or the sweep, that ended it: its audit record says who and why. */
  request_id: string;
  verb: string;
}

/** What the handler adds while it works. */
export interface AuditEntry {
  verb: string;
  caller?: Principal;
  readonly findings: Findings;
  readonly timings: Timings;
}

interface OpenEntry extends AuditEntry {
  readonly startedAt: number;
  emitted: boolean;
}

export interface AuditOptions {
  /** The broker's name, for records and metrics. */
  readonly broker: string;
  now(): number;
  write(line: AuditLine | LeaseEndLine): void;
}

export interface Audit extends MiddlewareObj<unknown, ProxyResult> {
  /** The entry of the request that this event began. */
  entryOf(event: object): AuditEntry;
}

/** Middleware that goes first, so that it begins before and ends after everything else. */
export function auditing({ broker, now, write }: AuditOptions): Audit {
  const entries = new WeakMap<object, OpenEntry>();
  const emit = (
    event: object,
    context: { awsRequestId?: string },
    response: ProxyResult | null | undefined,
    error: unknown,
  ) => {
    const entry = entries.get(event);
    // middy calls onError also for what a later `after` throws.
    if (!entry || entry.emitted) return;
    entry.emitted = true;
    const endedAt = now();
    const record = recordOf(broker, entry, event, context, response, error, endedAt);
    write({ ...record, ...embeddedMetrics(record, entry.startedAt) });
    const time = new Date(endedAt).toISOString();
    const { request_id, verb } = record;
    for (const end of entry.findings.lease_ends ?? [])
      write({ time, kind: "lease_end", broker, request_id, verb, ...end });
  };
  return {
    before: (request) => {
      if (typeof request.event !== "object" || request.event === null) request.event = {};
      entries.set(request.event as object, {
        verb: "unknown",
        findings: {},
        timings: startTimings(now),
        startedAt: now(),
        emitted: false,
      });
    },
    after: (request) => emit(request.event as object, request.context, request.response, undefined),
    onError: (request) => emit(request.event as object, request.context, request.response, request.error),
    entryOf(event) {
      const entry = entries.get(event);
      if (!entry) throw new Error("the audit middleware must come first");
      return entry;
    },
  };
}

function recordOf(
  broker: string,
  entry: OpenEntry,
  rawEvent: object,
  context: { awsRequestId?: string },
  response: ProxyResult | null | undefined,
  error: unknown,
  endedAt: number,
): AuditRecord {
  const event = readEvent(rawEvent);
  const { caller, timings } = entry;
  const { lease_ends: _, lease_ends_at, token_ends_at, issued_before_at, ...findings } = entry.findings;
  const trace = process.env._X_AMZN_TRACE_ID;
  const { scopeName, identity } = event;
  const problem = error instanceof Problem ? error : undefined;
  const record: AuditRecord = {
    time: new Date(entry.startedAt).toISOString(),
    kind: "audit",
    broker,
    request_id: plain(event.requestId) ?? plain(context.awsRequestId) ?? "",
    ...optional("trace_id", plain(trace?.match(/Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)/)?.[1])),
    verb: entry.verb,
    ...optional(
      "scope",
      scopeName === undefined ? undefined : /^[a-z0-9][a-z0-9-]{0,62}$/.test(scopeName) ? scopeName : "?",
    ),
    ...(caller ? { caller: callerFields(caller) } : {}),
    ...optional("source_ip", plain(identity.sourceIp)),
    ...optional("source_vpce", plain(identity.vpceId)),
    code: problem?.code ?? (error === undefined ? "ok" : "internal"),
    ...(response?.statusCode === undefined ? {} : { status: response.statusCode }),
    duration_ms: endedAt - entry.startedAt,
    ...timings.spent(),
    ...findings,
    ...optional("lease_ends_at", isoTime(lease_ends_at)),
    ...optional("token_ends_at", isoTime(token_ends_at)),
    ...optional("issued_before", isoTime(issued_before_at)),
    ...optional("reason", problem?.reason ?? findings.reason),
  };
  const cause = problem ? problem.cause : error;
  return cause instanceof Error ? { ...record, ...errorFields(cause) } : record;
}

function callerFields({ account, uniqueId, arn, sessionName }: Principal): NonNullable<AuditLine["caller"]> {
  return {
    account,
    unique_id: uniqueId,
    arn,
    ...(sessionName === undefined ? {} : { session_name: sessionName }),
  };
}

function errorFields(error: Error): Pick<AuditLine, "error" | "error_at"> {
  const root = error.cause instanceof Error ? error.cause : error;
  const at = /([\w.-]{1,60}\.(?:mjs|ts|js):\d{1,7}:\d{1,7})/.exec(
    root.stack?.replace(root.message, "") ?? "",
  )?.[1];
  return { error: plain(root.name) ?? "Error", ...optional("error_at", at) };
}

/** Identifiers and addresses: short, without anything that a log viewer would interpret. */
function plain(value: unknown): string | undefined {
  return typeof value === "string" && /^[\w.:@=+,/-]{1,128}$/.test(value) ? value : undefined;
}

const isoTime = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString());

function optional<K extends string>(key: K, value: string | undefined): { [k in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [k in K]?: string });
}

/** The same for what no caller asked for: one line a run. */
export function scheduledAudit(verb: string, options: AuditOptions): Audit {
  const audit = auditing(options);
  return {
    ...audit,
    before: async (request) => {
      await audit.before?.(request);
      audit.entryOf(request.event as object).verb = verb;
    },
  };
}
