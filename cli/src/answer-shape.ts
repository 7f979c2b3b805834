/**
 * Whether an answer of 2xx is a broker's at all. A proxy's page, or a mock that says `{}` to everything, must never become
 * "revoked": what is printed here is believed.
 */
import { type BrokerRequest, TokenBrokerError } from "@looker-token-broker/client/broker";
import { isWebAddress } from "./looker-url.ts";

const isText = (value: unknown) => typeof value === "string" && value !== "";
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isRecord = (value: unknown) => typeof value === "object" && value !== null;
const isTime = (value: unknown) => typeof value === "string" && !Number.isNaN(Date.parse(value));
const isSize = (value: unknown) => value === "all" || isCount(value);
const isBoolean = (value: unknown) => typeof value === "boolean";
const nullOr = (fits: Fits) => (value: unknown) => value === null || fits(value);
const optional = (fits: Fits) => (value: unknown) => value === undefined || fits(value);
const listOf = (fits: Fits) => (value: unknown) => Array.isArray(value) && value.every(fits);
const recordOf = (shape: Shape) => (value: unknown) => {
  const record = Object(value) as Record<string, unknown>;
  return Object.entries(shape).every(([field, fits]) => fits(record[field]));
};

type Fits = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Fits>>;

const ended: Shape = { revoked: isCount, pending: isCount };
const denial = optional(recordOf({ scopes: listOf(isText), in_use: isBoolean }));

/** By method and the path's segment behind the scope, as docs/reference/openapi.yaml has it. */
const shapes: Readonly<Record<string, Shape>> = {
  "GET scopes": { caller: isRecord, scopes: Array.isArray },
  "POST token": {
    access_token: isText,
    lease_id: isText,
    base_url: isWebAddress,
    expires_in: (value) => isCount(value) && value !== 0,
  },
  "POST logout": ended,
  "GET leases": { leases: Array.isArray, account: optional(recordOf({ findings: listOf(isText) })) },
  "GET account": {
    checked_at: nullOr(isTime),
    client_id: nullOr(isText),
    user: nullOr(recordOf({ id: isText, display_name: nullOr(isText) })),
    roles: listOf(recordOf({ name: isText, permissions: isSize, models: isSize })),
    findings: listOf(recordOf({ code: isText, detail: isText, accepted: isBoolean })),
    hidden: listOf(isText),
    failed: optional(recordOf({ at: isTime, reason: isText })),
  },
  "DELETE leases": { matched: isCount, ...ended, denial },
  "PUT freeze": { frozen: isRecord, ...ended },
  "DELETE freeze": {
    frozen: (value) => value === null,
    // A broker of before does not say it.
    was: optional(nullOr(recordOf({ by: isText, at: isTime, reason: isText }))),
  },
  "DELETE denials": { denied: (value) => value === false },
};

/** @throws {TokenBrokerError} `not_a_broker` */
export function checkAnswer({ method, path, query }: BrokerRequest, body: unknown): void {
  const shape: Shape | undefined =
    query?.dry_run === "true"
      ? { matched: isCount, denial }
      : shapes[`${method} ${path.split("/")[3] ?? "scopes"}`];
  if (!shape || !recordOf(shape)(body)) throw notABroker();
}

export const notABroker = (): TokenBrokerError =>
  new TokenBrokerError("not_a_broker", "What answers there is no token broker.");
