/** The next step for each finding about a service account. docs/how-to/least-privilege.md has the whole way. */

const nextSteps: ReadonlyMap<string, string> = new Map([
  ["admin_account", "Make an account with this scope's rights only, and use its pair."],
  ["all_permissions", "Give the role a permission set with the scope's permissions only."],
  ["all_models", "Give the role a model set with the scope's models only."],
  ["permission_beyond_scope", "Take them out of the role's set, or add them to the scope's account."],
  ["model_beyond_scope", "Take them out of the role's set, or add them to the scope's account."],
  ["may_manage_credentials", "Have a Looker administrator take this right from the account."],
  ["many_credentials", "Have a Looker administrator delete the unused pairs."],
  ["old_credential", "Store a new pair in the secret, then delete the old one at Looker."],
  ["user_disabled", "Enable the account at Looker, or use the pair of another account."],
]);

export const nextStepFor = (code: string): string =>
  nextSteps.get(code) ?? "A newer version of looker-token may know this finding.";
