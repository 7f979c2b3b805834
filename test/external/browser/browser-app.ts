/** `examples/browser-app`, built and served as its own package does, and the stand-in Looker that it signs in to. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { onTestFinished } from "vitest";
import type { LookerSettings } from "../../../local/looker/instance.ts";
import { untilSeen } from "../../support/broker-stand.ts";
import { APP, type OAuthStage, oauthStage, PERSON } from "../../support/looker/oauth-stage.ts";

const folder = fileURLToPath(new URL("../../../examples/browser-app", import.meta.url));
const vite = join(folder, "node_modules/.bin/vite");

export interface BrowserApp {
  readonly stage: OAuthStage;
  /** The address of the page. */
  readonly url: string;
}

export async function startBrowserApp(settings: Partial<LookerSettings> = {}): Promise<BrowserApp> {
  if (!existsSync(vite)) throw new Error("Run npm ci --prefix examples/browser-app first.");
  const stage = await oauthStage(settings);
  const built = mkdtempSync(join(tmpdir(), "browser-app-"));
  onTestFinished(() => rmSync(built, { recursive: true }));
  const { status, stderr } = spawnSync(vite, ["build", "--outDir", built, "--emptyOutDir"], {
    cwd: folder,
    encoding: "utf8",
    env: {
      ...process.env,
      VITE_LOOKER_API_URL: stage.looker.url,
      VITE_LOOKER_UI_URL: stage.looker.uiUrl,
      VITE_CLIENT_GUID: APP,
    },
  });
  if (status !== 0) throw new Error(`The page was not built: ${stderr}`);
  const url = await serve(built);
  await stage.admin(`PATCH /oauth_client_apps/${APP}`, { redirect_uri: url });
  stage.looker.control.changeSettings({ corsOrigins: [new URL(url).origin] });
  return { stage, url };
}

/** Vite tries the next port while one is taken. */
async function serve(built: string): Promise<string> {
  const server: ChildProcess = spawn(vite, ["preview", "--outDir", built], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1" },
  });
  onTestFinished(() => void server.kill());
  let out = "";
  server.stdout?.on("data", (chunk) => {
    out += chunk;
  });
  return untilSeen(() => /http:\/\/localhost:\d+\//.exec(out)?.[0], "the page's address", 30_000);
}

/** From the page to Looker and back, as a person with a password. */
export async function signInAs(page: Page, { email, password } = PERSON): Promise<void> {
  await page.getByRole("button", { name: "Sign in with Looker" }).click();
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export async function allow(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText(PERSON.email).waitFor();
}
