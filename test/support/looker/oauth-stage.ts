/** A stand-in Looker with an app, a person, and the steps of a sign-in without a browser. */
import { createHash } from "node:crypto";
import { onTestFinished } from "vitest";
import type { LookerSettings } from "../../../local/looker/instance.ts";
import { type RunningLooker, startLooker } from "../../../local/looker/server.ts";

export const REDIRECT_URI = "http://localhost:5173/oauth?from=looker";
export const PERSON = { userId: "7", name: "Ada", email: "ada@example.com", password: "ada-password" };
export const OTHER = { userId: "8", name: "Bob", email: "bob@example.com", password: "bob-password" };
const ADMIN = { clientId: "admin", clientSecret: "admin-secret" };

export type Person = typeof PERSON;
export type Answer = Record<string, string>;

export interface OAuthStage {
  readonly looker: RunningLooker;
  /** A call of the API by an admin. */
  admin(route: string, body?: unknown): Promise<{ status: number; json: Record<string, unknown> }>;
  register(guid: string, details?: object): Promise<void>;
  authUrl(changes?: Answer): string;
  /** Signs in and allows. Returns the address of the redirect. */
  consent(authUrl?: string, person?: Person): Promise<URL>;
  code(changes?: Answer): Promise<string>;
  token(body: unknown): Promise<{ status: number; json: Answer }>;
  redeem(code: string, changes?: Answer): Promise<{ status: number; json: Answer }>;
  refresh(token: string | undefined): Promise<{ status: number; json: Answer }>;
  me(token: string | undefined): Promise<number>;
  logout(token: string | undefined): Promise<number>;
}

export const APP = "browser-app";
export const VERIFIER = "a".repeat(66);
export const challengeOf = (verifier: string) => createHash("sha256").update(verifier).digest("base64url");

export async function oauthStage(settings: Partial<LookerSettings> = {}): Promise<OAuthStage> {
  const people = [PERSON, OTHER].map(({ userId, name, email, password }) => ({
    userId,
    displayName: name,
    credentials: [],
    serviceAccount: false,
    signIn: { email, password },
  }));
  const looker = await startLooker({
    accounts: [{ userId: "1", displayName: "Admin", credentials: [ADMIN], admin: true }, ...people],
  });
  onTestFinished(() => looker.close());
  looker.control.changeSettings(settings);

  const call = async (route: string, headers: Record<string, string>, body?: unknown) => {
    const [method = "", path = ""] = route.split(" ");
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = { "content-type": "application/json" };
    const response = await fetch(`${looker.url}${path}`, {
      method,
      headers: { ...type, ...headers },
      ...sent,
    });
    const text = await response.text();
    return { status: response.status, json: text === "" ? {} : JSON.parse(text) };
  };
  const withToken = (token = "none") => ({ authorization: `Bearer ${token}` });
  const adminToken = async () => {
    const { clientId, clientSecret } = ADMIN;
    const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret });
    const response = await fetch(`${looker.url}/api/4.0/login`, { method: "POST", body });
    return ((await response.json()) as Answer).access_token;
  };

  const stage: OAuthStage = {
    looker,
    // A token of its own for each call: a test may expire all tokens.
    admin: async (route, body) => call(route.replace(" ", " /api/4.0"), withToken(await adminToken()), body),
    register: async (guid, details = {}) => {
      const app = { redirect_uri: REDIRECT_URI, display_name: "Browser app", ...details };
      const { status } = await stage.admin(`POST /oauth_client_apps/${guid}`, app);
      if (status !== 200) throw new Error(`Registered: ${status}`);
    },
    authUrl: (changes = {}) =>
      `${looker.uiUrl}/auth?${new URLSearchParams({
        response_type: "code",
        client_id: APP,
        redirect_uri: REDIRECT_URI,
        scope: "cors_api",
        state: "of the app",
        code_challenge_method: "S256",
        code_challenge: challengeOf(VERIFIER),
        ...changes,
      })}`,
    consent: async (authUrl = stage.authUrl(), { email, password } = PERSON) => {
      const post = (fields: Answer, cookie = "") =>
        fetch(authUrl, {
          method: "POST",
          redirect: "manual",
          headers: { cookie },
          body: new URLSearchParams(fields),
        });
      const { headers } = await post({ email, password });
      const { headers: answered } = await post({ decision: "allow" }, headers.get("set-cookie") ?? "");
      return new URL(answered.get("location") ?? "about:blank#nowhere");
    },
    code: async (changes) => (await stage.consent(stage.authUrl(changes))).searchParams.get("code") ?? "none",
    token: (body) => call("POST /api/token", {}, body),
    redeem: (code, changes = {}) =>
      stage.token({
        grant_type: "authorization_code",
        client_id: APP,
        redirect_uri: REDIRECT_URI,
        code,
        code_verifier: VERIFIER,
        ...changes,
      }),
    refresh: (token) => stage.token({ grant_type: "refresh_token", client_id: APP, refresh_token: token }),
    me: async (token) => (await call("GET /api/4.0/user", withToken(token))).status,
    logout: async (token) => (await call("DELETE /api/logout", withToken(token))).status,
  };
  await stage.register(APP);
  return stage;
}
