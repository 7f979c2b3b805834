import type { User } from "./accounts.ts";
import { tokenAnswer } from "./authentication.ts";
import type { LookerInstance } from "./instance.ts";
import { PERMISSIONS } from "./permissions.ts";
import { json, lookerError, noContent, type Reply } from "./replies.ts";
import { type Call, constant, mayUse, type Routes } from "./route.ts";
import type { Session } from "./sessions.ts";

export const ACCOUNT_ROUTES: Routes = {
  "GET /user": { answer: (_, { user }) => json(200, describeUser(user)) },
  "GET /users": {
    needs: "see_users",
    answer: ({ accounts }) => json(200, accounts.users().map(describeUser)),
  },
  "GET /users/{user_id}": {
    answer: (looker, call) =>
      ofUser(looker, call, (user) => ({ ...describeUser(user), credentials_api3: pairsOf(looker, user) })),
  },
  "GET /users/{user_id}/roles": {
    answer: (looker, call) => ofUser(looker, call, (user) => [roleOf(user)]),
  },
  "GET /users/{user_id}/credentials_api3": {
    answer: (looker, call) => ofUser(looker, call, (user) => pairsOf(looker, user)),
  },
  "GET /permissions": constant(
    PERMISSIONS.map((permission) => ({ can: {}, permission, parent: null, description: null })),
  ),
  "POST /login/{user_id}": { answer: loginUser },
  "GET /user_login_lockouts": { needs: "administer", answer: listLockouts },
  "DELETE /user_login_lockout/{key}": {
    needs: "administer",
    answer: (looker, { parameters: { key = "" } }) =>
      looker.lockouts.lift(key, looker.now()) ? noContent() : lookerError(404),
  },
};

/** Everybody may read their own account. */
function ofUser(
  { accounts }: LookerInstance,
  { user, parameters: { user_id: userId = "" } }: Call,
  describe: (user: User) => unknown,
): Reply {
  const found = userId === user.userId || mayUse(user, "see_users") ? accounts.user(userId) : undefined;
  return found === undefined ? lookerError(404) : json(200, describe(found));
}

function describeUser({ userId, displayName, admin }: User): object {
  return {
    can: {},
    id: userId,
    display_name: displayName,
    first_name: displayName,
    last_name: "",
    email: null,
    is_disabled: false,
    home_folder_id: "1",
    role_ids: [admin ? "1" : "2"],
    group_ids: [],
    is_service_account: !admin,
  };
}

function roleOf({ admin, permissions }: User): object {
  const id = admin ? "1" : "2";
  const name = admin ? "Admin" : "Service account";
  const set = { can: {}, id, name, all_access: admin, built_in: admin };
  return {
    can: {},
    id,
    name,
    permission_set: { ...set, permissions: admin ? PERMISSIONS : permissions },
    permission_set_id: id,
    model_set: { ...set, models: [] },
    model_set_id: id,
  };
}

/** Without the secrets: Looker shows a secret once, when it makes the pair. */
function pairsOf({ accounts }: LookerInstance, { userId }: User): object[] {
  return accounts.pairsOf(userId).map(({ clientId, disabled }, index) => ({
    can: {},
    id: String(index + 1),
    client_id: clientId,
    created_at: "2026-01-01T00:00:00.000+00:00",
    is_disabled: disabled,
    type: "api3",
    purpose: null,
  }));
}

/** The target needs no API credentials. The new token outlives the admin's: which of the two is not documented. */
function loginUser(
  looker: LookerInstance,
  { user, session, parameters: { user_id: userId = "" } }: Call,
): Reply | { reply: Reply; issued: Session } {
  if (!user.admin) return lookerError(403);
  const target = looker.accounts.user(userId);
  if (target === undefined) return lookerError(404);
  const grant = { userId: target.userId, clientId: session.clientId, sudoUserId: user.userId };
  const issue = looker.sessions.issue(grant, looker.settings.tokenSeconds, looker.now());
  return { reply: json(200, tokenAnswer(looker, issue.token)), issued: issue.session };
}

function listLockouts({ accounts, lockouts, now }: LookerInstance): Reply {
  return json(
    200,
    lockouts.locked(now()).map(({ key, ip, clientId, failCount, lockedAt }) => ({
      key,
      auth_type: "api",
      ip,
      user_id: accounts.userOfClient(clientId)?.userId ?? null,
      remote_id: clientId,
      fail_count: failCount,
      lockout_at: new Date(lockedAt).toISOString(),
    })),
  );
}
