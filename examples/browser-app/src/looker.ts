/** Looker's SDK with the sign-in of a person. The tokens are in the memory of the page only. */
import { Looker40SDK } from "@looker/sdk";
import { BrowserServices, DefaultSettings, OAuthSession } from "@looker/sdk-rtl";

const { VITE_LOOKER_API_URL, VITE_LOOKER_UI_URL, VITE_CLIENT_GUID } = import.meta.env;
const STATE = "browser_app_state";

const settings = {
  ...DefaultSettings(),
  base_url: VITE_LOOKER_API_URL,
  readConfig: () => ({
    base_url: VITE_LOOKER_API_URL,
    looker_url: VITE_LOOKER_UI_URL,
    client_id: VITE_CLIENT_GUID,
    // The one that an admin of Looker has registered, character by character.
    redirect_uri: `${location.origin}/`,
  }),
};

const session = new OAuthSession(new BrowserServices({ settings }));

export const looker = new Looker40SDK(session);

/** Leaves the page. `session.login()` would do so with a constant for the state. */
export async function signIn(): Promise<void> {
  const state = crypto.randomUUID();
  sessionStorage.setItem(STATE, state);
  location.assign(await session.createAuthCodeRequestUrl("cors_api", state));
}

/** False if Looker has not just sent the browser back. */
export async function finishSignIn(): Promise<boolean> {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state")) return false;
  const state = sessionStorage.getItem(STATE);
  sessionStorage.removeItem(STATE);
  // A code stays in no history and no bookmark.
  history.replaceState(null, "", location.pathname);
  // A link of somebody else would sign the visitor in as somebody else.
  if (answer.get("state") !== state) throw new Error("This page did not ask for that sign-in.");
  const code = answer.get("code");
  if (code === null) throw new Error(`Looker refused: ${answer.get("error") ?? "no code"}.`);
  await session.redeemAuthCode(code);
  session.clearStorage();
  return true;
}

/** Ends the refresh token, too. */
export async function signOut(): Promise<void> {
  await session.logout();
}
