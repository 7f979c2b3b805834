/** The broker's answer to `GET /scopes`: the caller, and its rights. */
import { TokenBrokerError } from "../errors/token-broker-error.ts";

export interface Caller {
  /** Path-less ARN of the IAM role or user. */
  readonly arn: string;
  readonly account: string;
  /** IAM's immutable id. */
  readonly uniqueId: string;
}

export interface ScopeGrant {
  readonly scope: string;
  readonly baseUrl: string;
  /** How long a new lease lives. */
  readonly leaseSeconds: number;
  readonly may: readonly ("token" | "operate")[];
}

export interface Permissions {
  readonly caller: Caller;
  /** The scopes that list the caller. The caller's IAM policy is another lock, and not shown. */
  readonly grants: readonly ScopeGrant[];
}

interface Answer {
  caller: { arn: string; account: string; unique_id: string };
  scopes: { scope: string; base_url: string; lease_seconds: number; may: ("token" | "operate")[] }[];
}

/**
 * Reads the body of an answer to `GET /scopes`.
 *
 * @example
 * ```ts
 * import { callBroker, connect, parsePermissions } from "@looker-token-broker/client/broker";
 *
 * const { body } = await callBroker(connect(), { method: "GET", path: "/scopes" });
 * const { caller, grants } = parsePermissions(body);
 * console.log(caller.arn, grants.map(({ scope }) => scope));
 * ```
 */
export function parsePermissions(body: unknown): Permissions {
  const { caller, scopes } = Object(body) as Partial<Answer>;
  if (typeof caller?.arn !== "string" || !Array.isArray(scopes))
    throw new TokenBrokerError("not_a_broker", "The answer is not a token broker's.");
  return {
    caller: { arn: caller.arn, account: caller.account, uniqueId: caller.unique_id },
    grants: scopes.map(({ scope, base_url, lease_seconds, may }) => ({
      scope,
      baseUrl: base_url,
      leaseSeconds: lease_seconds,
      may,
    })),
  };
}
