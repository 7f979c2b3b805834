/**
 * Scope definitions: the operator's one file, checked strictly when it is compiled and again when a function
 * loads it. Every error names the scope and the field, and all errors are reported at once.
 */
import { type FindingCode, findingCodes } from "./finding.ts";
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
    /**
     * Lets Secrets Manager replace the pair. It needs a secret of the broker's account.
     * @default - the pair is replaced by hand
     */
    readonly rotation?: RotationDefinition;
  };
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

/** How the pair of a secret is replaced. */
export interface RotationDefinition {
  /**
   * Days from one rotation to the next.
   * @minimum 1
   * @maximum 365
   */
  readonly everyDays: number;
  /**
   * The secret with the pair of a Looker account that may manage the service account's pairs. Give a name or an ARN.
   * @default - the service account's own pair. Looker must let the account manage its own pairs
   */
  readonly administrator?: SecretReference;
}

/** A secret with `{"client_id": "…", "client_secret": "…"}`. */
export interface SecretReference {
  /** Name of a secret in the broker's account and region. */
  readonly secretName?: string;
  /** Full ARN, for a secret of another account. */
  readonly secretArn?: string;
  /**
   * ARN of the KMS key that encrypts the secret.
   * @default - the account's `aws/secretsmanager`
   */
  readonly encryptionKeyArn?: string;
}

/** The rights of a service account, and findings about it that are known and wanted. */
export interface AccountDefinition {
  /**
   * Looker permissions that the account may have, such as `see_lookml_dashboards`.
   * @default - any
   */
  readonly permissions?: readonly string[];
  /**
   * LookML models that the account may see.
   * @default - any
   */
  readonly models?: readonly string[];
  /**
   * Findings that raise no alarm for this scope.
   * @default - none
   */
  readonly accept?: readonly FindingCode[];
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
  readonly rotation?: Rotation | undefined;
  readonly account?: AccountDefinition | undefined;
}

/** Of a secret, checked. */
export interface Rotation {
  readonly everyDays: number;
  /** Argument of `GetSecretValue`. Undefined where the service account replaces its own pair. */
  readonly administratorId?: string | undefined;
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
  account: true,
  callers: true,
  operators: true,
  leaseSeconds: true,
  mintsPerTenMinutes: true,
  sessionMintsPerTenMinutes: true,
};
const referenceFields: Record<keyof SecretReference, true> = {
  secretName: true,
  secretArn: true,
  encryptionKeyArn: true,
};
const secretFields: Record<keyof ScopeDefinition["secret"], true> = { ...referenceFields, rotation: true };
const rotationFields: Record<keyof RotationDefinition, true> = { everyDays: true, administrator: true };
const accountFields: Record<keyof AccountDefinition, true> = {
  permissions: true,
  models: true,
  accept: true,
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

function parseSecret(
  value: unknown,
  wrong: Complain,
  advice: UnknownFieldAdvice,
): Pick<Scope, "secretId" | "rotation"> {
  const secretId = parseReference(value, "secret", secretFields, wrong, advice);
  if (!isRecord(value) || value.rotation === undefined) return { secretId };
  const { rotation } = value;
  if (!isRecord(rotation)) {
    wrong("secret.rotation", "must be an object like { everyDays: 30 }");
    return { secretId };
  }
  refuseUnknown(rotation, rotationFields, within("secret.rotation", wrong), advice);
  if (secretId.startsWith("arn:"))
    wrong(
      "secret.rotation",
      "is for a secret of the broker's account: the owner of this one must rotate it there",
    );
  if (rotation.everyDays === undefined) wrong("secret.rotation.everyDays", "is missing");
  const everyDays = parseInteger(rotation.everyDays, "secret.rotation.everyDays", [1, 365], 30, wrong);
  const { administrator } = rotation;
  if (administrator === undefined) return { secretId, rotation: { everyDays } };
  const field = "secret.rotation.administrator";
  const administratorId = parseReference(administrator, field, referenceFields, wrong, advice);
  return { secretId, rotation: { everyDays, administratorId } };
}

/** The name or the ARN, or "" after a complaint. */
function parseReference(
  value: unknown,
  field: string,
  known: Readonly<Record<string, true>>,
  wrong: Complain,
  advice: UnknownFieldAdvice,
): string {
  if (!isRecord(value)) {
    wrong(field, 'must be an object like { secretName: "looker/sales" }');
    return "";
  }
  refuseUnknown(value, known, within(field, wrong), advice);
  const { secretName, secretArn, encryptionKeyArn } = value;
  if (
    encryptionKeyArn !== undefined &&
    !(typeof encryptionKeyArn === "string" && keyArnShape.test(encryptionKeyArn))
  )
    wrong(`${field}.encryptionKeyArn`, "must be the ARN of a KMS key (not of an alias)");
  if ((secretName === undefined) === (secretArn === undefined))
    wrong(field, "needs either secretName or secretArn");
  else if (secretArn !== undefined) {
    if (typeof secretArn === "string" && secretArnShape.test(secretArn)) return secretArn;
    wrong(`${field}.secretArn`, "must be a full secret ARN, ending in - and six characters");
  } else if (typeof secretName === "string" && /^[\w/+=.@-]{1,512}$/.test(secretName)) return secretName;
  else if (String(secretName).startsWith("arn:"))
    wrong(`${field}.secretName`, "is an ARN: write it as secretArn");
  else wrong(`${field}.secretName`, "must be 1 to 512 of letters, digits and /_+=.@-");
  return "";
}

const within =
  (parent: string, wrong: Complain): Complain =>
  (field, error) =>
    wrong(`${parent}.${field}`, error);

function parseAccount(value: unknown, wrong: Complain, advice: UnknownFieldAdvice): Scope["account"] {
  if (value === undefined) return undefined;
  if (!isRecord(value)) {
    wrong("account", 'must be an object like { permissions: ["access_data"], models: ["sales"] }');
    return undefined;
  }
  refuseUnknown(value, accountFields, within("account", wrong), advice);
  const names = (
    field: "permissions" | "models" | "accept",
    isKnown: (name: string) => boolean,
    are: string,
  ) => {
    const list = value[field];
    if (list === undefined) return undefined;
    if (Array.isArray(list) && Array.from(list).every((name) => typeof name === "string" && isKnown(name)))
      return list as string[];
    wrong(`account.${field}`, `must be a list of ${are}`);
    return undefined;
  };
  const isName = (name: string) => /^[\w.:-]{1,255}$/.test(name);
  const permissions = names("permissions", isName, "Looker permissions");
  const models = names("models", isName, "names of LookML models");
  const isCode = (name: string) => findingCodes.some((code) => code === name);
  const accept = names("accept", isCode, `findings: ${findingCodes.join(", ")}`) as FindingCode[] | undefined;
  return { ...(permissions && { permissions }), ...(models && { models }), ...(accept && { accept }) };
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

/** A secret of a scope with the Looker that its pair is of: the scope's own, or the administrator's of its rotation. */
interface UsedSecret {
  readonly scope: Scope;
  readonly secretId: string;
  /** As written, for people. */
  readonly field: "secret" | "secret.rotation.administrator";
}

const secretsOf = (scope: Scope): UsedSecret[] => {
  const administratorId = scope.rotation?.administratorId;
  return [
    { scope, secretId: scope.secretId, field: "secret" },
    ...(administratorId === undefined
      ? []
      : [{ scope, secretId: administratorId, field: "secret.rotation.administrator" } as const]),
  ];
};

/**
 * One secret belongs to one Looker URL, because a second URL would be sent the first one's client secret. All scopes must
 * spell the secret the same way: its lock-out guard is kept under this spelling, so two spellings would be two guards.
 */
function sharedSecretErrors(scopes: readonly Scope[]): string[] {
  const errors: string[] = [];
  const name = (secretId: string) => secretArnShape.exec(secretId)?.[1] ?? secretId;
  const isSame = (one: string, other: string) =>
    one.startsWith("arn:") && other.startsWith("arn:") ? one === other : name(one) === name(other);
  const all = scopes.flatMap(secretsOf);
  for (const used of all) {
    // At the latest, it is found itself.
    const twin = all.find((other) => isSame(other.secretId, used.secretId)) ?? used;
    const where = `scope ${JSON.stringify(used.scope.name)}: ${used.field}`;
    const twinScope = JSON.stringify(twin.scope.name);
    if (twin.scope.baseUrl !== used.scope.baseUrl)
      errors.push(
        `${where}: is also the secret of scope ${twinScope}, which has another lookerUrl ` +
          `(${twin.scope.baseUrl}, not ${used.scope.baseUrl}); one secret belongs to one Looker`,
      );
    if (twin.secretId !== used.secretId)
      errors.push(`${where}: is the secret of scope ${twinScope} too; write it the same way in both`);
    if (twin.field !== used.field)
      errors.push(
        `${where}: is the ${twin.field} of scope ${twinScope}. Callers must not get an administrator's tokens`,
      );
    const [one, other] = [twin.scope.rotation, used.scope.rotation];
    const differ = one?.everyDays !== other?.everyDays || one?.administratorId !== other?.administratorId;
    if (used.field === "secret" && twin.field === "secret" && one && other && differ)
      errors.push(
        `${where}.rotation: differs from the rotation of the same secret in scope ${twinScope}. A secret has one rotation`,
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
