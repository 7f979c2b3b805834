import { isJsonObject } from "../json-object.ts";
import type { LookerInstance } from "./instance.ts";
import type { AppDetails, OAuthApp } from "./oauth-apps.ts";
import { json, lookerError, noContent, type Reply, validationError } from "./replies.ts";
import { type Call, jsonBody, type Route, type Routes } from "./route.ts";

/** For admins. */
const forAdmins = (answer: (looker: LookerInstance, call: Call) => Reply): Route => ({
  needs: "administer",
  answer,
});

const ofApp = (answer: (looker: LookerInstance, app: OAuthApp, call: Call) => Reply): Route =>
  forAdmins((looker, call) => {
    const app = looker.oauthApps.find(call.parameters.client_guid ?? "");
    return app === undefined ? lookerError(404) : answer(looker, app, call);
  });

const ofUser = (answer: (looker: LookerInstance, app: OAuthApp, userId: string) => void): Route =>
  ofApp((looker, app, { parameters: { user_id: userId = "" } }) => {
    if (looker.accounts.user(userId) === undefined) return lookerError(404);
    answer(looker, app, userId);
    return noContent();
  });

export const OAUTH_APP_ROUTES: Routes = {
  "GET /oauth_client_apps": forAdmins((looker) =>
    json(
      200,
      looker.oauthApps.all().map((app) => describeApp(looker, app)),
    ),
  ),
  "GET /oauth_client_apps/{client_guid}": ofApp((looker, app) => json(200, describeApp(looker, app))),
  "POST /oauth_client_apps/{client_guid}": forAdmins(register),
  "PATCH /oauth_client_apps/{client_guid}": ofApp(change),
  "DELETE /oauth_client_apps/{client_guid}": ofApp((looker, { clientGuid }) => {
    endTokens(looker, clientGuid);
    looker.oauthApps.delete(clientGuid);
    return noContent();
  }),
  "DELETE /oauth_client_apps/{client_guid}/tokens": ofApp((looker, app) => {
    endTokens(looker, app.clientGuid);
    app.tokensInvalidBefore = looker.now();
    return noContent();
  }),
  "POST /oauth_client_apps/{client_guid}/users/{user_id}": ofUser((_, app, userId) =>
    app.activatedUsers.add(userId),
  ),
  /** The person has to consent again. */
  "DELETE /oauth_client_apps/{client_guid}/users/{user_id}": ofUser((looker, app, userId) => {
    app.activatedUsers.delete(userId);
    looker.signIns.end((signIn) => signIn.clientGuid === app.clientGuid && signIn.userId === userId);
  }),
};

function endTokens({ signIns }: LookerInstance, clientGuid: string): void {
  signIns.end((signIn) => signIn.clientGuid === clientGuid);
}

function register(looker: LookerInstance, call: Call): Reply {
  const details = detailsOf(call, {
    redirectUri: undefined,
    displayName: undefined,
    description: "",
    enabled: true,
    groupId: null,
  });
  if ("status" in details) return details;
  const app = looker.oauthApps.register(call.parameters.client_guid ?? "", details);
  return app === undefined ? lookerError(409) : json(200, describeApp(looker, app));
}

function change(looker: LookerInstance, app: OAuthApp, call: Call): Reply {
  const details = detailsOf(call, app);
  if ("status" in details) return details;
  return json(200, describeApp(looker, Object.assign(app, details)));
}

type Known = { readonly [Name in keyof AppDetails]: AppDetails[Name] | undefined };

/** The body's details, or else those that are known. */
function detailsOf(call: Call, known: Known): AppDetails | Reply {
  const body = jsonBody(call);
  if (!isJsonObject(body)) return lookerError(400);
  const {
    redirect_uri: redirectUri = known.redirectUri,
    display_name: displayName = known.displayName,
    description = known.description,
    enabled = known.enabled,
    group_id: groupId = known.groupId,
  } = body;
  if (typeof redirectUri !== "string" || !isRedirectUri(redirectUri))
    return validationError(
      "redirect_uri",
      "invalid",
      "redirect_uri must be an absolute URL without a fragment",
    );
  if (typeof displayName !== "string" || displayName === "")
    return validationError("display_name", "missing_field", "display_name must be a text");
  if (typeof description !== "string")
    return validationError("description", "invalid", "description must be a text");
  if (typeof enabled !== "boolean")
    return validationError("enabled", "invalid", "enabled must be true or false");
  if (typeof groupId !== "string" && groupId !== null)
    return validationError("group_id", "invalid", "group_id must be a text");
  return { redirectUri, displayName, description, enabled, groupId };
}

/** RFC 6749 §3.1.2. */
function isRedirectUri(text: string): boolean {
  return URL.canParse(text) && !text.includes("#");
}

function describeApp({ accounts }: LookerInstance, app: OAuthApp): object {
  return {
    can: {},
    client_guid: app.clientGuid,
    redirect_uri: app.redirectUri,
    display_name: app.displayName,
    description: app.description,
    enabled: app.enabled,
    group_id: app.groupId,
    tokens_invalid_before: new Date(app.tokensInvalidBefore).toISOString(),
    activated_users: [...app.activatedUsers].flatMap((userId) => {
      const user = accounts.user(userId);
      return user === undefined ? [] : [{ can: {}, id: user.userId, display_name: user.displayName }];
    }),
  };
}
