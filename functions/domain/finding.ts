/** Findings of the account check: each names a right or a habit that a service account should not have. */

/** In the order of their weight. docs/how-to/least-privilege.md says what each means and how to mend it. */
export const findingCodes = [
  /** The account is an administrator of Looker. It stands for everything that this implies. */
  "admin_account",
  "all_permissions",
  "all_models",
  /** Not in the scope's `account.permissions`. */
  "permission_beyond_scope",
  /** Not in the scope's `account.models`. */
  "model_beyond_scope",
  /** The account may make new pairs for itself: a thief of one pair would have another one made. */
  "may_manage_credentials",
  /** More pairs than a rotation needs. */
  "many_credentials",
  "old_credential",
  "user_disabled",
] as const;

export type FindingCode = (typeof findingCodes)[number];
