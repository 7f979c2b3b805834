/**
 * One audit record for each request, on every path: begun before anything else, emitted once when the answer is known,
 * and after it one for each token that Looker made, and one for each lease whose end Looker confirmed. Work that outlives the
 * answer adds a second record, marked late, with what it did since. The fields are an allow-list by type; nothing of a body can
 * get in, and of a header only the form of a trace id. docs/reference/audit-record.schema.json describes them to readers.
 */
import { isDeepStrictEqual } from "node:util";
import type { MiddlewareObj } from "@middy/core";
import type { Principal } from "../domain/principal.ts";
import { Problem } from "../domain/problem.ts";
import { isScopeName } from "../domain/scope.ts";
import { type AuditFields, counters } from "../use-cases/record.ts";
import { startTimings, type Timings } from "../use-cases/timings.ts";
import type { ProxyResult } from "./answer.ts";
import { readEvent } from "./api-event.ts";
import { type AuditLine, type AuditRecord, embeddedMetrics, type LogLine } from "./audit-record.ts";

/** What the handler adds while it works. */
export interface AuditEntry {
  verb: string;
  caller?: Principal;
  readonly audit: AuditFields;
  readonly timings: Timings;
}

interface OpenEntry extends AuditEntry {
  readonly startedAt: number;
  /** Lambda sets the variable anew for each invocation: later it may be another's. */
  readonly traceId: string | undefined;
  /** Once the answer is known: the record, and the findings that it tells. */
  answered?: { readonly record: AuditRecord; readonly told: AuditFields };
}

export interface AuditOptions {
  /** The broker's name, for records and metrics. */
  readonly broker: string;
  now(): number;
  write(line: LogLine): void;
}

export interface Audit extends MiddlewareObj<unknown, ProxyResult> {
  /** The entry of the request that this event began. */
  entryOf(event: object): AuditEntry;
  /**
   * Follows the work for the request that this event began. Where the early time-out answers first, what the work does
   * afterwards is in a late record: if it comes to its end, for a sandbox that is never thawed writes nothing.
   */
  follow<Result>(event: object, work: Promise<Result>): Promise<Result>;
}

/** Middleware that goes first, so that it begins before and ends after everything else. */
export function auditing({ broker, now, write }: AuditOptions): Audit {
  const entries = new WeakMap<object, OpenEntry>();
  const writeAll = (record: AuditRecord, { mints = [], lease_ends = [] }: AuditFields, endedAt: number) => {
    // CloudWatch takes no metric that is older than two weeks, and a late record can be of any age.
    const at = record.late ? endedAt : Date.parse(record.time);
    write({ ...record, ...embeddedMetrics(record, at) });
    const { request_id, verb } = record;
    const common = { time: new Date(endedAt).toISOString(), broker, request_id, verb };
    for (const { token_ends_at, ...mint } of mints)
      write({ ...common, kind: "mint", ...mint, ...optional("token_ends_at", isoTime(token_ends_at)) });
    for (const end of lease_ends) write({ ...common, kind: "lease_end", ...end });
  };
  const emit = (request: AnsweredRequest) => {
    const entry = entries.get(request.event as object);
    // middy calls onError also for what a later `after` throws.
    if (!entry || entry.answered) return;
    const endedAt = now();
    const record = recordOf(broker, entry, request, endedAt);
    const told = structuredClone(entry.audit);
    entry.answered = { record, told };
    writeAll(record, told, endedAt);
  };
  const emitLate = ({ audit, answered, startedAt }: OpenEntry, error?: unknown) => {
    if (!answered) return;
    const findings = findingsSince(audit, answered.told);
    const late = { ...recordedFields(findings), ...(error instanceof Error ? unforeseen(error) : {}) };
    if (isDeepStrictEqual(findings, {}) && isDeepStrictEqual(late, {})) return;
    const endedAt = now();
    const { time, kind, request_id, unverified_trace_id, verb, scope, caller, source_ip, source_vpce, code } =
      answered.record;
    writeAll(
      {
        ...{ time, kind, broker, request_id, late: true, verb, code },
        ...optional("unverified_trace_id", unverified_trace_id),
        ...optional("scope", scope),
        ...(caller && { caller }),
        ...optional("source_ip", source_ip),
        ...optional("source_vpce", source_vpce),
        duration_ms: endedAt - startedAt,
        ...late,
      },
      findings,
      endedAt,
    );
  };
  const entryOf = (event: object) => {
    const entry = entries.get(event);
    if (!entry) throw new Error("the audit middleware must come first");
    return entry;
  };
  return {
    before: (request) => {
      if (typeof request.event !== "object" || request.event === null) request.event = {};
      entries.set(request.event as object, {
        verb: "unknown",
        audit: {},
        timings: startTimings(now),
        startedAt: now(),
        traceId: unverifiedTraceId(),
      });
    },
    after: emit,
    onError: emit,
    entryOf,
    follow(event, work) {
      const entry = entryOf(event);
      work
        .then(
          () => emitLate(entry),
          (error: unknown) => emitLate(entry, error),
        )
        // The request was answered long since: nobody is left to be told that a line could not be written.
        .catch(() => {});
      return work;
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
  const fields = recordedFields(entry.audit);
  const { requestId, scopeName, identity } = readEvent(request.event);
  const { context, response, error } = request;
  const problem = error instanceof Problem ? error : undefined;
  const cause = problem ? problem.cause : error;
  return {
    time: new Date(entry.startedAt).toISOString(),
    kind: "audit",
    broker,
    request_id: plain(requestId) ?? plain(context.awsRequestId) ?? "",
    ...optional("unverified_trace_id", entry.traceId),
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
    ...optional("reason", problem?.reason ?? fields.reason),
    ...(cause instanceof Error ? errorFields(cause) : {}),
  };
}

function recordedFields({
  mints: _,
  lease_ends: __,
  lease_ends_at,
  token_ends_at,
  issued_before_at,
  ...fields
}: AuditFields) {
  return {
    ...fields,
    ...optional("lease_ends_at", isoTime(lease_ends_at)),
    ...optional("token_ends_at", isoTime(token_ends_at)),
    ...optional("issued_before", isoTime(issued_before_at)),
  };
}

/** What a late record must not tell of a token request: the answer was another, so nobody was given this lease. */
const givenOut: ReadonlySet<string> = new Set<keyof AuditFields>([
  "lease_id",
  "token_sha256",
  "lease_ends_at",
  "token_ends_at",
]);
const servedOutcomes: readonly unknown[] = ["hit", "minted", "waited"] satisfies AuditFields["outcome"][];

/** Counters by what was added, lists by what was appended, everything else where it has changed. */
function findingsSince(audit: AuditFields, told: AuditFields): AuditFields {
  const before = new Map<string, unknown>(Object.entries(told));
  const later = Object.entries(audit).flatMap(([field, value]: [string, unknown]): [string, unknown][] => {
    const known = before.get(field);
    if (isDeepStrictEqual(value, known) || givenOut.has(field)) return [];
    if (field === "outcome" && servedOutcomes.includes(value)) return [];
    if (counterNames.has(field)) return [[field, Number(value) - Number(known ?? 0)]];
    if (Array.isArray(value) && Array.isArray(known)) return [[field, value.slice(known.length)]];
    return [[field, value]];
  });
  return Object.fromEntries(later);
}
const counterNames: ReadonlySet<string> = new Set(counters);

/** A problem is an answer that came too late; anything else is told. */
function unforeseen(error: Error): Pick<AuditLine, "error" | "error_at"> {
  return error instanceof Problem ? {} : errorFields(error);
}

/**
 * API Gateway and Lambda keep the root of an `X-Amzn-Trace-Id` that the caller sent, so this is the caller's word.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
function unverifiedTraceId(): string | undefined {
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
