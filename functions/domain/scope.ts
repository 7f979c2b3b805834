/**
 * Scope definitions: the operator's one file, checked strictly when it is compiled and again when a function
 * loads it. Every error names the scope and the field, and all errors are reported at once.
 */
import {
  type Complain,
  type FieldsOf,
  isRecord,
  listFields,
  parseInteger,
  refuseUnknown,
  type UnknownFieldAdvice,
} from "./definition-checks.ts";
import { type PrincipalPattern, parsePattern } from "./pattern.ts";
import { type AccountDefinition, parseAccount } from "./scope-account.ts";
import { parseSecret, type ScopeSecret, type SecretDefinition } from "./scope-secret.ts";
import { sharedSecretErrors } from "./shared-secrets.ts";

/** A scope as an operator writes it (infra/scopes.ts). */
export interface ScopeDefinition {
  /** Origin of the Looker instance, `https://`, with a port if it needs one and without a path. Callers get it with each token. */
  readonly lookerUrl: string;
  /** The Secrets Manager secret of one service account, with `{"client_id": "…", "client_secret": "…"}`. */
  readonly secret: SecretDefinition;
  /**
   * The rights of the service account at Looker. The account check reports any others.
   * @default - the account check reports only an admin, and access to all permissions or models
   */
  readonly account?: AccountDefinition;
  /** Callers may fetch tokens and end their own. ARNs of IAM roles or users without path. `*` and `?` work in the name. */
  readonly callers: readonly string[];
  /** Operators may list and revoke everybody's leases, and freeze the scope. ARNs in the same form. */
  readonly operators: readonly string[];
  /**
   * Life of a lease in seconds. Looker's own expiry may end it earlier.
   * @default 900
   * @minimum 120
   * @maximum 3600
   */
  readonly leaseSeconds?: number;
  /**
   * Logins that one caller may cause in any ten minutes, for the lease shared by its processes.
   * @default 10
   * @minimum 1
   * @maximum 60
   */
  readonly mintsPerTenMinutes?: number;
  /**
   * Logins of all sessions of one caller in any ten minutes. 0 switches sessions off.
   * @default 60
   * @minimum 0
   * @maximum 600
   */
  readonly sessionMintsPerTenMinutes?: number;
}

/** By name. With the names known, a misspelt one does not compile. */
export type ScopeDefinitions<Name extends string = string> = Readonly<Record<Name, ScopeDefinition>>;

/** A scope, checked. */
export interface Scope extends ScopeSecret {
  readonly name: string;
  readonly baseUrl: string;
  readonly callers: readonly PrincipalPattern[];
  readonly operators: readonly PrincipalPattern[];
  readonly leaseSeconds: number;
  readonly mintsPerTenMinutes: number;
  readonly sessionMintsPerTenMinutes: number;
  readonly account?: AccountDefinition | undefined;
}

export type Scopes = ReadonlyMap<string, Scope>;

export class ScopesError extends Error {
  override readonly name = "ScopesError";
  readonly errors: readonly string[];
  constructor(errors: readonly string[]) {
    super(`The scopes cannot be used:\n${errors.map((error) => `  - ${error}`).join("\n")}`);
    this.errors = errors;
  }
}

const fields: FieldsOf<ScopeDefinition> = {
  lookerUrl: true,
  secret: true,
  account: true,
  callers: true,
  operators: true,
  leaseSeconds: true,
  mintsPerTenMinutes: true,
  sessionMintsPerTenMinutes: true,
};
/** An own property named "__proto__" and friends cannot pass this, nor anything that a path could hide. */
export const isScopeName = (text: string): boolean => /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);

/**
 * Parses and checks scope definitions. `advice`: at synthesis, the nearest field (infra/written-scopes.ts).
 * @throws {ScopesError} with every error found.
 */
export function parseScopes(input: unknown, advice = listFields): Scopes {
  if (!isRecord(input)) throw new ScopesError(["scopes: must be an object of scope definitions by name"]);
  const errors: string[] = [];
  const scopes = new Map<string, Scope>();
  for (const [name, definition] of Object.entries(input)) {
    const complain = (field: string, error: string) =>
      errors.push(`scope ${JSON.stringify(name)}: ${field}: ${error}`);
    const scope = parseScope(name, definition, complain, advice);
    if (scope) scopes.set(name, scope);
  }
  if (scopes.size === 0 && errors.length === 0) errors.push("scopes: must define at least one scope");
  errors.push(...sharedSecretErrors([...scopes.values()]));
  if (errors.length > 0) throw new ScopesError(errors);
  return scopes;
}

function parseScope(
  name: string,
  definition: unknown,
  complain: Complain,
  advice: UnknownFieldAdvice,
): Scope | undefined {
  let failed = false;
  const wrong: Complain = (field, error) => {
    failed = true;
    complain(field, error);
  };
  if (!isScopeName(name)) wrong("name", "must be 1 to 63 of a-z, 0-9 and -, and not begin with -");
  if (!isRecord(definition)) {
    wrong("definition", "must be a plain object");
    return undefined;
  }
  refuseUnknown(definition, fields, wrong, advice);
  const baseUrl = parseLookerUrl(definition.lookerUrl, wrong);
  const { secretId, rotation } = parseSecret(definition.secret, wrong, advice);
  const account = parseAccount(definition.account, wrong, advice);
  const callers = parsePatterns(definition.callers, "callers", wrong);
  const operators = parsePatterns(definition.operators, "operators", wrong);
  const leaseSeconds = parseInteger(definition.leaseSeconds, "leaseSeconds", [120, 3600], 900, wrong);
  const mints = "mintsPerTenMinutes";
  const sessionMints = "sessionMintsPerTenMinutes";
  const mintsPerTenMinutes = parseInteger(definition[mints], mints, [1, 60], 10, wrong);
  const sessionMintsPerTenMinutes = parseInteger(definition[sessionMints], sessionMints, [0, 600], 60, wrong);
  if (failed) return undefined;
  return {
    ...{ name, baseUrl, secretId, callers, operators },
    ...{ leaseSeconds, mintsPerTenMinutes, sessionMintsPerTenMinutes, rotation, account },
  };
}

/** The origin, or "" after a complaint. Plain http is for loopback only: a login carries the client secret. */
function parseLookerUrl(value: unknown, wrong: Complain): string {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (!url) wrong("lookerUrl", 'must be a URL like "https://example.cloud.looker.com"');
  else if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname)))
    wrong("lookerUrl", "must begin with https:// (http:// is for loopback addresses only)");
  else if (url.username || url.password) wrong("lookerUrl", "must not contain credentials");
  else if (
    url.pathname !== "/" ||
    url.search ||
    url.hash ||
    String(value).endsWith("?") ||
    String(value).endsWith("#")
  )
    wrong("lookerUrl", `must be the origin alone, without path or query: "${url.origin}"`);
  else return url.origin;
  return "";
}

/** Whether a host name can only be this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function parsePatterns(value: unknown, field: string, wrong: Complain): PrincipalPattern[] {
  // An empty list must never come to mean everybody, nor a scope that no one can revoke.
  if (!Array.isArray(value) || value.length === 0) {
    wrong(field, "must be a list with at least one IAM role or user ARN");
    return [];
  }
  // A hole in a list, as in [, "arn:…"], is undefined here. `flatMap` alone would pass over it.
  return Array.from(value).flatMap((item, index) => {
    const parsed = parsePattern(item);
    // In a review a second line for one role looks like a second role.
    const twin = value.indexOf(item);
    if (!parsed.ok) wrong(`${field}[${index}]`, parsed.error);
    else if (twin < index)
      wrong(`${field}[${index}]`, `${JSON.stringify(item)} is ${field}[${twin}] already`);
    else return [parsed.pattern];
    return [];
  });
}
