/**
 * Every verb on a scope, asked for so that it does no harm if a lock is open that should not be: what would change
 * something is not valid and then a 400, which comes after both locks.
 */
import { answersWith, type Check, type Expectation, refused } from "../check.ts";
import type { ProbeContext } from "../context.ts";
import type { ProbeRequest } from "../request.ts";

interface Verb {
  readonly name: string;
  readonly may: "token" | "operate";
  readonly request: ProbeRequest;
  /** The answer to whoever may. */
  readonly letIn: Expectation;
}

export const tokenPath = (scope: string) => `/scopes/${scope}/token`;

/** Asks for a lease of no length. */
export const harmlessToken = (path: string): ProbeRequest => ({
  method: "POST",
  path,
  body: '{"min_ttl_seconds": 0}',
});

export function verbsOn(scope: string, callerArn: string): Verb[] {
  const [leases, freeze] = [`/scopes/${scope}/leases`, `/scopes/${scope}/freeze`];
  const nobody = callerArn.replace(/:(?:role|user)\/.*$/, ":role/nobody-probed");
  const invalid = answersWith(400, "bad_request");
  return [
    { name: "token, of no length", may: "token", request: harmlessToken(tokenPath(scope)), letIn: invalid },
    {
      name: "logout, of no lease",
      may: "token",
      request: { method: "POST", path: `/scopes/${scope}/logout`, body: '{"lease_id": ""}' },
      letIn: invalid,
    },
    {
      name: "list leases",
      may: "operate",
      request: { method: "GET", path: leases },
      letIn: answersWith(200),
    },
    {
      name: "revoke, of nobody and as a dry run",
      may: "operate",
      request: { method: "DELETE", path: leases, query: { caller: nobody, dry_run: "true" } },
      letIn: answersWith(200),
    },
    {
      name: "freeze, without a reason",
      may: "operate",
      request: { method: "PUT", path: freeze, body: "{}" },
      letIn: invalid,
    },
    {
      name: "unfreeze, with an unknown query",
      may: "operate",
      request: { method: "DELETE", path: freeze, query: { probe: "true" } },
      letIn: invalid,
    },
  ];
}

/** What works for whom `may` says, and for nobody else. */
export const ownVerbs = ({ scope, caller }: ProbeContext): Check[] =>
  verbsOn(scope.scope, caller.arn).map(({ name, may, request, letIn }) => ({
    what: name,
    request,
    expect: scope.may.includes(may) ? letIn : refused,
  }));
