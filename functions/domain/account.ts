/** A scope's service account, as Looker shows it to itself, and the findings about it. Pure. */
import { type FindingCode, findingCodes } from "./finding.ts";
import type { Scope } from "./scope.ts";

export interface LookerUser {
  readonly id: string;
  /** Free text. Undefined where it is not a name on one line. */
  readonly displayName?: string | undefined;
  readonly isDisabled: boolean;
}

/** The account as Looker shows it to itself. */
export interface LookerAccount extends LookerUser {
  readonly isIamAdmin: boolean;
  readonly mayManageCredentials: boolean;
  readonly credentials: readonly LookerCredential[];
}

/** A pair of an account, without its secret. */
export interface LookerCredential {
  readonly id: string;
  readonly clientId: string;
  /** Epoch milliseconds. Undefined where Looker does not say. */
  readonly createdAt?: number | undefined;
  readonly isDisabled: boolean;
  /** Free text by its maker. */
  readonly purpose?: string | undefined;
}

/** A role of the account: its permissions hold for its models. */
export interface LookerRole {
  readonly name: string;
  readonly permissions: LookerSet;
  readonly models: LookerSet;
}

export interface LookerSet {
  /** Everything, including whatever is added later. */
  readonly all: boolean;
  /** Looker's own set, such as the one of administrators. */
  readonly builtIn: boolean;
  readonly names: readonly string[];
}

/** The answers of Looker in one check. */
export interface AccountFacts {
  readonly account: LookerUser & Partial<LookerAccount> & Pick<LookerAccount, "credentials">;
  readonly roles: readonly LookerRole[];
  /** Of the pair that logged in. */
  readonly clientId: string;
  /** Client ids of replaced pairs. The rotation deletes them by itself. */
  readonly retiring: ReadonlySet<string>;
  /** Answers that Looker does not show to this account. Findings that need them are missing. */
  readonly hidden: readonly HiddenAnswer[];
}

export type HiddenAnswer = "account" | "roles";

export interface Finding {
  readonly code: FindingCode;
  /** For an operator. */
  readonly detail: string;
}

/** A pair that nobody rotates is old after this time. */
const oldCredentialDays = 90;
/** The one in use, and a new one on its way into the secret. */
const credentialsNeeded = 2;
/** Names in a detail. The rest are counted. */
const namesShown = 20;
const dayMs = 86_400_000;

/**
 * The findings about an account, the weightiest first. An administrator may do everything, so `admin_account` stands for all
 * findings about rights.
 * @example findingsOf(facts, scope, Date.now()) // [{ code: "model_beyond_scope", detail: "…" }]
 */
export function findingsOf(
  facts: AccountFacts,
  scope: Pick<Scope, "account" | "rotation">,
  now: number,
): Finding[] {
  const details = { ...detailsOfRights(facts, scope), ...detailsOfCredentials(facts, scope, now) };
  return findingCodes.flatMap((code) => {
    const detail = details[code];
    return detail === undefined ? [] : [{ code, detail }];
  });
}

type Details = { [code in FindingCode]?: string | undefined };

function detailsOfRights({ account, roles }: AccountFacts, scope: Pick<Scope, "account">): Details {
  const adminRoles = roles.filter(({ permissions }) => isAdminSet(permissions));
  if (adminRoles.length > 0)
    return { admin_account: `The account is an administrator by ${rolesNamed(adminRoles)}.` };
  if (account.isIamAdmin) return { admin_account: "The account is an administrator by IAM." };
  const [anything, anyModel] = [
    roles.filter(({ permissions }) => permissions.all),
    roles.filter(({ models }) => models.all),
  ];
  const { permissions, models } = scope.account ?? {};
  return {
    all_permissions: anything.length > 0 ? `All permissions come with ${rolesNamed(anything)}.` : undefined,
    all_models: anyModel.length > 0 ? `All models come with ${rolesNamed(anyModel)}.` : undefined,
    permission_beyond_scope: beyond(
      roles.flatMap((role) => role.permissions.names),
      permissions,
    ),
    model_beyond_scope: beyond(
      roles.flatMap((role) => role.models.names),
      models,
    ),
    may_manage_credentials: account.mayManageCredentials
      ? "The account may make API credentials for itself."
      : undefined,
  };
}

function detailsOfCredentials(
  { account, clientId, retiring }: AccountFacts,
  { rotation }: Pick<Scope, "rotation">,
  now: number,
): Details {
  const usable = account.credentials.filter((pair) => !pair.isDisabled && !retiring.has(pair.clientId));
  const createdAt = account.credentials.find((pair) => pair.clientId === clientId)?.createdAt;
  const days = createdAt === undefined ? 0 : Math.floor((now - createdAt) / dayMs);
  const mostDays = rotation === undefined ? oldCredentialDays : 2 * rotation.everyDays + 1;
  return {
    many_credentials:
      usable.length > credentialsNeeded
        ? `The account has ${usable.length} API credentials. One is in use.`
        : undefined,
    old_credential: days > mostDays ? `The API credential in use is ${days} days old.` : undefined,
    user_disabled: account.isDisabled ? "The account is disabled." : undefined,
  };
}

const isAdminSet = ({ all, builtIn, names }: LookerSet): boolean =>
  (all && builtIn) || names.includes("administer");

const rolesNamed = (roles: readonly LookerRole[]): string =>
  `the ${roles.length === 1 ? "role" : "roles"} ${listed(roles.map(({ name }) => name))}`;

function beyond(names: readonly string[], expected: readonly string[] | undefined): string | undefined {
  if (expected === undefined) return undefined;
  const extra = [...new Set(names)].filter((name) => !expected.includes(name)).toSorted();
  return extra.length === 0 ? undefined : `Not in the scope's definition: ${listed(extra)}.`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).join(", ");
  return names.length > namesShown ? `${shown} and ${names.length - namesShown} more` : shown;
}
