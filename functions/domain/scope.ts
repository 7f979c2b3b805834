/**
 * Scope definitions: the operator's one file, checked strictly when it is compiled and again when a function
 * loads it. Every error names the scope and the field, and all errors are reported at once.
 */
import { type PrincipalPattern, parsePattern } from "./pattern.ts";

/** A scope as an operator writes it (infra/scopes.ts). */
export interface ScopeDefinition {
  /** Origin of the Looker instance, `https://`, with a port if it needs one and without a path. Callers get it with each token. */
  readonly lookerUrl: string;
  /** The Secrets Manager secret of one service account, with `{"client_id": "…", "client_secret": "…"}`. */
  readonly secret: {
    /** Name of a secret in the broker's account and region. Give a name or an ARN. */
    readonly secretName?: string;
    /** Full ARN, for a secret of another account. An ARN of the broker's own account means the secret of that name. */
    readonly secretArn?: string;
    /**
     * ARN of the KMS key that encrypts the secret. A secret of another account needs one.
     * @default - the account's `aws/secretsmanager`
     */
    readonly encryptionKeyArn?: string;
  };
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
export interface Scope {
  readonly name: string;
  readonly baseUrl: string;
  /** Argument of `GetSecretValue`: the name or the ARN. */
  readonly secretId: string;
  readonly callers: readonly PrincipalPattern[];
  readonly operators: readonly PrincipalPattern[];
  readonly leaseSeconds: number;
  readonly mintsPerTenMinutes: number;
  readonly sessionMintsPerTenMinutes: number;
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

/** Objects and not lists, so that the compiler keeps them whole. */
const fields: Record<keyof ScopeDefinition, true> = {
  lookerUrl: true,
  secret: true,
  callers: true,
  operators: true,
  leaseSeconds: true,
  mintsPerTenMinutes: true,
  sessionMintsPerTenMinutes: true,
};
const secretFields: Record<keyof ScopeDefinition["secret"], true> = {
  secretName: true,
  secretArn: true,
  encryptionKeyArn: true,
};
const secretArnShape =
  /^arn:aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?:secretsmanager:[a-z0-9-]+:\d{12}:secret:([\w/+=.@-]+)-\w{6}$/;
const keyArnShape = /^arn:aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;

/** An own property named "__proto__" and friends cannot pass this, nor anything that a path could hide. */
export const isScopeName = (text: string): boolean => /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);

/** Advice about a field that there is not. */
export type UnknownFieldAdvice = (name: string, fields: readonly string[]) => string;

const listFields: UnknownFieldAdvice = (_, known) => `is not a field; the fields are ${known.join(", ")}`;

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

type Complain = (field: string, error: string) => void;

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
  const secretId = parseSecret(definition.secret, wrong, advice);
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
    ...{ leaseSeconds, mintsPerTenMinutes, sessionMintsPerTenMinutes },
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

function parseSecret(value: unknown, wrong: Complain, advice: UnknownFieldAdvice): string {
  if (!isRecord(value)) {
    wrong("secret", 'must be an object like { secretName: "looker/sales" }');
    return "";
  }
  refuseUnknown(value, secretFields, (field, error) => wrong(`secret.${field}`, error), advice);
  const { secretName, secretArn, encryptionKeyArn } = value;
  if (
    encryptionKeyArn !== undefined &&
    !(typeof encryptionKeyArn === "string" && keyArnShape.test(encryptionKeyArn))
  )
    wrong("secret.encryptionKeyArn", "must be the ARN of a KMS key (not of an alias)");
  if ((secretName === undefined) === (secretArn === undefined))
    wrong("secret", "needs either secretName or secretArn");
  else if (secretArn !== undefined) {
    if (typeof secretArn === "string" && secretArnShape.test(secretArn)) return secretArn;
    wrong("secret.secretArn", "must be a full secret ARN, ending in - and six characters");
  } else if (typeof secretName === "string" && /^[\w/+=.@-]{1,512}$/.test(secretName)) return secretName;
  else if (String(secretName).startsWith("arn:"))
    wrong("secret.secretName", "is an ARN: write it as secretArn");
  else wrong("secret.secretName", "must be 1 to 512 of letters, digits and /_+=.@-");
  return "";
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

function parseInteger(
  value: unknown,
  field: string,
  [min, max]: [number, number],
  preset: number,
  wrong: Complain,
): number {
  if (value === undefined) return preset;
  const number = value as number;
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  wrong(field, `must be a whole number from ${min} to ${max}`);
  return preset;
}

function refuseUnknown(
  value: Record<string, unknown>,
  known: Readonly<Record<string, true>>,
  wrong: Complain,
  advice: UnknownFieldAdvice,
): void {
  for (const key of Object.keys(value))
    if (!Object.hasOwn(known, key)) wrong(key, advice(key, Object.keys(known)));
}

/**
 * One secret belongs to one Looker URL, because a second URL would be sent the first one's client secret. All scopes must
 * spell the secret the same way: its lock-out guard is kept under this spelling, so two spellings would be two guards.
 */
function sharedSecretErrors(scopes: readonly Scope[]): string[] {
  const errors: string[] = [];
  const name = (secretId: string) => secretArnShape.exec(secretId)?.[1] ?? secretId;
  for (const scope of scopes) {
    // At the latest, it is found itself.
    const twin =
      scopes.find((other) => {
        const bothArns = other.secretId.startsWith("arn:") && scope.secretId.startsWith("arn:");
        return bothArns ? other.secretId === scope.secretId : name(other.secretId) === name(scope.secretId);
      }) ?? scope;
    const where = `scope ${JSON.stringify(scope.name)}: secret`;
    if (twin.baseUrl !== scope.baseUrl)
      errors.push(
        `${where}: is also the secret of scope ${JSON.stringify(twin.name)}, which has another lookerUrl ` +
          `(${twin.baseUrl}, not ${scope.baseUrl}); one secret belongs to one Looker`,
      );
    if (twin.secretId !== scope.secretId)
      errors.push(
        `${where}: is the secret of scope ${JSON.stringify(twin.name)} too; write it the same way in both`,
      );
  }
  return errors;
}

/** Of own fields alone: inherited ones would be lost in the JSON that the functions read. */
function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  // Another realm has another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
