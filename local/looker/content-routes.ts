import { json, lookerError } from "./replies.ts";
import { constant, oneOf, type Routes } from "./route.ts";
import { DASHBOARDS, FOLDERS, GROUPS, LISTED_DASHBOARDS, LISTED_LOOKS, LOOKS } from "./sample-content.ts";

export const CONTENT_ROUTES: Routes = {
  "GET /folders": constant(FOLDERS, "access_data"),
  "GET /folders/search": constant(FOLDERS, "access_data"),
  "GET /folders/{folder_id}": {
    needs: "access_data",
    answer: (_, { parameters: { folder_id: id } }) => {
      const found = FOLDERS.find((folder) => folder.id === id);
      return found === undefined ? lookerError(404) : json(200, { ...found, ...contentOf(found.id) });
    },
  },
  "GET /folders/{folder_id}/children": {
    needs: "access_data",
    answer: (_, { parameters: { folder_id: id } }) =>
      json(
        200,
        FOLDERS.filter((folder) => folder.parent_id === id),
      ),
  },
  "GET /folders/{folder_id}/ancestors": {
    needs: "access_data",
    answer: (_, { parameters: { folder_id: id } }) => json(200, ancestorsOf(id)),
  },

  "GET /looks": constant(LISTED_LOOKS, "see_looks"),
  "GET /looks/search": constant(LISTED_LOOKS, "see_looks"),
  "GET /looks/{look_id}": oneOf(LOOKS, "id", "look_id", "see_looks"),
  "GET /dashboards": constant(LISTED_DASHBOARDS, "see_user_dashboards"),
  "GET /dashboards/search": constant(DASHBOARDS, "see_user_dashboards"),
  "GET /dashboards/{dashboard_id}": oneOf(DASHBOARDS, "id", "dashboard_id", "see_user_dashboards"),

  "GET /content_validation": constant(
    {
      content_with_errors: [],
      computation_time: 0,
      total_looks_validated: LOOKS.length,
      total_dashboard_elements_validated: DASHBOARDS.length,
      total_dashboard_filters_validated: 0,
      total_scheduled_plans_validated: 0,
      total_alerts_validated: 0,
      total_explores_validated: 0,
    },
    "develop",
  ),
  "GET /groups": constant(GROUPS, "see_users"),
  "GET /alerts/search": constant([], "see_user_dashboards"),
  "GET /scheduled_plans": constant([], "see_schedules"),
};

function contentOf(folderId: string): object {
  return {
    looks: LISTED_LOOKS.filter((look) => look.folder_id === folderId),
    dashboards: LISTED_DASHBOARDS.filter(({ folder }) => folder.id === folderId),
  };
}

/** From the root down. */
function ancestorsOf(id: string | undefined): typeof FOLDERS {
  const parentId = FOLDERS.find((folder) => folder.id === id)?.parent_id;
  const parent = FOLDERS.find((folder) => folder.id === parentId);
  return parent === undefined ? [] : [...ancestorsOf(parent.id), parent];
}
