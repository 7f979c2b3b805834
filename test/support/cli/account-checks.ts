/** Checks of a service account, as the broker answers them. */
import type { AccountCheck } from "../../../cli/src/account.ts";

export const neverChecked: AccountCheck = {
  checked_at: null,
  client_id: null,
  user: null,
  roles: [],
  findings: [],
  hidden: [],
};

export const minimal: AccountCheck = {
  checked_at: "2026-11-24T10:00:00.000Z",
  client_id: "salesclient",
  user: { id: "12", display_name: "Sales API" },
  roles: [{ name: "Sales API", permissions: 4, models: 1 }],
  findings: [],
  hidden: [],
};

export const tooMuch: AccountCheck = {
  ...minimal,
  roles: [
    { name: "Sales API", permissions: 1, models: 2 },
    { name: "Everything", permissions: "all", models: "all" },
  ],
  findings: [
    { code: "all_permissions", detail: "All permissions come with the role Everything.", accepted: false },
    { code: "all_models", detail: "All models come with the role Everything.", accepted: false },
    { code: "old_credential", detail: "The API credential in use is 120 days old.", accepted: true },
  ],
};
