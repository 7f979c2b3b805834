/** `examples/browser-app` with Looker's own SDK, in a real browser, against the stand-in Looker. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { APP, PERSON } from "../../support/looker/oauth-stage.ts";
import { brokenRules } from "./accessibility.ts";
import { inBrowser } from "./browser.ts";
import { allow, signInAs, startBrowserApp } from "./browser-app.ts";

const { visit } = inBrowser();
const folder = mkdtempSync(join(tmpdir(), "browser-app-pictures-"));
afterAll(() => rmSync(folder, { recursive: true }));
/** `SCREENSHOTS=FOLDER` keeps the pictures. */
const pictureOf = (name: string) => join(process.env.SCREENSHOTS ?? folder, `browser-app-${name}.png`);

test.each([false, true])(
  "signs in, lives through the end of its token and a revocation, and signs out; rotating refresh tokens: %s",
  async (rotatesRefreshTokens) => {
    // The SDK takes a token for dead ten seconds early: each call needs a refresh.
    const { stage, url } = await startBrowserApp({ rotatesRefreshTokens, tokenSeconds: 10 });
    const { page } = await visit();
    await page.goto(url);
    expect(await brokenRules(page)).toEqual([]);
    await signInAs(page);
    await page.getByText("Browser app wants to use Looker as you").waitFor();
    await page.screenshot({ path: pictureOf("consent") });
    expect(await brokenRules(page)).toEqual([]);
    await allow(page);
    expect(page.url()).toBe(url);
    await page.screenshot({ path: pictureOf("signed-in") });

    const events = () => stage.looker.ledger().map(({ event }) => event);
    const askAgain = page.getByRole("button", { name: "Ask Looker again" });
    for (let asked = 1; asked <= 2; asked++) {
      const refreshes = events().filter((event) => event === "oauth_refresh").length;
      stage.looker.control.expireAllTokens();
      const answered = page.waitForResponse((response) => response.url().endsWith("/api/4.0/user"));
      await askAgain.click();
      expect((await answered).status()).toBe(200);
      expect(events().filter((event) => event === "oauth_refresh")).toHaveLength(refreshes + 1);
    }

    const revoked = await stage.admin(`DELETE /oauth_client_apps/${APP}/tokens`);
    expect(revoked.status).toBe(204);
    await askAgain.click();
    await page.getByText("Sign in again.").waitFor();
    await page.screenshot({ path: pictureOf("revoked") });
    // Looker knows the person and the consent.
    await page.getByRole("button", { name: "Sign in with Looker" }).click();
    await page.getByText(PERSON.email).waitFor();

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You have signed out.").waitFor();
    expect(stage.looker.liveTokens().filter(({ clientId }) => clientId === APP)).toEqual([]);
  },
);

test("no token, secret or code is in the page's files, its storage, its address or its errors", async () => {
  const { stage, url } = await startBrowserApp();
  const { page, asked, errors } = await visit();
  const files: Promise<string>[] = [];
  page.on("response", (response) => void (response.url().startsWith(url) && files.push(response.text())));
  await page.goto(url);
  const loaded = await Promise.all(files);
  expect(loaded.join()).toContain(APP);
  expect(loaded.join()).not.toMatch(/admin-secret|broker/i);
  const answered = page.waitForResponse((response) => response.url().endsWith("/api/token"));
  await signInAs(page);
  await allow(page);
  const { access_token: token, refresh_token: refreshToken } = await (await answered).json();
  expect(await stage.me(token)).toBe(200);
  const stored = await page.evaluate(
    "JSON.stringify([{...localStorage}, {...sessionStorage}, location.href])",
  );
  expect(stored).toBe(JSON.stringify([{}, {}, url]));
  for (const secret of [token, refreshToken]) expect(asked.join()).not.toContain(secret);
  const hosts = new Set(asked.map((address) => new URL(address).origin));
  expect(hosts).toEqual(new Set([url, stage.looker.url, stage.looker.uiUrl].map((of) => new URL(of).origin)));
  expect(errors).toEqual([]);
});

test("another origin with the same page gets nothing, because CORS refuses it", async () => {
  const { stage, url } = await startBrowserApp();
  stage.looker.control.changeSettings({ corsOrigins: ["http://localhost:1"] });
  const { page, errors } = await visit();
  await page.goto(url);
  await signInAs(page);
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText("Sign in again.").waitFor();
  expect(errors.join()).toContain("blocked by CORS policy");
  expect(stage.looker.liveTokens().filter(({ clientId }) => clientId === APP)).toEqual([]);
});

test("a changed state, and a stolen code without its verifier, sign nobody in", async () => {
  const { stage, url } = await startBrowserApp();
  const { page } = await visit();
  const exchanges = () => stage.looker.ledger().filter(({ path }) => path === "/api/token");
  // The visitor is about to sign in. The attacker has a code of a sign-in of their own, and lures the visitor with it.
  const code = await stage.code({ redirect_uri: url });
  const startSignIn = async () => {
    await page.goto(url);
    await page.getByRole("button", { name: "Sign in with Looker" }).click();
    await page.getByLabel("Email").waitFor();
    return new URL(page.url()).searchParams.get("state") ?? "";
  };
  await startSignIn();
  await page.goto(`${url}?code=${code}&state=forged`);
  await page.getByText("Sign in again.").waitFor();
  expect(exchanges()).toEqual([]);
  // Even with the visitor's own state the code does not fit the visitor's verifier.
  await page.goto(`${url}?code=${code}&state=${await startSignIn()}`);
  await page.getByText("Sign in again.").waitFor();
  expect(exchanges()).toMatchObject([{ method: "OPTIONS" }, { event: "oauth_refused" }]);
  expect(stage.looker.liveTokens().filter(({ clientId }) => clientId === APP)).toEqual([]);
});

test("a person who denies is not signed in", async () => {
  const { url } = await startBrowserApp();
  const { page } = await visit();
  await page.goto(url);
  await signInAs(page);
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByText("Sign in again.").waitFor();
  expect(page.url()).toBe(url);
});
