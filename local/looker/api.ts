import { apiPathOf, foldSlashes } from "./address.ts";
import { type ApiRequest, login, logout, type Outcome, ownerOf, tokenOf } from "./authentication.ts";
import type { FaultRoute } from "./faults.ts";
import { onlyFields } from "./field-filter.ts";
import type { LookerInstance } from "./instance.ts";
import { oauthToken } from "./oauth-token.ts";
import { json, lookerError, type Reply, text } from "./replies.ts";
import { mayUse } from "./route.ts";
import { routeOf } from "./routes.ts";
import { versions } from "./session-routes.ts";
import { isLive, type Session } from "./sessions.ts";
import { sha256 } from "./token.ts";

/** Without a version. */
const TOKEN_PATH = "/api/token";

export function faultRouteOf(method: string, path: string): FaultRoute | undefined {
  if (`${method} ${foldSlashes(path)}` === `POST ${TOKEN_PATH}`) return "oauth_token";
  const apiPath = apiPathOf(path);
  switch (`${method} ${apiPath}`) {
    case "POST /login":
      return "login";
    case "DELETE /logout":
      return "logout";
    case "GET /user":
      return "user";
  }
  if (apiPath === undefined) return undefined;
  if (/^\/users\/[^/]+\/credentials_api3(\/|$)/.test(apiPath)) return "credentials";
  if (/^\/users(\/|$)/.test(apiPath)) return "users";
  return method === "POST" && apiPath.startsWith("/login/") ? "login_user" : undefined;
}

export function answer(looker: LookerInstance, request: ApiRequest): Outcome {
  const { method, path } = request;
  const open = `${method} ${foldSlashes(path)}`;
  if (open === "GET /alive") return { reply: text(200, "alive"), entry: { event: "api" } };
  if (open === "GET /versions") return { reply: json(200, versions(request)), entry: { event: "api" } };
  if (open === `POST ${TOKEN_PATH}`) return oauthToken(looker, request);

  const apiPath = apiPathOf(path);
  // Like a wrong port. A token makes no difference.
  if (apiPath === undefined) return { reply: lookerError(403), entry: { event: "unknown_route" } };
  if (method === "POST" && apiPath === "/login") return login(looker, request);
  if (method === "DELETE" && apiPath === "/logout") return logout(looker, request);
  return authenticated(looker, request, apiPath);
}

function authenticated(looker: LookerInstance, request: ApiRequest, apiPath: string): Outcome {
  const token = tokenOf(request.authorization);
  if (token === undefined) return { reply: lookerError(401), entry: { event: "api_unauthorized" } };
  const session = looker.sessions.find(sha256(token));
  const user = session === undefined ? undefined : looker.accounts.user(session.userId);
  const entry = { ...ownerOf(session), tokenSha256: sha256(token) };
  if (session === undefined || user === undefined || !isAccepted(looker, session)) {
    return { reply: lookerError(401), entry: { event: "api_unauthorized", ...entry } };
  }
  const found = routeOf(request.method, apiPath);
  if (found === undefined) return { reply: lookerError(404), entry: { event: "unknown_route", ...entry } };
  if (found === "malformed") return { reply: lookerError(400), entry: { event: "bad_request", ...entry } };
  const { route, parameters } = found;
  if (route.needs !== undefined && !mayUse(user, route.needs)) {
    return { reply: lookerError(404), entry: { event: "api_refused", ...entry } };
  }
  const result = route.answer(looker, { ...request, session, user, parameters });
  const { reply, noted } = "noted" in result ? result : { reply: result, noted: {} };
  const event = reply.status < 400 ? "api" : "api_refused";
  return { reply: withFields(reply, request.query.get("fields")), entry: { event, ...entry, ...noted } };
}

/** All requests of an app that is not enabled are refused. */
function isAccepted({ oauthApps, now }: LookerInstance, session: Session): boolean {
  const appIsEnabled = session.signIn === undefined || oauthApps.findEnabled(session.clientId) !== undefined;
  return appIsEnabled && isLive(session, now());
}

function withFields(reply: Reply, fields: string | null): Reply {
  const isJson = reply.status === 200 && reply.headers["content-type"]?.startsWith("application/json");
  return fields !== null && isJson ? json(200, onlyFields(JSON.parse(reply.body), fields)) : reply;
}
