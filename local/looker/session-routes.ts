import type { ApiRequest } from "./authentication.ts";
import type { LookerInstance } from "./instance.ts";
import { json, lookerError, type Reply, validationError } from "./replies.ts";
import { type Call, jsonBody, type Routes } from "./route.ts";
import type { Session } from "./sessions.ts";

/** A token is a session of the API: its workspace is its own. */
export const SESSION_ROUTES: Routes = {
  "GET /session": { answer: (_, { session }) => json(200, describeSession(session)) },
  "PATCH /session": { answer: switchWorkspace },
  "GET /versions": { answer: (_, call) => json(200, versions(call)) },
};

const VERSION = { version: "4.0", full_version: "4.0.26.12", status: "current", swagger_url: null };

export function versions({ origin, uiOrigin }: Pick<ApiRequest, "origin" | "uiOrigin">): object {
  return {
    looker_release_version: "26.12.0",
    current_version: VERSION,
    supported_versions: [VERSION],
    api_server_url: origin,
    web_server_url: uiOrigin,
  };
}

function switchWorkspace(_: LookerInstance, call: Call): Reply {
  const wanted = jsonBody(call);
  if (typeof wanted !== "object" || wanted === null) return lookerError(400);
  const workspaceId = "workspace_id" in wanted ? wanted.workspace_id : undefined;
  if (workspaceId !== "production" && workspaceId !== "dev") {
    return validationError("workspace_id", "invalid", "workspace_id must be 'production' or 'dev'");
  }
  call.session.workspaceId = workspaceId;
  return json(200, describeSession(call.session));
}

function describeSession(session: Session): object {
  return { can: {}, workspace_id: session.workspaceId, sudo_user_id: session.sudoUserId ?? null };
}
