/** The OAuth session of Looker's own SDK, unchanged, on a page without a browser. */

import { Looker40SDK } from "@looker/sdk";
import { BrowserServices, BrowserTransport, DefaultSettings, OAuthSession } from "@looker/sdk-rtl";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { APP, type OAuthStage, oauthStage, REDIRECT_URI } from "../../../support/looker/oauth-stage.ts";

beforeEach(() => {
  // As in looker-sdk.test.ts.
  vi.spyOn(console, "debug").mockImplementation(() => {});
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function openPage({ looker }: OAuthStage, search = "") {
  const location = { pathname: "/", search, href: "" };
  vi.stubGlobal("window", { location, crypto: globalThis.crypto });
  const settings = {
    ...DefaultSettings(),
    base_url: looker.url,
    readConfig: () => ({
      base_url: looker.url,
      looker_url: looker.uiUrl,
      client_id: APP,
      redirect_uri: REDIRECT_URI,
    }),
  };
  const session = new OAuthSession(
    new BrowserServices({ settings, transport: new BrowserTransport(settings) }),
  );
  return { location, session, sdk: new Looker40SDK(session) };
}

async function signedIn(stage: OAuthStage) {
  const before = openPage(stage);
  await before.session.login();
  const back = await stage.consent(before.location.href);
  const page = openPage(stage, back.search);
  await page.session.login();
  return page;
}

test.each([false, true])(
  "signs in, lives on by refresh and signs out, with rotating refresh tokens: %s",
  async (rotatesRefreshTokens) => {
    const stage = await oauthStage({ rotatesRefreshTokens });
    const { session, sdk } = await signedIn(stage);
    const first = session.activeToken.access_token;
    expect(await sdk.ok(sdk.me())).toMatchObject({ id: "7", email: "ada@example.com" });

    for (let refreshes = 0; refreshes < 3; refreshes++) {
      stage.looker.control.expireAllTokens();
      session.activeToken.expiresAt = new Date(0);
      expect(await sdk.ok(sdk.me())).toMatchObject({ id: "7" });
    }
    expect(session.activeToken.access_token).not.toBe(first);

    const refreshToken = session.activeToken.refresh_token;
    expect(await session.logout()).toBe(true);
    expect(await stage.refresh(refreshToken)).toEqual({ status: 400, json: { error: "invalid_grant" } });
  },
);

test("the ledger tells a person's tokens by the app, and holds no code and no token", async () => {
  const stage = await oauthStage();
  stage.looker.control.resetLedger();
  const { session } = await signedIn(stage);
  const { access_token: token, refresh_token: refreshToken } = session.activeToken;
  session.activeToken.expiresAt = new Date(0);
  await session.getToken();
  await session.logout();
  const entries = stage.looker.ledger();
  expect(entries.map(({ event }) => event)).toEqual([
    "sign_in",
    "oauth_consented",
    "oauth_token",
    "oauth_refresh",
    "logout",
  ]);
  expect(entries.at(-1)).toMatchObject({ clientId: APP, userId: "7" });
  for (const secret of [token, refreshToken, "ada-password"])
    expect(JSON.stringify(entries)).not.toContain(secret);
});

test("a revocation ends the page's tokens, and the next sign-in works", async () => {
  const stage = await oauthStage();
  const { session, sdk } = await signedIn(stage);
  expect((await stage.admin(`DELETE /oauth_client_apps/${APP}/tokens`)).status).toBe(204);
  await expect(sdk.ok(sdk.me())).rejects.toThrow("Requires authentication.");
  session.activeToken.expiresAt = new Date(0);
  await expect(session.getToken()).rejects.toThrow();
  const again = await signedIn(stage);
  expect(await again.sdk.ok(again.sdk.me())).toMatchObject({ id: "7" });
});
