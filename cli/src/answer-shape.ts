/**
 * Whether an answer of 2xx is a broker's at all. A proxy's page, or a mock that says `{}` to everything, must never become
 * "revoked": what is printed here is believed.
 */
import { type BrokerRequest, TokenBrokerError } from "@looker-token-broker/client/broker";
import { isWebAddress } from "./looker-url.ts";

const isText = (value: unknown) => typeof value === "string" && value !== "";
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isRecord = (value: unknown) => typeof value === "object" && value !== null;

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

const ended: Shape = { revoked: isCount, pending: isCount };

/** By method and the path's last segment, as docs/reference/openapi.yaml has it. */
const shapes: Readonly<Record<string, Shape>> = {
  "GET scopes": { caller: isRecord, scopes: Array.isArray },
  "POST token": {
    access_token: isText,
    lease_id: isText,
    base_url: isWebAddress,
    expires_in: (value) => isCount(value) && value !== 0,
  },
  "POST logout": ended,
  "GET leases": { leases: Array.isArray },
  "DELETE leases": { matched: isCount, ...ended },
  "PUT freeze": { frozen: isRecord, ...ended },
  "DELETE freeze": { frozen: (value) => value === null },
};

/** @throws {TokenBrokerError} `not_a_broker` */
export function checkAnswer({ method, path, query }: BrokerRequest, body: unknown): void {
  const shape: Shape | undefined =
    query?.dry_run === "true" ? { matched: isCount } : shapes[`${method} ${path.split("/").at(-1)}`];
  const answer = Object(body) as Record<string, unknown>;
  if (!shape || !Object.entries(shape).every(([field, fits]) => fits(answer[field]))) throw notABroker();
}

export const notABroker = (): TokenBrokerError =>
  new TokenBrokerError("not_a_broker", "What answers there is no token broker.");
