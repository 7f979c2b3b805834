/** Lambda: `POST /scopes/{scope}/logout`. */

import { writeAuditLine } from "./adapters/audit-log.ts";
import { systemClock } from "./adapters/system.ts";
import { apiHandler } from "./http/api-handler.ts";
import { postLogout } from "./http/caller-routes.ts";
import { resources, scopesFile } from "./names.ts";
import { brokerPorts, loadScopes, readEnvironment } from "./wiring.ts";

const { apiId, apiStage, ...places } = readEnvironment(process.env);

export const handler = apiHandler({
  apiId,
  stage: apiStage,
  scopes: loadScopes(new URL(scopesFile, import.meta.url)),
  routes: {
    [`POST ${resources.logout}`]: {
      verb: "logout",
      lock: "callers",
      handle: postLogout(brokerPorts(places)),
    },
  },
  audit: { now: systemClock.now, write: writeAuditLine },
});
