/** The operator's verbs: HTTP ↔ use cases. Bad input is a 400 that says which field and why; it never matches everything. */

import type { Freeze } from "../domain/control.ts";
import { clockSkewMs } from "../domain/lease.ts";
import { isCallerArn } from "../domain/principal.ts";
import { Problem } from "../domain/problem.ts";
import {
  countLeases,
  freezeScope,
  type ListedLease,
  listLeases,
  type RevocationRequest,
  revokeLeases,
  unfreezeScope,
} from "../use-cases/operate.ts";
import { type AuditFields, noteNamed } from "../use-cases/record.ts";
import type { OperatePorts } from "../use-cases/revoke-slots.ts";
import { accountSummary } from "./account-routes.ts";
import { json, type ProxyResult } from "./answer.ts";
import { type ApiEvent, isLeaseId, readBody, refuseQuery } from "./api-event.ts";
import type { ScopedRequest } from "./api-handler.ts";
import { readPosition, writePosition } from "./list-position.ts";

/** `GET /scopes/{scope}/leases`: what is held and by whom; never tokens. */
export const getLeases =
  (ports: OperatePorts) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    readBody(request.event, []);
    const { next_token } = readQuery(request.event, ["next_token"]);
    const { leases, frozen, account, next } = await listLeases(
      request.timings.of(ports),
      request,
      readPosition(next_token),
    );
    return json(200, {
      ...(frozen ? { frozen: freezeFields(frozen) } : {}),
      ...(account?.checked ? { account: accountSummary(account, request.scope) } : {}),
      leases: leases.map(leaseFields),
      ...(next ? { next_token: writePosition(next) } : {}),
    });
  };

/** `DELETE /scopes/{scope}/leases`: ends what the filters match, all of them together. */
export const deleteLeases =
  (ports: OperatePorts) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    // A filter in the body, passed over in silence, would make the query's match more than was meant.
    readBody(request.event, []);
    const query = readQuery(request.event, [
      "lease_id",
      "caller",
      "issued_before",
      "client_id",
      "all",
      "dry_run",
    ]);
    const revocation = readRevocation(query, ports.clock.now());
    noteTarget(request.audit, revocation);
    const watched = request.timings.of(ports);
    if (readTrue(query, "dry_run"))
      return json(200, { matched: await countLeases(watched, request, revocation) });
    const result = await revokeLeases(watched, request, revocation);
    return json(result.pending > 0 ? 202 : 200, result);
  };

/** `PUT /scopes/{scope}/freeze`: nothing is served until unfrozen, and what was given out is ended. */
export const putFreeze =
  (ports: OperatePorts) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    refuseQuery(request.event);
    const { reason } = readBody(request.event, ["reason"]);
    if (typeof reason !== "string" || !/^[^\p{C}]{1,256}$/u.test(reason) || reason.trim() === "")
      wrong(
        "reason",
        "must be text of 1 to 256 characters on one line: whoever unfreezes the scope will read it",
      );
    const frozen = { by: request.principal.callerArn, at: ports.clock.now(), reason };
    const result = await freezeScope(request.timings.of(ports), request, frozen);
    return json(result.pending > 0 ? 202 : 200, {
      frozen: freezeFields(frozen),
      ...result,
    });
  };

/** `DELETE /scopes/{scope}/freeze`. */
export const deleteFreeze =
  (ports: OperatePorts) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    refuseQuery(request.event);
    readBody(request.event, []);
    await unfreezeScope(request.timings.of(ports), request);
    return json(200, { frozen: null });
  };

function readRevocation(query: Query, now: number): RevocationRequest {
  const { lease_id, caller, issued_before, client_id } = query;
  const filters = [lease_id, caller, issued_before, client_id].filter((value) => value !== undefined);
  if (readTrue(query, "all")) {
    if (filters.length > 0) wrong("all", "stands alone: leave the other filters out, or leave all=true out");
    return { all: true };
  }
  if (filters.length === 0)
    wrong(
      "filter",
      "give lease_id, caller, issued_before or client_id, or all=true for everything in the scope",
    );
  if (lease_id !== undefined && !isLeaseId(lease_id))
    wrong("lease_id", "must be a lease_id as the broker gave it");
  if (caller !== undefined && !isCallerArn(caller))
    wrong(
      "caller",
      "must be an ARN like arn:aws:iam::111122223333:role/name, without path, session or wildcard",
    );
  if (client_id !== undefined && !/^[\x21-\x7e]{1,256}$/.test(client_id))
    wrong("client_id", "must be a Looker client id");
  return {
    leaseId: lease_id,
    callerArn: caller,
    issuedBefore: readTime(issued_before, now),
    clientId: client_id,
  };
}

/** RFC 3339, with its offset: a time without one means another instant to each reader. */
function readTime(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const shape = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
  const [day] = value.split("T");
  const time = shape.test(value) ? Date.parse(value) : Number.NaN;
  // Date.parse rolls 30 February over into March.
  const exists =
    !Number.isNaN(Date.parse(`${day}T00:00:00Z`)) &&
    new Date(`${day}T00:00:00Z`).toISOString().startsWith(`${day}T`);
  if (Number.isNaN(time) || !exists)
    wrong("issued_before", "must be a time like 2026-11-24T13:00:00Z (in a URL, a + is written %2B)");
  if (time > now + clockSkewMs) wrong("issued_before", "must not be in the future");
  return time;
}

type Query = Readonly<Record<string, string | undefined>>;

/** Each parameter once, not empty, and known. */
function readQuery(event: ApiEvent, known: readonly string[]): Query {
  const entries = Object.entries(event.query).map(([name, values]): [string, string] => {
    if (!known.includes(name))
      throw new Problem("bad_request", {
        detail: `There is an unknown query parameter; known are ${known.join(", ")}.`,
      });
    if (!Array.isArray(values) || values.length !== 1) wrong(name, "is given more than once; give it once");
    const [value] = values as unknown[];
    if (typeof value !== "string" || value === "") wrong(name, "is empty; give a value or leave it out");
    return [name, value];
  });
  return Object.fromEntries(entries);
}

/** What was meant to be ended. Not the client id: whoever pasted a secret in its place must not find it in a log. */
function noteTarget(audit: AuditFields, request: RevocationRequest): void {
  if (request.all) {
    audit.filters = ["all"];
    return;
  }
  const { leaseId, callerArn, issuedBefore, clientId } = request;
  audit.filters = Object.entries({
    lease_id: leaseId,
    caller: callerArn,
    issued_before: issuedBefore,
    client_id: clientId,
  }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  noteNamed(audit, "lease_id", leaseId);
  if (callerArn !== undefined) audit.target_caller = callerArn;
  if (issuedBefore !== undefined) audit.issued_before_at = issuedBefore;
}

function readTrue(query: Query, name: "all" | "dry_run"): boolean {
  const value = query[name];
  if (value !== undefined && value !== "true") wrong(name, "must be true, or left out");
  return value === "true";
}

function wrong(field: string, error: string): never {
  throw new Problem("bad_request", { detail: `${field}: ${error}.` });
}

const freezeFields = ({ by, at, reason }: Freeze) => ({ by, at: new Date(at).toISOString(), reason });

function leaseFields(lease: ListedLease): object {
  return {
    lease_id: lease.leaseId,
    caller: lease.callerArn,
    unique_id: lease.uniqueId,
    session: lease.session,
    state: lease.state,
    issued_at: new Date(lease.issuedAt).toISOString(),
    ends_at: isoTime(lease.endsAt),
    token_ends_at: isoTime(lease.tokenEndsAt),
    client_id: lease.clientId,
  };
}

const isoTime = (at: number | null) => (at === null ? null : new Date(at).toISOString());
