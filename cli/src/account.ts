/** `GET /scopes/{scope}/account`: the broker's last check of a scope's service account at Looker. */
import type { Broker } from "./broker.ts";

export interface AccountCheck {
  /** Null before the first check that worked. */
  readonly checked_at: string | null;
  readonly client_id: string | null;
  readonly user: { readonly id: string; readonly display_name: string | null } | null;
  readonly roles: readonly Role[];
  readonly findings: readonly Finding[];
  /** Answers that Looker does not show to the account. */
  readonly hidden: readonly string[];
  /** The last check, if it did not work. */
  readonly failed?: { readonly at: string; readonly reason: string };
}

export interface Role {
  readonly name: string;
  readonly permissions: number | "all";
  readonly models: number | "all";
}

export interface Finding {
  readonly code: string;
  readonly detail: string;
  /** By the scope's definition. */
  readonly accepted: boolean;
}

/** The unique id in the lease of a check under way. No IAM identity can have it. */
export const checkUniqueId = "CHECKACCOUNT";

export const accountOf = (
  broker: Broker,
  scope: string,
  more: { timeoutMs?: number } = {},
): Promise<AccountCheck> => broker.ask({ method: "GET", path: `/scopes/${scope}/account`, ...more });

export const openFindings = ({ findings }: AccountCheck): Finding[] =>
  findings.filter(({ accepted }) => !accepted);

export const findingCount = (count: number): string => `${count} ${count === 1 ? "finding" : "findings"}`;
