/**
 * One audit record for each request, on every path: begun before anything else, emitted once when the answer is known,
 * and after it one for each lease whose end Looker confirmed. The fields are an allow-list by type; nothing of a header
 * or a body can get in. docs/reference/audit-record.schema.json describes them for those who read them.
 */
import type { MiddlewareObj } from "@middy/core";
import type { Principal } from "../domain/principal.ts";
import { Problem } from "../domain/problem.ts";
import { isScopeName } from "../domain/scope.ts";
import { Unreadable } from "../use-cases/ports.ts";
import type { AuditFields } from "../use-cases/record.ts";
import { startTimings, type Timings } from "../use-cases/timings.ts";
import type { ProxyResult } from "./answer.ts";
import { readEvent } from "./api-event.ts";
import { type AuditLine, type AuditRecord, embeddedMetrics, type LeaseEndLine } from "./audit-record.ts";

/** What the handler adds while it works. */
export interface AuditEntry {
  verb: string;
  caller?: Principal;
  readonly audit: AuditFields;
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
  const emit = (request: AnsweredRequest) => {
    const entry = entries.get(request.event as object);
    // middy calls onError also for what a later `after` throws.
    if (!entry || entry.emitted) return;
    entry.emitted = true;
    const endedAt = now();
    const record = recordOf(broker, entry, request, endedAt);
    write({ ...record, ...embeddedMetrics(record, entry.startedAt) });
    const time = new Date(endedAt).toISOString();
    const { request_id, verb } = record;
    for (const end of entry.audit.lease_ends ?? [])
      write({ time, kind: "lease_end", broker, request_id, verb, ...end });
  };
  return {
    before: (request) => {
      if (typeof request.event !== "object" || request.event === null) request.event = {};
      entries.set(request.event as object, {
        verb: "unknown",
        audit: {},
        timings: startTimings(now),
        startedAt: now(),
        emitted: false,
      });
    },
    after: emit,
    onError: emit,
    entryOf(event) {
      const entry = entries.get(event);
      if (!entry) throw new Error("the audit middleware must come first");
      return entry;
    },
  };
}

/** The members of middy's request that a record is made of. */
interface AnsweredRequest {
  readonly event: unknown;
  readonly context: { awsRequestId?: string };
  readonly response: ProxyResult | null | undefined;
  /** Undefined after a success. */
  readonly error: unknown;
}

function recordOf(broker: string, entry: OpenEntry, request: AnsweredRequest, endedAt: number): AuditRecord {
  const { lease_ends: _, lease_ends_at, token_ends_at, issued_before_at, ...fields } = entry.audit;
  const { requestId, scopeName, identity } = readEvent(request.event);
  const { context, response, error } = request;
  const problem = error instanceof Problem ? error : undefined;
  const cause = problem ? problem.cause : error;
  return {
    time: new Date(entry.startedAt).toISOString(),
    kind: "audit",
    broker,
    request_id: plain(requestId) ?? plain(context.awsRequestId) ?? "",
    ...optional("trace_id", traceId()),
    verb: entry.verb,
    ...optional("scope", scopeName === undefined || isScopeName(scopeName) ? scopeName : "?"),
    ...(entry.caller ? { caller: callerFields(entry.caller) } : {}),
    ...optional("source_ip", plain(identity.sourceIp)),
    ...optional("source_vpce", plain(identity.vpceId)),
    code: problem?.code ?? (error === undefined ? "ok" : "internal"),
    ...(response?.statusCode === undefined ? {} : { status: response.statusCode }),
    duration_ms: endedAt - entry.startedAt,
    ...entry.timings.spent(),
    ...fields,
    ...optional("lease_ends_at", isoTime(lease_ends_at)),
    ...optional("token_ends_at", isoTime(token_ends_at)),
    ...optional("issued_before", isoTime(issued_before_at)),
    ...optional("reason", problem?.reason ?? fields.reason),
    // The sweeper does not come by every row: a secret's control row is never due.
    ...(cause instanceof Unreadable ? { unreadable: (fields.unreadable ?? 0) + 1 } : {}),
    ...(cause instanceof Error ? errorFields(cause) : {}),
  };
}

/** X-Ray's id of the trace; Lambda sets the variable anew for each invocation. */
function traceId(): string | undefined {
  const root = /Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)/.exec(process.env._X_AMZN_TRACE_ID ?? "");
  return root?.[1];
}

function callerFields({
  account,
  uniqueId,
  callerArn,
  sessionName,
}: Principal): NonNullable<AuditLine["caller"]> {
  return {
    account,
    unique_id: uniqueId,
    arn: callerArn,
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
  const records = auditing(options);
  return {
    ...records,
    before: async (request) => {
      await records.before?.(request);
      records.entryOf(request.event as object).verb = verb;
    },
  };
}
