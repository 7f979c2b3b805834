/** Against the stand-in Looker: attacks on OAuth with PKCE (RFC 9700), as a page of this machine may meet them. */
import { request } from "node:http";
import { describe, expect, it } from "vitest";
import {
  APP,
  challengeOf,
  type OAuthStage,
  OTHER,
  oauthStage,
  PERSON,
  REDIRECT_URI,
  VERIFIER,
} from "../support/looker/oauth-stage.ts";

const REFUSED = { status: 400, json: { error: "invalid_grant" } };
const HIJACKED = "http://localhost:4444/";

async function tokens(stage: OAuthStage) {
  const { status, json } = await stage.redeem(await stage.code());
  expect(status).toBe(200);
  return json;
}

describe("a stolen code", () => {
  it.each([
    ["with a guessed verifier", { code_verifier: "b".repeat(66) }],
    ["with the challenge as its verifier", { code_verifier: challengeOf(VERIFIER) }],
    ["with an empty verifier", { code_verifier: "" }],
    ["with another redirect URI", { redirect_uri: HIJACKED }],
    ["by another app", { client_id: "other-app" }],
  ])("gets nothing %s, and the app's own exchange still works", async (_, changes) => {
    const stage = await oauthStage();
    await stage.register("other-app");
    const code = await stage.code();
    expect(await stage.redeem(code, changes)).toEqual(REFUSED);
    expect((await stage.redeem(code)).status).toBe(200);
  });

  it("gets nothing without a verifier", async () => {
    const stage = await oauthStage();
    const body = { grant_type: "authorization_code", client_id: APP, redirect_uri: REDIRECT_URI };
    const refused = { status: 400, json: { error: "invalid_request" } };
    expect(await stage.token({ ...body, code: await stage.code() })).toEqual(refused);
  });

  it("gets nothing after a minute", async () => {
    const stage = await oauthStage();
    const [early, late] = [await stage.code(), await stage.code()];
    stage.looker.control.advanceClock(59_000);
    expect((await stage.redeem(early)).status).toBe(200);
    stage.looker.control.advanceClock(1_000);
    expect(await stage.redeem(late)).toEqual(REFUSED);
  });

  it.each([
    ["refused" as const, 200],
    ["ends_tokens" as const, 401],
  ])(
    "gets nothing when it is used twice; setting %s leaves the first token at %i",
    async (reusedCode, me) => {
      const stage = await oauthStage({ reusedCode });
      const code = await stage.code();
      const { json } = await stage.redeem(code);
      expect(await stage.redeem(code)).toEqual(REFUSED);
      expect(await stage.me(json.access_token)).toBe(me);
      expect((await stage.refresh(json.refresh_token)).status).toBe(me === 200 ? 200 : 400);
    },
  );

  it("gets nothing in the attacker's own page: a code injected into another sign-in has another challenge", async () => {
    const stage = await oauthStage();
    const victims = await stage.code();
    const attackers = "c".repeat(66);
    await stage.consent(stage.authUrl({ code_challenge: challengeOf(attackers) }), OTHER);
    expect(await stage.redeem(victims, { code_verifier: attackers })).toEqual(REFUSED);
  });
});

describe("a changed request for a code", () => {
  it.each([
    ["a suffix", `${REDIRECT_URI}/more`],
    ["a further parameter", `${REDIRECT_URI}&next=${HIJACKED}`],
    ["another letter case", REDIRECT_URI.replace("localhost", "LOCALHOST")],
    ["another host", HIJACKED],
    ["a host that begins like the app's", REDIRECT_URI.replace("5173", "5173@localhost:4444")],
    ["nothing", ""],
  ])("is not redirected to a redirect URI with %s", async (_, redirectUri) => {
    const stage = await oauthStage();
    const authUrl = stage.authUrl({ redirect_uri: redirectUri });
    const response = await fetch(authUrl, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([400, null]);
    expect((await stage.consent(authUrl)).href).toBe("about:blank#nowhere");
  });

  it.each([
    ["a wider scope", { scope: "cors_api admin" }, "invalid_scope"],
    ["no scope", { scope: "" }, "invalid_scope"],
    ["no challenge", { code_challenge: "" }, "invalid_request"],
    ["a plain challenge", { code_challenge_method: "plain" }, "invalid_request"],
    ["a token at once", { response_type: "token" }, "unsupported_response_type"],
  ])("gets an error and no code for %s", async (_, changes, error) => {
    const stage = await oauthStage();
    const back = await stage.consent(stage.authUrl(changes));
    expect(Object.fromEntries(back.searchParams)).toEqual({ from: "looker", error, state: "of the app" });
  });

  it("comes back with the state that was sent, so that the app sees a changed one", async () => {
    const stage = await oauthStage();
    const state = "a&code=injected#/é";
    const { searchParams } = await stage.consent(stage.authUrl({ state }));
    expect(searchParams.getAll("state")).toEqual([state]);
    expect(searchParams.getAll("code")).not.toContain("injected");
  });
});

describe("a stolen refresh token", () => {
  it("gets nothing after a logout, and neither does the access token", async () => {
    const stage = await oauthStage();
    const { access_token: first, refresh_token: refreshToken } = await tokens(stage);
    const { json } = await stage.refresh(refreshToken);
    expect(await stage.logout(json.access_token)).toBe(204);
    expect(await stage.refresh(refreshToken)).toEqual(REFUSED);
    expect([await stage.me(first), await stage.me(json.access_token)]).toEqual([401, 401]);
    expect(await stage.logout(first)).toBe(404);
  });

  it("gets nothing by another app, after a month, or after it was replaced", async () => {
    const stage = await oauthStage({ rotatesRefreshTokens: true });
    await stage.register("other-app");
    const { refresh_token: old } = await tokens(stage);
    const body = { grant_type: "refresh_token", client_id: "other-app", refresh_token: old };
    expect(await stage.token(body)).toEqual(REFUSED);
    const { refresh_token: next } = (await stage.refresh(old)).json;
    expect(await stage.refresh(old)).toEqual(REFUSED);
    stage.looker.control.advanceClock(30 * 24 * 3_600_000);
    expect(await stage.refresh(next)).toEqual(REFUSED);
  });

  it("gets nothing once the person is disabled, or the app is", async () => {
    const stage = await oauthStage();
    const { access_token: token, refresh_token: refreshToken } = await tokens(stage);
    stage.looker.control.changeUser(PERSON.userId, { disabled: true });
    expect(await stage.refresh(refreshToken)).toEqual(REFUSED);
    stage.looker.control.changeUser(PERSON.userId, { disabled: false });
    await stage.admin(`PATCH /oauth_client_apps/${APP}`, { enabled: false });
    expect(await stage.refresh(refreshToken)).toEqual({ status: 401, json: { error: "invalid_client" } });
    expect(await stage.me(token)).toBe(401);
  });

  it("gets nothing after a revocation of the app's tokens, or of one person's", async () => {
    const stage = await oauthStage();
    const [adas, bobs] = [
      (await stage.redeem(await stage.code())).json,
      (await stage.redeem((await stage.consent(undefined, OTHER)).searchParams.get("code") ?? "")).json,
    ];
    const unused = await stage.code();
    const states = async () => [await stage.me(adas.access_token), await stage.me(bobs.access_token)];
    await stage.admin(`DELETE /oauth_client_apps/${APP}/users/${PERSON.userId}`);
    expect(await states()).toEqual([401, 200]);
    expect([await stage.refresh(adas.refresh_token), await stage.redeem(unused)]).toEqual([REFUSED, REFUSED]);
    await stage.admin(`DELETE /oauth_client_apps/${APP}/tokens`);
    expect(await states()).toEqual([401, 401]);
    expect(await stage.refresh(bobs.refresh_token)).toEqual(REFUSED);
  });
});

/** As a browser sends it: fetch() of Node would not let us set these headers. */
function send(url: string, method: string, headers: Record<string, string>) {
  return new Promise<{ status: number; allowed: string | undefined }>((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      response.resume();
      const allowed = response.headers["access-control-allow-origin"];
      resolve({ status: response.statusCode ?? 0, allowed });
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("a page of another origin", () => {
  const allowed = "http://localhost:5173";
  const refused = { status: 403, allowed: undefined };
  const paths = ["/api/4.0/user", "/api/token", "/api/logout"];

  it.each(["http://localhost:4444", "http://127.0.0.1:5173", `${allowed}.example`, "null", ""])(
    "%s calls nothing of the API",
    async (origin) => {
      const { looker } = await oauthStage({ corsOrigins: [allowed] });
      for (const path of paths)
        for (const method of ["OPTIONS", "POST", "GET", "DELETE"])
          expect(await send(`${looker.url}${path}`, method, { origin })).toEqual(refused);
    },
  );

  it("is told apart from an allowed origin, which calls all but login", async () => {
    const { looker } = await oauthStage({ corsOrigins: [allowed] });
    for (const path of paths)
      expect(await send(`${looker.url}${path}`, "OPTIONS", { origin: allowed })).toEqual({
        status: 204,
        allowed,
      });
    expect(await send(`${looker.url}/api/4.0/user`, "GET", { origin: allowed })).toEqual({
      status: 401,
      allowed,
    });
    for (const path of ["/api/4.0/login", "/login", "/api//login", "/api/4.0/login/7"])
      for (const method of ["OPTIONS", "POST"])
        expect(await send(`${looker.url}${path}`, method, { origin: allowed })).toEqual(refused);
  });

  it("gets no consent by a form, a frame or an image, although its origin may call the API", async () => {
    const stage = await oauthStage({ corsOrigins: [allowed] });
    const url = stage.authUrl();
    const site = { "sec-fetch-site": "same-site" };
    const frame = { ...site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" };
    expect(await send(url, "POST", { ...site, origin: allowed })).toEqual(refused);
    expect(await send(url, "GET", frame)).toEqual(refused);
    expect(await send(url, "GET", { ...site, "sec-fetch-mode": "no-cors" })).toEqual(refused);
    const link = { ...site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    expect((await send(url, "GET", link)).status).toBe(200);
    const { headers } = await fetch(url);
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  });
});

it("an app's name with markup stays text on the page that asks for consent", async () => {
  const stage = await oauthStage();
  await stage.register("markup", { display_name: "<script>alert(1)</script>" });
  const url = stage.authUrl({ client_id: "markup" });
  const signedIn = await fetch(url, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ email: PERSON.email, password: PERSON.password }),
  });
  const page = await fetch(url, { headers: { cookie: signedIn.headers.get("set-cookie") ?? "" } });
  const html = await page.text();
  expect(html).toContain("script");
  expect(html).not.toContain("<script>");
});
