/** The chain around every route: audit, problems, which API, which route, who, which scope. */
import middy from "@middy/core";
import { authorize, type Lock } from "../domain/authorize.ts";
import { type Principal, parsePrincipal } from "../domain/principal.ts";
import { Problem } from "../domain/problem.ts";
import type { Scope, Scopes } from "../domain/scope.ts";
import type { AuditFields } from "../use-cases/record.ts";
import type { Timings } from "../use-cases/timings.ts";
import { asProblem, type ProxyResult, problemAnswer } from "./answer.ts";
import { type ApiEvent, readEvent, refuseQuery } from "./api-event.ts";
import { type AuditEntry, type AuditOptions, auditing } from "./audit.ts";

/** A request whose caller is verified. */
export interface CallerRequest {
  readonly event: ApiEvent;
  readonly principal: Principal;
  /** Epoch milliseconds by which the use case must be done; some time is kept for the answer. */
  readonly deadline: number;
  readonly audit: AuditFields;
  readonly timings: Timings;
}

/** A request that the scope's own list allows. */
export interface ScopedRequest extends CallerRequest {
  readonly scope: Scope;
}

/** A verb on the one scope that the path names. */
interface ScopedRoute {
  readonly verb: string;
  readonly lock: Lock;
  handle(request: ScopedRequest): Promise<ProxyResult>;
}

/** A verb that any verified caller may use. */
interface OpenRoute {
  readonly verb: string;
  readonly lock: "any";
  handle(request: CallerRequest): Promise<ProxyResult>;
}

export interface ApiOptions {
  readonly apiId: string;
  readonly stage: string;
  readonly scopes: Scopes;
  /** By `METHOD resource`. */
  readonly routes: Readonly<Record<string, ScopedRoute | OpenRoute>>;
  readonly audit: AuditOptions;
}

/** Of a refusal's record: a line is kept short. */
const mostPatterns = 20;
/** Kept of an invocation's time for settling and answering. */
const reserveMs = 1_000;

interface Context {
  awsRequestId?: string;
  getRemainingTimeInMillis?(): number;
}

export function apiHandler(options: ApiOptions): (event: unknown, context: Context) => Promise<ProxyResult> {
  const records = auditing(options.audit);
  const handler = middy(
    (event: unknown, context: Context) =>
      records.follow(
        event as object,
        answer(options, records.entryOf(event as object), readEvent(event), context),
      ),
    {
      // Every step has its own time-out, so this is for what nobody thought of; then too there is an answer and a record.
      timeoutEarlyInMillis: 300,
      timeoutEarlyResponse: () => {
        throw new Problem("busy", { retryAfterSeconds: 1, reason: "timed_out" });
      },
    },
  )
    .use(records)
    .onError((request) => {
      const problem = asProblem(request.error);
      request.error = problem;
      request.response = problemAnswer(problem, readEvent(request.event).requestId);
    });
  return handler as unknown as (event: unknown, context: Context) => Promise<ProxyResult>;
}

async function answer(
  { apiId, stage, scopes, routes, audit: { now } }: ApiOptions,
  entry: AuditEntry,
  event: ApiEvent,
  context: Context,
): Promise<ProxyResult> {
  // An API that somebody pointed at this function, and the console's test page, bring identities of their own choosing.
  if (event.apiId !== apiId || event.stage !== stage)
    throw new Problem("not_allowed", { reason: "foreign_api" });
  const route = Object.hasOwn(routes, event.route) ? routes[event.route] : undefined;
  if (!route) throw new Problem("not_allowed", { reason: "unknown_route" });
  entry.verb = route.verb;
  const parsed = parsePrincipal(event.identity);
  if (!parsed.ok) throw new Problem("not_allowed", { reason: parsed.reason });
  const { principal } = parsed;
  entry.caller = principal;
  const deadline = now() + (context.getRemainingTimeInMillis?.() ?? 28_000) - reserveMs;
  const request: CallerRequest = {
    event,
    principal,
    deadline,
    audit: entry.audit,
    timings: entry.timings,
  };
  if (route.lock === "any") {
    refuseQuery(event);
    return await route.handle(request);
  }
  const authorization = authorize(scopes, event.scopeName, principal, route.lock);
  if (!authorization.ok) {
    const { reason } = authorization;
    throw notListed(
      entry.audit,
      route.lock,
      "patterns" in authorization ? authorization.patterns : undefined,
      {
        reason,
      },
    );
  }
  return await route.handle({ ...request, scope: authorization.scope });
}

/** A refusal by a scope's list. Only the operators' record says which list, and what is in it. */
export function notListed(
  audit: AuditFields,
  lock: Lock,
  patterns: readonly string[] | undefined,
  refusal: { reason: string; detail?: string },
): Problem {
  audit.lock = lock;
  if (patterns) audit.patterns = patterns.slice(0, mostPatterns);
  return new Problem("not_allowed", refusal);
}
