/** `POST /api/token`: a code, and later a refresh token, for an access token. There is no client secret: PKCE takes its place. */
import { createHash } from "node:crypto";
import { isJsonObject } from "../json-object.ts";
import type { ApiRequest, Outcome } from "./authentication.ts";
import type { LookerInstance } from "./instance.ts";
import { admits, type OAuthApp } from "./oauth-apps.ts";
import { json, type Reply } from "./replies.ts";
import { jsonBody } from "./route.ts";
import { isRedeemable, type SignIn } from "./sign-ins.ts";

type TokenError = "invalid_request" | "invalid_client" | "invalid_grant" | "unsupported_grant_type";

export function oauthToken(looker: LookerInstance, request: ApiRequest): Outcome {
  const isJson = request.contentType.startsWith("application/json");
  const body = isJson ? jsonBody(request) : undefined;
  if (!isJsonObject(body)) return refused(looker, "invalid_request");
  const app = looker.oauthApps.findEnabled(body.client_id);
  if (app === undefined) return refused(looker, "invalid_client");
  switch (body.grant_type) {
    case "authorization_code":
      return redeemCode(looker, app, body);
    case "refresh_token":
      return refresh(looker, app, body);
    default:
      return refused(looker, "unsupported_grant_type", app);
  }
}

function redeemCode(looker: LookerInstance, app: OAuthApp, body: Record<string, unknown>): Outcome {
  const { code, redirect_uri: redirectUri, code_verifier: verifier } = body;
  if (typeof code !== "string" || typeof redirectUri !== "string" || typeof verifier !== "string")
    return refused(looker, "invalid_request", app);
  const now = looker.now();
  const found = looker.signIns.findCode(code);
  const matches =
    found !== undefined &&
    found.signIn.clientGuid === app.clientGuid &&
    found.redirectUri === redirectUri &&
    found.challenge === createHash("sha256").update(verifier).digest("base64url");
  if (!matches) return refused(looker, "invalid_grant", app);
  if (found.used && looker.settings.reusedCode === "ends_tokens") found.signIn.ended = true;
  if (!isRedeemable(found, now)) return refused(looker, "invalid_grant", app);
  found.used = true;
  return issue(looker, app, found.signIn, "oauth_token", looker.signIns.issueRefreshToken(found.signIn, now));
}

/** The SDK sends `redirect_uri` here, too. It has no meaning. */
function refresh(looker: LookerInstance, app: OAuthApp, body: Record<string, unknown>): Outcome {
  const { refresh_token: token } = body;
  if (typeof token !== "string") return refused(looker, "invalid_request", app);
  const now = looker.now();
  const signIn = looker.signIns.findRefreshToken(token, now);
  if (signIn?.clientGuid !== app.clientGuid) return refused(looker, "invalid_grant", app);
  if (!looker.settings.rotatesRefreshTokens) return issue(looker, app, signIn, "oauth_refresh");
  const issued = issue(looker, app, signIn, "oauth_refresh", looker.signIns.issueRefreshToken(signIn, now));
  if (issued.reply.status === 200) looker.signIns.dropRefreshToken(token);
  return issued;
}

function issue(
  looker: LookerInstance,
  app: OAuthApp,
  signIn: SignIn,
  event: "oauth_token" | "oauth_refresh",
  refreshToken?: string,
): Outcome {
  const user = looker.accounts.user(signIn.userId);
  if (user === undefined || !admits(app, user)) return refused(looker, "invalid_grant", app);
  const who = { userId: user.userId, clientId: app.clientGuid };
  const { tokenSeconds } = looker.settings;
  const { token, session } = looker.sessions.issue({ ...who, signIn }, tokenSeconds, looker.now());
  const answer = {
    access_token: token,
    token_type: "Bearer",
    expires_in: tokenSeconds,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  };
  return { reply: uncached(json(200, answer)), entry: { event, ...who, tokenSha256: session.sha256 } };
}

/** RFC 6749 §5.2. */
function refused(looker: LookerInstance, error: TokenError, app?: OAuthApp): Outcome {
  const status = error === "invalid_client" ? looker.settings.unknownAppStatus : 400;
  const who = app === undefined ? {} : { clientId: app.clientGuid };
  return { reply: uncached(json(status, { error })), entry: { event: "oauth_refused", ...who } };
}

function uncached(reply: Reply): Reply {
  return { ...reply, headers: { ...reply.headers, "cache-control": "no-store" } };
}
