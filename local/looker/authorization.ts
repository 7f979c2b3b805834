/** An app's request for a code, as the browser brings it to `/auth`. */
import type { User } from "./accounts.ts";
import type { LookerInstance } from "./instance.ts";
import type { OAuthApp } from "./oauth-apps.ts";

export interface Authorization {
  readonly app: OAuthApp;
  readonly challenge: string;
  readonly state: string | null;
}

type AuthorizationError = "invalid_request" | "invalid_scope" | "unsupported_response_type" | "access_denied";

/** SHA-256 in base64url. Looker's SDK adds the padding, which RFC 7636 §4.2 leaves out. */
const CHALLENGE = /^([\w-]{43})=?$/;

/** A text is an address: the browser takes an error there. Undefined if no app with this redirect URI is known. */
export function readAuthorization(
  { oauthApps }: LookerInstance,
  query: URLSearchParams,
): Authorization | string | undefined {
  const app = oauthApps.findEnabled(query.get("client_id"));
  // To redirect to an address that no admin has registered would hand errors, and codes, to anybody (RFC 9700 §4.1).
  if (app === undefined || query.get("redirect_uri") !== app.redirectUri) return undefined;
  const state = query.get("state");
  const back = (error: AuthorizationError) => addressWith(app, { error }, state);
  if (query.get("response_type") !== "code") return back("unsupported_response_type");
  if (query.get("scope") !== "cors_api") return back("invalid_scope");
  const challenge = CHALLENGE.exec(query.get("code_challenge") ?? "")?.[1];
  if (query.get("code_challenge_method") !== "S256" || challenge === undefined)
    return back("invalid_request");
  return { app, challenge, state };
}

/** The address of the app, with a code. */
export function consented(
  { signIns, now }: LookerInstance,
  { app, challenge, state }: Authorization,
  user: User,
): string {
  app.activatedUsers.add(user.userId);
  const { clientGuid, redirectUri } = app;
  const code = signIns.issueCode({ redirectUri, challenge }, { clientGuid, userId: user.userId }, now());
  return addressWith(app, { code }, state);
}

export function denied({ app, state }: Authorization): string {
  return addressWith(app, { error: "access_denied" }, state);
}

function addressWith(
  { redirectUri }: OAuthApp,
  answer: Record<string, string>,
  state: string | null,
): string {
  const address = new URL(redirectUri);
  for (const [name, value] of Object.entries({ ...answer, ...(state === null ? {} : { state }) }))
    address.searchParams.set(name, value);
  return address.href;
}
