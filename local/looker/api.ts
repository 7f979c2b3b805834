import type { User } from "./accounts.ts";
import {
  type ApiRequest,
  login,
  logout,
  type Outcome,
  ownerOf,
  tokenAnswer,
  tokenOf,
} from "./authentication.ts";
import type { FaultRoute } from "./faults.ts";
import type { LookerInstance } from "./instance.ts";
import { json, lookerError, noContent, type Reply, text, validationError } from "./replies.ts";
import { isLive, type Session, sha256 } from "./sessions.ts";

interface Authenticated extends ApiRequest {
  session: Session;
  user: User;
  /** The `{…}` of the route, decoded. */
  parameter: string;
}

const API = "/api/4.0";

export function faultRouteOf(method: string, path: string): FaultRoute | undefined {
  switch (`${method} ${path}`) {
    case `POST ${API}/login`:
      return "login";
    case `DELETE ${API}/logout`:
      return "logout";
    case `GET ${API}/user`:
      return "user";
    default:
      return method === "POST" && path.startsWith(`${API}/login/`) ? "login_user" : undefined;
  }
}

export function answer(looker: LookerInstance, request: ApiRequest): Outcome {
  const route = `${request.method} ${request.path}`;
  if (route === "GET /alive") return { reply: text(200, "alive"), entry: { event: "api" } };
  if (route === `POST ${API}/login`) return login(looker, request);
  if (route === `DELETE ${API}/logout`) return logout(looker, request);
  for (const [pattern, handler] of AUTHENTICATED) {
    const match = pattern.exec(route);
    if (match !== null) return authenticated(looker, request, match[1] ?? "", handler);
  }
  const message = `The Looker stand-in does not know ${request.method} on this path.`;
  return { reply: lookerError(501, message), entry: { event: "unknown_route" } };
}

type Handler = (looker: LookerInstance, request: Authenticated) => Reply | { reply: Reply; issued: Session };

const AUTHENTICATED: [RegExp, Handler][] = [
  [/^GET \/api\/4\.0\/user$/, (_, { user, session }) => json(200, describeUser(user, session))],
  [/^GET \/api\/4\.0\/versions$/, () => json(200, VERSIONS)],
  [/^GET \/api\/4\.0\/session$/, (_, { session }) => json(200, describeSession(session))],
  [/^PATCH \/api\/4\.0\/session$/, switchWorkspace],
  [/^POST \/api\/4\.0\/login\/([^/]+)$/, loginUser],
  [/^GET \/api\/4\.0\/user_login_lockouts$/, listLockouts],
  [/^DELETE \/api\/4\.0\/user_login_lockout\/([^/]+)$/, liftLockout],
];

const VERSION = { version: "4.0", full_version: "4.0.26.12", status: "current", swagger_url: null };
const VERSIONS = {
  looker_release_version: "26.12.0",
  current_version: VERSION,
  supported_versions: [VERSION],
};

function authenticated(
  looker: LookerInstance,
  request: ApiRequest,
  rawParameter: string,
  handler: Handler,
): Outcome {
  const token = tokenOf(request.authorization);
  if (token === undefined) return { reply: lookerError(401), entry: { event: "api_unauthorized" } };
  const session = looker.sessions.find(sha256(token));
  const user = session === undefined ? undefined : looker.accounts.user(session.userId);
  const entry = { ...ownerOf(session), tokenSha256: sha256(token) };
  if (session === undefined || user === undefined || !isLive(session, looker.now())) {
    return { reply: lookerError(401), entry: { event: "api_unauthorized", ...entry } };
  }
  const parameter = decode(rawParameter);
  if (parameter === undefined) return { reply: lookerError(400), entry: { event: "bad_request", ...entry } };
  const result = handler(looker, { ...request, session, user, parameter });
  if ("issued" in result) {
    const { issued, reply } = result;
    return { reply, entry: { event: "login_user", ...ownerOf(issued), tokenSha256: issued.sha256 } };
  }
  return { reply: result, entry: { event: result.status < 400 ? "api" : "api_refused", ...entry } };
}

/** The target needs no API credentials. The new token outlives the admin's: which of the two is not documented. */
function loginUser(
  looker: LookerInstance,
  { user, session, parameter }: Authenticated,
): Reply | { reply: Reply; issued: Session } {
  if (!user.admin) return lookerError(403);
  const target = looker.accounts.user(parameter);
  if (target === undefined) return lookerError(404);
  const grant = { userId: target.userId, clientId: session.clientId, sudoUserId: user.userId };
  const issue = looker.sessions.issue(grant, looker.settings.tokenSeconds, looker.now());
  return { reply: json(200, tokenAnswer(looker, issue.token)), issued: issue.session };
}

function switchWorkspace(_: LookerInstance, { body, session }: Authenticated): Reply {
  let wanted: unknown;
  try {
    wanted = JSON.parse(body);
  } catch {
    return lookerError(400);
  }
  if (typeof wanted !== "object" || wanted === null) return lookerError(400);
  const workspaceId = "workspace_id" in wanted ? wanted.workspace_id : undefined;
  if (workspaceId !== "production" && workspaceId !== "dev") {
    return validationError("workspace_id", "invalid", "workspace_id must be 'production' or 'dev'");
  }
  session.workspaceId = workspaceId;
  return json(200, describeSession(session));
}

function listLockouts(looker: LookerInstance, { user }: Authenticated): Reply {
  if (!user.admin) return lookerError(403);
  return json(
    200,
    looker.lockouts.locked(looker.now()).map((lockout) => ({
      key: lockout.key,
      auth_type: "api",
      ip: lockout.ip,
      user_id: looker.accounts.userOfClient(lockout.clientId)?.userId ?? null,
      remote_id: lockout.clientId,
      fail_count: lockout.failCount,
      lockout_at: new Date(lockout.lockedAt).toISOString(),
    })),
  );
}

function liftLockout(looker: LookerInstance, { user, parameter }: Authenticated): Reply {
  if (!user.admin) return lookerError(403);
  return looker.lockouts.lift(parameter, looker.now()) ? noContent() : lookerError(404);
}

function describeUser(user: User, session: Session): object {
  return {
    can: {},
    id: user.userId,
    display_name: user.displayName,
    first_name: user.displayName,
    last_name: "",
    email: null,
    is_disabled: false,
    role_ids: [user.admin ? "1" : "2"],
    group_ids: [],
    is_service_account: session.sudoUserId === undefined,
  };
}

function describeSession(session: Session): object {
  return { can: {}, workspace_id: session.workspaceId, sudo_user_id: session.sudoUserId ?? null };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
