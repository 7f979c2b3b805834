/** Folders, a look and a dashboard over the sample's explores. */
import type { IDashboard, IDashboardBase, IFolder, IGroup, ILook, ILookWithQuery, IQuery } from "@looker/sdk";

const AUTHOR = "1";

export const FOLDERS = [
  folder("1", "Shared", null),
  folder("2", "Sales reports", "1"),
  { ...folder("3", "Reader's own", null), is_personal: true },
];

/** As a folder, and as content names it. */
function folder(id: string, name: string, parentId: string | null) {
  return {
    can: {},
    id,
    name,
    parent_id: parentId,
    content_metadata_id: `10${id}`,
    creator_id: AUTHOR,
    child_count: id === "1" ? 1 : 0,
    is_shared_root: id === "1",
    is_personal: false,
    is_personal_descendant: false,
  } satisfies IFolder;
}

const SALES_REPORTS = folder("2", "Sales reports", "1");

export const QUERY = {
  can: {},
  id: "40",
  slug: "Ab3dEf7",
  model: "sales",
  view: "orders",
  fields: ["orders.status", "orders.count"],
  filters: { "orders.status": "-cancelled" },
  sorts: ["orders.count desc"],
  limit: "500",
} satisfies IQuery;

/** Lists of looks lack the query, lists of dashboards the elements. */
export const LISTED_LOOKS = [
  {
    can: {},
    id: "20",
    title: "Orders by status",
    description: null,
    deleted: false,
    public: false,
    user_id: AUTHOR,
    folder: SALES_REPORTS,
    folder_id: SALES_REPORTS.id,
    model: { id: "sales", label: "Sales" },
    query_id: QUERY.id,
  },
] satisfies ILook[];

export const LOOKS = LISTED_LOOKS.map((look) => ({ ...look, query: QUERY }) satisfies ILookWithQuery);

export const LISTED_DASHBOARDS = [
  {
    can: {},
    id: "30",
    slug: "sales-overview",
    title: "Sales overview",
    description: null,
    hidden: false,
    readonly: false,
    user_id: AUTHOR,
    folder: SALES_REPORTS,
  },
] satisfies IDashboardBase[];

export const DASHBOARDS = LISTED_DASHBOARDS.map(
  (dashboard) =>
    ({
      ...dashboard,
      deleted: false,
      dashboard_elements: [
        {
          can: {},
          id: "31",
          dashboard_id: "30",
          type: "vis",
          title: "Orders",
          query_id: QUERY.id,
          query: QUERY,
        },
      ],
      dashboard_filters: [],
      dashboard_layouts: [],
    }) satisfies IDashboard,
);

export const GROUPS = [
  { can: {}, id: "1", name: "All Users", user_count: 1, include_by_default: true },
] satisfies IGroup[];
