/** The callers' verbs: HTTP ↔ use cases. */
import { permissions } from "../domain/authorize.ts";
import { Problem } from "../domain/problem.ts";
import type { Scopes } from "../domain/scope.ts";
import { isSessionName } from "../domain/session-budget.ts";
import type { LogOutPorts } from "../use-cases/end-tokens.ts";
import { issueToken } from "../use-cases/issue.ts";
import { logOut } from "../use-cases/log-out.ts";
import type { MintPorts } from "../use-cases/mint-job.ts";
import type { SlotKey } from "../use-cases/ports.ts";
import { json, type ProxyResult } from "./answer.ts";
import { isLeaseId, readBody, refuseQuery } from "./api-event.ts";
import type { CallerRequest, ScopedRequest } from "./api-handler.ts";

const defaultMinTtlSeconds = 60;

/** `POST /scopes/{scope}/token`. The answer has the form of RFC 6749 §5.1, with the remaining seconds in `expires_in`. */
export const postToken =
  (ports: MintPorts) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    const { scope, event, deadline, audit } = request;
    refuseQuery(event);
    const body = readBody(event, ["min_ttl_seconds", "stale_lease_id", "session"]);
    const { min_ttl_seconds: minTtlSeconds = defaultMinTtlSeconds } = body;
    const most = Math.floor(scope.leaseSeconds / 2);
    if (
      typeof minTtlSeconds !== "number" ||
      !Number.isInteger(minTtlSeconds) ||
      minTtlSeconds < 1 ||
      minTtlSeconds > most
    )
      throw new Problem("bad_request", {
        detail: `min_ttl_seconds must be a whole number from 1 to ${most}, half of the scope's lease.`,
      });
    const key = slotKeyOf(request, body);
    if (key.session !== undefined && scope.sessionMintsPerTenMinutes === 0)
      throw new Problem("bad_request", {
        detail: "session: sessions are switched off in this scope. Leave it out to share the caller's lease.",
      });
    const token = await issueToken(request.timings.of(ports), {
      scope,
      key,
      callerArn: request.principal.callerArn,
      minTtlSeconds,
      staleLeaseId: readLeaseId(body, "stale_lease_id"),
      deadline,
      audit,
    });
    return json(200, {
      access_token: token.accessToken,
      token_type: "Bearer",
      expires_in: token.expiresInSeconds,
      scope: scope.name,
      lease_id: token.leaseId,
      base_url: token.baseUrl,
    });
  };

/** `POST /scopes/{scope}/logout`: one of the caller's leases, those of a session, or all of them. 202 while anything is pending. */
export const postLogout =
  (ports: LogOutPorts) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    const { event, deadline, audit } = request;
    refuseQuery(event);
    const body = readBody(event, ["lease_id", "session"]);
    const ended = await logOut(request.timings.of(ports), {
      key: slotKeyOf(request, body),
      leaseId: readLeaseId(body, "lease_id"),
      deadline,
      audit,
    });
    return json(ended.pending > 0 ? 202 : 200, ended);
  };

/** `GET /scopes`: the caller as the broker sees it, and its permissions. */
export const getScopes =
  (scopes: Scopes) =>
  async ({ event, principal, audit }: CallerRequest): Promise<ProxyResult> => {
    readBody(event, []);
    audit.outcome = "listed";
    return json(200, {
      caller: { arn: principal.callerArn, account: principal.account, unique_id: principal.uniqueId },
      scopes: permissions(scopes, principal).map(({ scope, may }) => ({
        scope: scope.name,
        base_url: scope.baseUrl,
        lease_seconds: scope.leaseSeconds,
        may,
      })),
    });
  };

function slotKeyOf(
  { scope, principal, audit }: ScopedRequest,
  { session }: Record<string, unknown>,
): SlotKey {
  const caller = { scope: scope.name, account: principal.account, uniqueId: principal.uniqueId };
  if (session === undefined) return caller;
  // `null` or "" must not come to mean the shared lease, nor all of them.
  if (typeof session !== "string" || !isSessionName(session))
    throw new Problem("bad_request", {
      detail:
        "session must be 1 to 64 letters, digits, dots, underscores and hyphens, and begin with a letter or digit.",
    });
  audit.session = session;
  return { ...caller, session };
}

function readLeaseId(body: Record<string, unknown>, field: string): string | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  // `null` or "" must not come to mean "all of them".
  if (!isLeaseId(value))
    throw new Problem("bad_request", { detail: `${field} must be a lease_id as the broker gave it.` });
  return value;
}
