/** What the broker says about the caller: `GET /scopes`. */
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

interface Permissions {
  caller: { arn: string; account: string; unique_id: string };
  scopes: { scope: string; base_url: string; lease_seconds: number; may: ("token" | "operate")[] }[];
}

export function callerOf(answer: unknown): Caller {
  const { arn, account, unique_id } = permissions(answer).caller;
  return { arn, account, uniqueId: unique_id };
}

export function grantsOf(answer: unknown): ScopeGrant[] {
  return permissions(answer).scopes.map(({ scope, base_url, lease_seconds, may }) => ({
    scope,
    baseUrl: base_url,
    leaseSeconds: lease_seconds,
    may,
  }));
}

function permissions(answer: unknown): Permissions {
  const { caller, scopes } = Object(answer) as Partial<Permissions>;
  if (typeof caller?.arn !== "string" || !Array.isArray(scopes))
    throw new TokenBrokerError("not_a_broker", "The answer is not a token broker's.");
  return { caller, scopes };
}
