/** The operator's verbs: HTTP ↔ use cases. Bad input is a 400 that says which field and why; it never matches everything. */

import type { Freeze } from "../domain/control.ts";
import { clockSkewMs } from "../domain/lease.ts";
import { isCallerArn } from "../domain/principal.ts";
import { Problem } from "../domain/problem.ts";
import type { Scopes } from "../domain/scope.ts";
import type { Denial } from "../use-cases/denials.ts";
import type { ListedLease } from "../use-cases/listed-lease.ts";
import {
  countLeases,
  findLease,
  freezeScope,
  type LeasePage,
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
import { denialFields } from "./denial-routes.ts";
import { readPosition, writePosition } from "./list-position.ts";

/** `GET /scopes/{scope}/leases`: what is held and by whom; never tokens. */
export const getLeases =
  (ports: OperatePorts) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    readBody(request.event, []);
    const { next_token, token_sha256 } = readQuery(request.event, ["next_token", "token_sha256"]);
    const watched = request.timings.of(ports);
    if (token_sha256 === undefined)
      return listing(request, await listLeases(watched, request, readPosition(next_token)));
    if (next_token !== undefined)
      wrong("next_token", "does not go with token_sha256, whose answer has one page");
    request.audit.filters = ["token_sha256"];
    return listing(request, await findLease(watched, request, readSha256(token_sha256)));
  };

function listing({ scope }: ScopedRequest, page: Omit<LeasePage, "next"> & Partial<LeasePage>): ProxyResult {
  const { leases, frozen, account, next } = page;
  return json(200, {
    ...(frozen ? { frozen: freezeFields(frozen) } : {}),
    ...(account?.checked ? { account: accountSummary(account, scope) } : {}),
    leases: leases.map(leaseFields),
    ...(next ? { next_token: writePosition(next) } : {}),
  });
}

/** `DELETE /scopes/{scope}/leases`: ends what the filters match, all of them together. */
export const deleteLeases =
  (ports: OperatePorts, scopes: Scopes) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    // A filter in the body, passed over in silence, would make the query's match more than was meant.
    readBody(request.event, []);
    const query = readQuery(request.event, [
      "lease_id",
      "caller",
      "issued_before",
      "client_id",
      "token_sha256",
      "all",
      "dry_run",
    ]);
    const revocation = readRevocation(query, ports.clock.now());
    noteTarget(request.audit, revocation);
    const watched = request.timings.of(ports);
    const ofDenial = (denial: Denial | undefined) => denialFields(scopes, request.scope, denial);
    if (readTrue(query, "dry_run")) {
      const { matched, denial } = await countLeases(watched, request, revocation);
      return json(200, { matched, ...ofDenial(denial) });
    }
    const { denial, ...counts } = await revokeLeases(watched, request, revocation);
    return json(counts.pending > 0 ? 202 : 200, { ...counts, ...ofDenial(denial) });
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
        "must be text of 1 to 256 characters on one line: the operator who unfreezes the scope will read it",
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
    const was = await unfreezeScope(request.timings.of(ports), request);
    return json(200, { frozen: null, was: was ? freezeFields(was) : null });
  };

function readRevocation(query: Query, now: number): RevocationRequest {
  const { lease_id, caller, issued_before, client_id, token_sha256 } = query;
  const filters = [lease_id, caller, issued_before, client_id, token_sha256].filter(
    (value) => value !== undefined,
  );
  if (readTrue(query, "all")) {
    if (filters.length > 0) wrong("all", "stands alone: leave the other filters out, or leave all=true out");
    return { all: true };
  }
  if (filters.length === 0)
    wrong(
      "filter",
      "give lease_id, caller, issued_before, client_id or token_sha256, or all=true for everything in the scope",
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
    tokenSha256: token_sha256 === undefined ? undefined : readSha256(token_sha256),
  };
}

function readSha256(value: string): string {
  if (!/^[0-9a-f]{64}$/.test(value))
    wrong("token_sha256", "must be the SHA-256 of a token, as 64 lower-case hex digits");
  return value;
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

/**
 * The wish of the operator, without the client id: a secret that was pasted in its place must not stand in a log. The hash is left
 * out too. If no lease has it, it may be anybody's 64 digits.
 */
function noteTarget(audit: AuditFields, request: RevocationRequest): void {
  if (request.all) {
    audit.filters = ["all"];
    return;
  }
  const { leaseId, callerArn, issuedBefore, clientId, tokenSha256 } = request;
  audit.filters = Object.entries({
    lease_id: leaseId,
    caller: callerArn,
    issued_before: issuedBefore,
    client_id: clientId,
    token_sha256: tokenSha256,
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
