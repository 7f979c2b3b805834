/** The one authorisation path, for every verb: the scope's own lists. Deny is the default. */
import { matchesPattern } from "./pattern.ts";
import type { Principal } from "./principal.ts";
import type { Scope, Scopes } from "./scope.ts";

export type Lock = "callers" | "operators";

export type Authorization =
  | { ok: true; scope: Scope }
  /** For the operator's record only; callers hear the same for every reason. */
  | { ok: false; reason: "unknown_scope" }
  | { ok: false; reason: "not_in_callers" | "not_in_operators"; patterns: readonly string[] };

export function authorize(
  scopes: Scopes,
  scopeName: string | undefined,
  principal: Principal,
  lock: Lock,
): Authorization {
  const scope = (scopes as ReadonlyMap<string | undefined, Scope>).get(scopeName);
  if (!scope) return { ok: false, reason: "unknown_scope" };
  if (!scope[lock].some((pattern) => matchesPattern(pattern, principal)))
    return { ok: false, reason: `not_in_${lock}`, patterns: scope[lock].map(({ text }) => text) };
  return { ok: true, scope };
}

/** All scopes whose callers log in with this secret. */
export const scopesOfSecret = (scopes: Scopes, secretId: string): Scope[] =>
  [...scopes.values()].filter((scope) => scope.secretId === secretId);

/** For a change that reaches every scope of the secret. @returns the first scope that does not list the operator */
export function firstNotOperated(
  scopes: Scopes,
  { secretId }: Scope,
  principal: Principal,
): Scope | undefined {
  return scopesOfSecret(scopes, secretId).find(
    ({ operators }) => !operators.some((pattern) => matchesPattern(pattern, principal)),
  );
}

export type May = "token" | "operate";

/** What a principal may do, scope by scope; scopes in which it may do nothing are left out. */
export function permissions(scopes: Scopes, principal: Principal): { scope: Scope; may: May[] }[] {
  const listed = (scope: Scope, lock: Lock) =>
    scope[lock].some((pattern) => matchesPattern(pattern, principal));
  return [...scopes.values()].flatMap((scope) => {
    const may: May[] = [
      ...(listed(scope, "callers") ? ["token" as const] : []),
      ...(listed(scope, "operators") ? ["operate" as const] : []),
    ];
    return may.length > 0 ? [{ scope, may }] : [];
  });
}
