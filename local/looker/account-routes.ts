import type { User } from "./accounts.ts";
import { ownerOf, tokenAnswer } from "./authentication.ts";
import type { LookerInstance } from "./instance.ts";
import { describePairs, refusal } from "./pair-routes.ts";
import { PERMISSIONS } from "./permissions.ts";
import { json, lookerError, noContent, type Reply } from "./replies.ts";
import { describeRole } from "./roles.ts";
import { type Call, constant, mayUse, type NotedReply, type Routes } from "./route.ts";

export const ACCOUNT_ROUTES: Routes = {
  "GET /user": { answer: (_, call) => json(200, describeUser(call.user, call)) },
  "GET /users": {
    needs: "see_users",
    answer: (looker, call) =>
      json(
        200,
        looker.accounts.users().map((user) => describeWithPairs(looker, user, call)),
      ),
  },
  "GET /users/{user_id}": {
    answer: (looker, call) =>
      ofUser(looker, call, (user) => describeWithPairs(looker, user, call)) ?? lookerError(404),
  },
  "GET /users/{user_id}/roles": {
    answer: (looker, call) =>
      ofUser(looker, call, ({ roles }) => roles.map(describeRole)) ?? lookerError(404),
  },
  /** The id of a pair is its client id here. Accounts have no other type of credential. */
  "GET /users/credential/{credential_type}/{credential_id}": {
    answer: (looker, call) => {
      const { credential_type: type, credential_id: clientId = "" } = call.parameters;
      const userId = type === "api3" ? looker.accounts.userOfClient(clientId)?.userId : undefined;
      const asked = { ...call, parameters: { user_id: userId ?? "" } };
      const found = ofUser(looker, asked, (user) => describeWithPairs(looker, user, call));
      if (found !== undefined) return found;
      return mayUse(call.user, "see_users") ? lookerError(404) : refusal(looker);
    },
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

/** Everybody may read their own account. Undefined for an unknown user, and for one that the account may not see. */
function ofUser(
  { accounts }: LookerInstance,
  { user, parameters: { user_id: userId = "" } }: Call,
  describe: (user: User) => unknown,
): Reply | undefined {
  const found = userId === user.userId || mayUse(user, "see_users") ? accounts.user(userId) : undefined;
  return found && json(200, describe(found));
}

function describeUser(user: User, { query }: Call): object {
  const { userId, displayName, email, roles, groupIds, serviceAccount, disabled, iamAdmin } = user;
  return {
    can: {},
    id: userId,
    display_name: displayName,
    first_name: displayName,
    last_name: "",
    email,
    is_disabled: disabled,
    home_folder_id: "1",
    role_ids: roles.map(({ id }) => id),
    group_ids: groupIds,
    is_service_account: serviceAccount,
    // Looker computes this field only when it is named.
    ...(query.get("fields") ? { is_iam_admin: iamAdmin } : {}),
  };
}

/** An account's credentials are for itself and for admins. */
function describeWithPairs(looker: LookerInstance, user: User, call: Call): object {
  const { admin, canManageCredentials, userId } = user;
  if (!call.user.admin && call.user.userId !== userId) return describeUser(user, call);
  return {
    ...describeUser(user, call),
    can_manage_api3_creds: admin || canManageCredentials,
    credentials_api3: describePairs(looker, userId, call.origin),
  };
}

/** The target needs no API credentials. The new token outlives the admin's: which of the two is not documented. */
function loginUser(
  looker: LookerInstance,
  { user, session, parameters: { user_id: userId = "" } }: Call,
): Reply | NotedReply {
  if (!user.admin) return lookerError(403);
  const target = looker.accounts.user(userId);
  if (target === undefined) return lookerError(404);
  const grant = { userId: target.userId, clientId: session.clientId, sudoUserId: user.userId };
  const { token, session: issued } = looker.sessions.issue(grant, looker.settings.tokenSeconds, looker.now());
  return {
    reply: json(200, tokenAnswer(looker, token)),
    noted: { event: "login_user", ...ownerOf(issued), tokenSha256: issued.sha256 },
  };
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
