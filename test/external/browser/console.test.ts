/** `looker-token console` against a whole local broker, in a real browser: from the first look to a token that is dead at Looker. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { leaksIn, untilSeen } from "../../support/broker-stand.ts";
import { onStage } from "../../support/cli/stage.ts";
import { brokenRules } from "./accessibility.ts";
import { inBrowser } from "./browser.ts";

const stage = onStage({ scopesFile: fileURLToPath(new URL("scopes.ts", import.meta.url)) });
const { visit } = inBrowser();

/** `SCREENSHOTS=docs/images` makes the pictures of the pages anew. */
const pictures = process.env.SCREENSHOTS ?? mkdtempSync(join(tmpdir(), "console-pictures-"));
mkdirSync(pictures, { recursive: true });
afterAll(() => {
  if (!process.env.SCREENSHOTS) rmSync(pictures, { recursive: true });
});

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 375, height: 812 }, hasTouch: true, deviceScaleFactor: 2 };

async function tokenOf(name: string, scope: string, body?: object): Promise<string> {
  const { status, json } = await stage.caller(name).token(scope, body);
  expect(status).toBe(200);
  return json.access_token;
}

/** The command as an operator types it, and a browser that follows its link. */
async function openConsole(options: BrowserContextOptions = desktop) {
  const running = stage.cli.start("console", "--local");
  const link = await untilSeen(() => /^http:\S+/.exec(running.out())?.[0], "the link", 30_000);
  const visited = await visit(options);
  await visited.page.goto(link);
  await visited.page.getByText("As of").waitFor();
  const end = async () => {
    running.child.kill("SIGINT");
    const ran = await running.ended;
    stage.printed.push(ran.out, ran.err);
    return ran;
  };
  return { ...visited, link, end };
}

const rowsOf = (page: Page) => page.getByRole("row").filter({ has: page.getByRole("cell") });
const row = (page: Page, ...texts: string[]) =>
  texts.reduce((rows, text) => rows.filter({ hasText: text }), rowsOf(page));

const paste = (page: Page, text: string) =>
  page.getByLabel("A Looker token that was found").evaluate((box, pasted) => {
    const data = new DataTransfer();
    data.setData("text", pasted);
    box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, cancelable: true, bubbles: true }));
  }, text);

let token: string;
beforeEach(async () => {
  token = await tokenOf("report-service", "sales");
  await tokenOf("report-service", "sales", { session: "nightly" });
  await tokenOf("nightly-job", "sales");
  await tokenOf("campaign-mailer", "marketing");
  await tokenOf("report-service", "marketing");
});

test("from the first look to a token that Looker refuses, and no request but to loopback", async () => {
  const { page, link, asked, errors, end } = await openConsole();
  const origin = new URL(link).origin;

  // The key is gone from the address, and nothing of the page can read the cookie.
  expect(page.url()).toBe(link.split("?")[0]);
  expect(await page.evaluate("document.cookie")).toBe("");
  await expect.poll(() => rowsOf(page).count()).toBe(5);

  await row(page, "report-service", "sales", "nightly").waitFor();
  await row(page, "report-service", "sales").filter({ hasNotText: "nightly" }).getByRole("button").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "End 1 lease" }).click();
  await expect.poll(() => dialog.textContent()).toMatch(/revoked 1 lease of sales; Looker confirmed its end/);
  expect(await stage.lookerTakes(token)).toBe(401);
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect.poll(() => rowsOf(page).count()).toBe(4);

  expect(asked.filter((url) => !url.startsWith(`${origin}/`))).toEqual([]);
  expect(errors).toEqual([]);
  expect((await end()).exitCode).toBe(0);
});

test("pictures", async () => {
  await stage.stand.broker.runSchedules();
  await stage.cli.run(
    "freeze",
    "--scope",
    "finance",
    "--reason",
    "incident 42: a token in a public channel",
    "--local",
  );
  for (const [name, options] of [
    ["light", desktop],
    ["dark", { ...desktop, colorScheme: "dark" }],
    ["phone", phone],
    ["phone-dark", { ...phone, colorScheme: "dark" }],
  ] as const) {
    const { page, end } = await openConsole(options as BrowserContextOptions);
    await page.screenshot({ path: `/tmp/con18-tmp/shot-${name}.png`, fullPage: true });
    console.log(name, await brokenRules(page));
    await page.getByText("about its account").first().click();
    await page.getByRole("button", { name: "Freeze …" }).first().click();
    await page.getByRole("dialog").getByText("It ends").waitFor();
    await page.screenshot({ path: `/tmp/con18-tmp/shot-${name}-dialog.png` });
    console.log(name, await brokenRules(page));
    await end();
  }
});
