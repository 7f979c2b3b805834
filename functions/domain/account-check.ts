/** The row `scope#<name>` / `#account`: the last check of a scope's service account. Pure. */
import { type AccountFacts, type Finding, findingsOf, type HiddenAnswer } from "./account.ts";
import type { Versioned } from "./control.ts";
import { digestOf } from "./digest.ts";
import type { Scope } from "./scope.ts";

export interface AccountCheck extends Versioned {
  /** Absent before the first successful check. */
  readonly checked?: CheckedAccount | undefined;
  /** The last check, if it failed. */
  readonly failed?: FailedCheck | undefined;
}

export interface CheckedAccount {
  readonly at: number;
  readonly clientId: string;
  readonly userId: string;
  readonly displayName?: string | undefined;
  readonly roles: readonly RoleSummary[];
  readonly findings: readonly Finding[];
  readonly hidden: readonly HiddenAnswer[];
  /** {@link digestOf} the scope's own definition of its account. After a change of it the findings are not valid. */
  readonly definition: string;
}

/** Numbers, because a set can have more names than a row has room for. */
export interface RoleSummary {
  readonly name: string;
  readonly permissions: number | "all";
  readonly models: number | "all";
}

export interface FailedCheck {
  readonly at: number;
  /** From a fixed vocabulary. */
  readonly reason: string;
}

export const newAccountCheck: AccountCheck = { version: 0 };

/**
 * The identity of the check's own slot in each scope. No IAM identity can have it: an id of IAM begins with `AROA` or `AIDA`.
 * Its name is for listings.
 */
export const checkCaller = {
  account: "000000000000",
  uniqueId: "CHECKACCOUNT",
  callerArn: "arn:aws:iam::000000000000:role/check-account",
} as const;

/** Looker (Google Cloud core) meters the questions of a check, so it asks rarely. */
const checkEveryMs = 7 * 86_400_000;
/** More roles are counted, and not named. */
const rolesKept = 50;

/** A failed check is due again at the next run. */
export function isDue(
  { checked, failed }: AccountCheck,
  scope: Scope,
  clientId: string,
  now: number,
): boolean {
  if (checked === undefined || failed !== undefined) return true;
  if (checked.clientId !== clientId || checked.definition !== definitionOf(scope)) return true;
  return now - checked.at >= checkEveryMs;
}

export const withFacts = (
  row: AccountCheck,
  facts: AccountFacts,
  scope: Scope,
  now: number,
): AccountCheck => ({
  ...row,
  failed: undefined,
  checked: {
    at: now,
    clientId: facts.clientId,
    userId: facts.account.id,
    displayName: facts.account.displayName,
    roles: facts.roles.slice(0, rolesKept).map(({ name, permissions, models }) => ({
      name,
      permissions: permissions.all ? "all" : permissions.names.length,
      models: models.all ? "all" : models.names.length,
    })),
    findings: findingsOf(facts, scope, now),
    hidden: facts.hidden,
    definition: definitionOf(scope),
  },
});

/** Keeps the findings of the last successful check. */
export const withFailure = (row: AccountCheck, reason: string, now: number): AccountCheck => ({
  ...row,
  failed: { at: now, reason },
});

/** Findings without those accepted by the scope. */
export function openFindings(
  { checked }: AccountCheck,
  { account }: Pick<Scope, "account">,
): readonly Finding[] {
  return (checked?.findings ?? []).filter(({ code }) => !account?.accept?.includes(code));
}

/** Accepting a finding changes no finding. */
function definitionOf({ account, rotation }: Scope): string {
  return digestOf(JSON.stringify([account?.permissions, account?.models, rotation?.everyDays]));
}
