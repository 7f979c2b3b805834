/** A small instance: one project, two models, three explores, one connection. */
import type {
  Category,
  IDBConnection,
  IGitBranch,
  ILookmlModel,
  ILookmlModelExplore,
  ILookmlModelExploreField,
  ILookmlTest,
  IProject,
  IProjectFile,
  PullRequestMode,
} from "@looker/sdk";

const CONNECTION = "warehouse";
export const PROJECT = "shop";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export const CONNECTIONS = [
  {
    name: CONNECTION,
    dialect_name: "bigquery_standard_sql",
    dialect: {
      name: "bigquery_standard_sql",
      label: "Google BigQuery Standard SQL",
      connection_tests: ["connect", "query"],
    },
    host: "warehouse.example",
    database: "shop",
    schema: "public",
    user_db_credentials: false,
  },
] satisfies IDBConnection[];

export const PROJECTS = [
  {
    can: {},
    id: PROJECT,
    name: PROJECT,
    uses_git: true,
    git_remote_url: "git@git.example:shop.git",
    git_production_branch_name: "main",
    is_example: false,
    validation_required: false,
    allow_warnings: true,
    git_release_mgmt_enabled: false,
    pull_request_mode: "off" as PullRequestMode,
  },
] satisfies IProject[];

export const MANIFEST = { name: PROJECT, imports: [] };

export const PROJECT_FILES = ["sales.model.lkml", "finance.model.lkml", "orders.view.lkml"].map(
  (path): IProjectFile => ({
    can: {},
    id: path,
    path,
    title: path.split(".")[0] ?? path,
    type: path.split(".")[1] ?? "",
    extension: "lkml",
    mime_type: "text/plain",
    editable: true,
  }),
);

export function branches(userId: string): { production: IGitBranch; dev: IGitBranch } {
  const branch = (name: string, personal: boolean): IGitBranch => ({
    can: {},
    name,
    personal,
    readonly: false,
    is_local: true,
    is_remote: true,
    is_production: !personal,
    ahead_count: 0,
    behind_count: 0,
    ref: COMMIT,
    remote_ref: COMMIT,
  });
  return { production: branch("main", false), dev: branch(`dev-user-${userId}`, true) };
}

export const EXPLORES = [
  explore("sales", "orders", { id: "number", created_date: "date", status: "string" }),
  explore("sales", "customers", { id: "number", country: "string" }),
  explore("finance", "invoices", { id: "number", due_date: "date" }),
];

export const MODEL_NAMES = ["sales", "finance"] as const;

export const MODELS = MODEL_NAMES.map(
  (name): ILookmlModel => ({
    can: {},
    name,
    label: labelOf(name),
    project_name: PROJECT,
    has_content: true,
    allowed_db_connection_names: [CONNECTION],
    unlimited_db_connections: false,
    explores: EXPLORES.filter((each) => each.model_name === name).map(
      ({ name: exploreName = "", label = "", group_label = "" }) => ({
        name: exploreName,
        label,
        group_label,
        description: null,
        hidden: false,
      }),
    ),
  }),
);

export const LOOKML_TESTS = [
  {
    can: {},
    model_name: "sales",
    name: "orders_have_a_status",
    explore_name: "orders",
    query_url_params: "fields=orders.count",
    file: `${PROJECT}/sales.model.lkml`,
    line: 12,
  },
] satisfies ILookmlTest[];

function explore(model: string, name: string, dimensions: Record<string, string>): ILookmlModelExplore {
  return {
    id: `${model}::${name}`,
    name,
    label: labelOf(name),
    title: labelOf(name),
    group_label: labelOf(model),
    description: null,
    model_name: model,
    project_name: PROJECT,
    view_name: name,
    connection_name: CONNECTION,
    source_file: `${model}.model.lkml`,
    sql_table_name: `public.${name}`,
    hidden: false,
    joins: [],
    errors: null,
    tags: [],
    fields: {
      dimensions: Object.entries(dimensions).map(([field, type]) => fieldOf(name, field, type)),
      measures: [fieldOf(name, "count", "count")],
      filters: [],
      parameters: [],
    },
  };
}

function fieldOf(view: string, name: string, type: string): ILookmlModelExploreField {
  const measure = type === "count";
  return {
    name: `${view}.${name}`,
    label: `${labelOf(view)} ${labelOf(name)}`,
    label_short: labelOf(name),
    category: (measure ? "measure" : "dimension") as Category,
    measure,
    type,
    is_numeric: type === "number" || measure,
    view,
    view_label: labelOf(view),
    hidden: false,
    primary_key: name === "id",
    description: null,
    sql: measure ? null : `\${TABLE}.${name}`,
    tags: [],
    project_name: PROJECT,
    source_file: `${view}.view.lkml`,
    lookml_link: `/projects/${PROJECT}/files/${view}.view.lkml`,
  };
}

function labelOf(name: string): string {
  const words = name.replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
