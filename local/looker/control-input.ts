import { isJsonObject } from "../json-object.ts";
import type { AccountRights } from "./accounts.ts";
import {
  FAULT_KINDS,
  FAULT_METHODS,
  FAULT_ROUTES,
  type Fault,
  type FaultKind,
  SPOILS_ANSWER,
} from "./faults.ts";
import type { LookerSettings } from "./instance.ts";
import { PERMISSIONS } from "./permissions.ts";

/** Its message says what is accepted. */
export class BadInput extends Error {}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value !== "";
const isOrigin: Check = (value) =>
  typeof value === "string" && URL.canParse(value) && new URL(value).origin === value;
const isBetween =
  (low: number, high: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
const isOneOf =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);

interface Field {
  check: Check;
  accepts: string;
  required?: boolean;
}
type Fields = Record<string, Field>;

const DAY_MS = 86_400_000;
const oneOf = (values: readonly unknown[]): Field => ({
  check: isOneOf(values),
  accepts: values.join(" | "),
});
const between = (low: number, high: number): Field => ({
  check: isBetween(low, high),
  accepts: `whole number ${low}..${high}`,
});
const text: Field = { check: isText, accepts: "text" };
const flag = oneOf([true, false]);
const listOf = (check: Check, accepts: string): Field => ({
  check: (value) => Array.isArray(value) && value.every(check),
  accepts: `list of ${accepts}`,
});
const required = (field: Field): Field => ({ ...field, required: true });

export const INPUTS = {
  fault: {
    route: required(oneOf(FAULT_ROUTES)),
    method: oneOf(FAULT_METHODS),
    kind: required(oneOf(FAULT_KINDS)),
    when: oneOf(["before", "after"]),
    times: between(1, 1_000_000),
    delay_ms: between(0, 600_000),
    status: between(400, 599),
    retry_after: {
      check: (value) => isText(value) || isBetween(0, DAY_MS)(value),
      accepts: "seconds | date",
    },
    location: text,
    bytes: between(1, 256 * 1024 * 1024),
    fields: { check: isJsonObject, accepts: "object put over the real answer" },
  },
  expire: { sha256: text, all: oneOf([true]) },
  end: { client_id: required(text) },
  secret: { client_id: required(text), client_secret: required(text) },
  disable: { client_id: required(text), disabled: required(flag) },
  user: {
    user_id: required(text),
    admin: flag,
    permissions: listOf(isOneOf(PERMISSIONS), PERMISSIONS.join(" | ")),
    models: listOf(isText, "text"),
    can_manage_credentials: flag,
    disabled: flag,
    iam_admin: flag,
  },
  clock: { advance_ms: required(between(0, 365 * DAY_MS)) },
  settings: {
    token_seconds: between(1, 86_400),
    locked_out_status: oneOf([404, 403, 429]),
    expired_logout_status: oneOf([404, 401]),
    refresh_token: oneOf(["absent", "null"]),
    tokens_of_deleted_pairs: oneOf(["live", "ended", "live_without_logout"]),
    own_pairs_by_api: flag,
    pair_refusal_status: oneOf([404, 403]),
    max_pairs_per_user: between(1, 1000),
    too_many_pairs_status: oneOf([422, 409]),
    cors_origins: listOf(isOrigin, "origin, such as http://localhost:5173"),
    rotates_refresh_tokens: flag,
    reused_code: oneOf(["refused", "ends_tokens"]),
    unknown_app_status: oneOf([401, 400]),
  },
} satisfies Record<string, Fields>;

/** Which field belongs to which kind alone; a field that would be ignored is an error instead. */
const ONLY_FOR: Record<string, FaultKind> = {
  status: "status",
  retry_after: "status",
  location: "redirect",
  bytes: "huge_body",
  fields: "wrong_types",
};

export function describe(fields: Fields): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { accepts, required }]) => [
      name,
      required ? `${accepts} (required)` : accepts,
    ]),
  );
}

/** The values themselves are not echoed: one of them may be a client secret. */
export function parse(fields: Fields, value: unknown): Record<string, unknown> {
  const accepted = `accepted: ${JSON.stringify(describe(fields))}`;
  if (!isJsonObject(value)) throw new BadInput(`The body must be a JSON object; ${accepted}`);
  const input = value as Record<string, unknown>;
  for (const name of Object.keys(input)) {
    if (!Object.hasOwn(fields, name)) throw new BadInput(`Unknown field; ${accepted}`);
  }
  for (const [name, field] of Object.entries(fields)) {
    if (input[name] === undefined) {
      if (field.required) throw new BadInput(`${name} is missing; ${accepted}`);
    } else if (!field.check(input[name])) {
      throw new BadInput(`${name} must be ${field.accepts}; ${accepted}`);
    }
  }
  return input;
}

export function parseFault(value: unknown): Fault {
  const input = parse(INPUTS.fault, value);
  const kind = input.kind as FaultKind;
  for (const [name, only] of Object.entries(ONLY_FOR)) {
    if (input[name] !== undefined && kind !== only) {
      throw new BadInput(`${name} is accepted with kind ${only} only.`);
    }
  }
  if (kind === "delay" && input.delay_ms === undefined) throw new BadInput("kind delay needs delay_ms.");
  if (kind === "status" && input.status === undefined) throw new BadInput("kind status needs status.");
  if (SPOILS_ANSWER.includes(kind) && input.when === "before") {
    throw new BadInput(`kind ${kind} spoils a real answer: when is "after", or left out.`);
  }
  const { retry_after: retryAfter } = input;
  const texts = retryAfter === undefined ? {} : { retry_after: String(retryAfter) };
  return camelCase({ ...input, ...texts }) as unknown as Fault;
}

export function parseUser(value: unknown): { userId: string; rights: AccountRights } {
  const { user_id: userId, ...rights } = parse(INPUTS.user, value);
  return { userId: String(userId), rights: camelCase(rights) as AccountRights };
}

export function parseSettings(value: unknown): Partial<LookerSettings> {
  return camelCase(parse(INPUTS.settings, value)) as Partial<LookerSettings>;
}

/** Only the names of this interface. A fault's `fields` are those of an answer, and stay. */
function camelCase(input: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}
