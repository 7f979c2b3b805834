/**
 * One audit record for each request, on every path. It is begun before anything else and emitted once the answer is known.
 * Records of the tokens made, of the leases ended and of the steps of a rotation follow it. Work after the answer adds a second record, marked late.
 * The fields are an allow-list by type: no text of a header or a body can get in, except a well-formed trace id.
 * docs/reference/audit-record.schema.json describes them.
 */
import { isDeepStrictEqual } from "node:util";
import type { MiddlewareObj } from "@middy/core";
import type { Principal } from "../domain/principal.ts";
import { Problem } from "../domain/problem.ts";
import { isScopeName } from "../domain/scope.ts";
import { Unreadable } from "../use-cases/ports.ts";
import { type AuditFields, counters } from "../use-cases/record.ts";
import type { RotationFailure } from "../use-cases/rotation-job.ts";
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
  /** Read at the start: Lambda sets the variable anew for each invocation. */
  readonly traceId: string | undefined;
  /** Set with the answer: the record, and a copy of its fields. */
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
   * Follows the work for this event. If the early time-out answers first, a late record tells the rest of the work once it
   * has ended. A sandbox may stay frozen for good, and then there is no late record.
   */
  follow<Result>(event: object, work: Promise<Result>): Promise<Result>;
}

/** Middleware that goes first, so that it begins before and ends after everything else. */
export function auditing({ broker, now, write }: AuditOptions): Audit {
  const entries = new WeakMap<object, OpenEntry>();
  const writeAll = (record: AuditRecord, fields: AuditFields, endedAt: number) => {
    const { mints = [], lease_ends = [], account_checks = [], rotations = [] } = fields;
    // CloudWatch takes no metric older than two weeks, and the request of a late record can be of any age.
    const at = record.late ? endedAt : Date.parse(record.time);
    write({ ...record, ...embeddedMetrics(record, at) });
    const { request_id, verb } = record;
    const common = { time: new Date(endedAt).toISOString(), broker, request_id, verb };
    for (const { token_ends_at, ...mint } of mints)
      write({ ...common, kind: "mint", ...mint, ...optional("token_ends_at", isoTime(token_ends_at)) });
    for (const end of lease_ends) write({ ...common, kind: "lease_end", ...end });
    for (const check of account_checks) write({ ...common, kind: "account_check", ...check });
    for (const note of rotations) write({ ...common, kind: "rotation", ...note });
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
    const fields = fieldsSince(audit, answered.told);
    const late = { ...recordedFields(fields), ...(error instanceof Error ? unforeseen(error) : {}) };
    if (isDeepStrictEqual(fields, {}) && isDeepStrictEqual(late, {})) return;
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
      fields,
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
        // If the line cannot be written, there is nobody left to tell: the request has its answer.
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
    code: problem?.code ?? codeOf(error),
    ...(response?.statusCode === undefined ? {} : { status: response.statusCode }),
    duration_ms: endedAt - entry.startedAt,
    ...entry.timings.spent(),
    ...fields,
    ...optional("reason", problem?.reason ?? rotationReason(error) ?? fields.reason),
    // The sweeper does not come by every row: a secret's control row is never due.
    ...(cause instanceof Unreadable ? { unreadable: (fields.unreadable ?? 0) + 1 } : {}),
    ...(cause instanceof Error ? errorFields(cause) : {}),
  };
}

/** By its name, because the class with its advice would be in every function's bundle. */
const rotationReason = (error: unknown): string | undefined =>
  error instanceof Error && error.name === "RotationFailure" ? (error as RotationFailure).reason : undefined;

function codeOf(error: unknown): string {
  if (error === undefined) return "ok";
  return rotationReason(error) ? "rotation_failed" : "internal";
}

function recordedFields({
  mints: _,
  lease_ends: __,
  account_checks: ___,
  rotations: ____,
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

/** Left out of late records: the caller got another answer, and must not be named as a holder. */
const givenOut: ReadonlySet<string> = new Set<keyof AuditFields>([
  "lease_id",
  "token_sha256",
  "lease_ends_at",
  "token_ends_at",
]);
const servedOutcomes: readonly unknown[] = ["hit", "minted", "waited"] satisfies AuditFields["outcome"][];

/** Differences of counters, new entries of lists, and changed values. */
function fieldsSince(audit: AuditFields, told: AuditFields): AuditFields {
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

/** A problem is only a late answer. Any other error is recorded. */
function unforeseen(error: Error): Pick<AuditLine, "error" | "error_at"> {
  return error instanceof Problem ? {} : errorFields(error);
}

/**
 * The caller's word: API Gateway and Lambda keep the root of the caller's own `X-Amzn-Trace-Id` header.
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
