import type { LookerInstance } from "./instance.ts";
import type { LedgerEntry } from "./ledger.ts";
import { json, lookerError, noContent, type Reply } from "./replies.ts";
import { endSession, isEnded, isLive, type Session } from "./sessions.ts";
import { sha256 } from "./token.ts";

export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  contentType: string;
  authorization: string;
  body: string;
  ip: string;
  /** Of this server, as the client addresses it. */
  origin: string;
  /** Of Looker's pages. */
  uiOrigin: string;
}

export interface Outcome {
  reply: Reply;
  entry: Pick<LedgerEntry, "event" | "clientId" | "userId" | "tokenSha256" | "pair" | "credentialsInQuery">;
}

export function login(looker: LookerInstance, request: ApiRequest): Outcome {
  const isForm = request.contentType.startsWith("application/x-www-form-urlencoded");
  const form = new URLSearchParams(isForm ? request.body : "");
  const clientId = form.get("client_id") ?? request.query.get("client_id");
  const clientSecret = form.get("client_secret") ?? request.query.get("client_secret");
  const inQuery = request.query.has("client_id") || request.query.has("client_secret");
  const noted = inQuery ? { credentialsInQuery: true as const } : {};
  // Login documents 400 and no 422. The answer to a missing field is not documented.
  if (!clientId || !clientSecret)
    return { reply: lookerError(400), entry: { event: "bad_request", ...noted } };

  const now = looker.now();
  const who = { clientId: clientId.slice(0, 100), ...noted };
  // The lock comes first: while it lasts the right secret is refused like a wrong one.
  if (looker.lockouts.isLocked(clientId, request.ip, now)) {
    return {
      reply: lookerError(looker.settings.lockedOutStatus),
      entry: { event: "login_locked_out", ...who },
    };
  }
  const user = looker.accounts.verify(clientId, clientSecret);
  if (user === undefined) {
    looker.lockouts.failed(clientId, request.ip, now);
    // Wrong credentials are a 404 in Looker, the same as a wrong base URL.
    return { reply: lookerError(404), entry: { event: "login_failed", ...who } };
  }
  looker.lockouts.succeeded(clientId, request.ip);
  const { token, session } = looker.sessions.issue(
    { userId: user.userId, clientId },
    looker.settings.tokenSeconds,
    now,
  );
  return {
    reply: json(200, tokenAnswer(looker, token)),
    entry: { event: "login", ...who, userId: user.userId, tokenSha256: session.sha256 },
  };
}

/** Ends the request's own token, and no other. With a person's token goes the refresh token. */
export function logout(looker: LookerInstance, request: ApiRequest): Outcome {
  const token = tokenOf(request.authorization);
  if (token === undefined) return { reply: lookerError(401), entry: { event: "api_unauthorized" } };
  const tokenSha256 = sha256(token);
  const session = looker.sessions.find(tokenSha256);
  // An already logged-out token is a 404 with Looker's error body; one that never was looks no different.
  if (session === undefined || isEnded(session)) {
    return { reply: lookerError(404), entry: { event: "logout_unknown", ...ownerOf(session), tokenSha256 } };
  }
  if (!isLive(session, looker.now())) {
    const reply = lookerError(looker.settings.expiredLogoutStatus);
    return { reply, entry: { event: "logout_expired", ...ownerOf(session), tokenSha256 } };
  }
  const { accounts, settings } = looker;
  const deletedPair = session.signIn === undefined && accounts.pairs.find(session.clientId) === undefined;
  if (deletedPair && settings.tokensOfDeletedPairs === "live_without_logout") {
    return { reply: lookerError(404), entry: { event: "logout_unknown", ...ownerOf(session), tokenSha256 } };
  }
  endSession(session);
  return { reply: noContent(), entry: { event: "logout", ...ownerOf(session), tokenSha256 } };
}

export function tokenAnswer(looker: LookerInstance, token: string): object {
  return {
    access_token: token,
    token_type: "Bearer",
    expires_in: looker.settings.tokenSeconds,
    ...(looker.settings.refreshToken === "null" ? { refresh_token: null } : {}),
  };
}

/** `token X` is documented, `Bearer X` is what Looker's own SDKs send; Looker takes both. */
export function tokenOf(authorization: string): string | undefined {
  return /^(?:token|bearer) +(\S+)$/i.exec(authorization.trim())?.[1];
}

export function ownerOf(session: Session | undefined): { clientId?: string; userId?: string } {
  return session === undefined ? {} : { clientId: session.clientId, userId: session.userId };
}
