/** Looker's own names: https://cloud.google.com/looker/docs/admin-panel-users-roles#permissions_list */
export const PERMISSIONS = [
  "access_data",
  "administer",
  "develop",
  "explore",
  "manage_models",
  "see_datagroups",
  "see_lookml",
  "see_lookml_dashboards",
  "see_looks",
  "see_pdts",
  "see_queries",
  "see_schedules",
  "see_sql",
  "see_system_activity",
  "see_user_dashboards",
  "see_users",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const ADMINISTRATORS_PERMISSION = "administer";

/** Enough to read content and LookML, and to develop. */
export const SERVICE_ACCOUNT_PERMISSIONS: readonly Permission[] = PERMISSIONS.filter(
  (permission) => permission !== ADMINISTRATORS_PERMISSION && permission !== "see_system_activity",
);
