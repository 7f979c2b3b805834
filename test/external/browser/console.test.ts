/** `looker-token console` against a whole local broker, in a real browser: from the first look to a dead token. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContextOptions } from "playwright-core";
import { afterAll, describe, expect, test } from "vitest";
import { onStage } from "../../support/cli/stage.ts";
import { brokenRules } from "./accessibility.ts";
import { inBrowser } from "./browser.ts";
import { desktop, openConsole, paste, phone, rowOf, rowsOf, scopeCard } from "./console-visit.ts";

const stage = onStage({ scopesFile: fileURLToPath(new URL("scopes.ts", import.meta.url)) });
const { visit } = inBrowser();

/** `SCREENSHOTS=docs/images` makes the two pictures of the documentation anew. */
const folder = mkdtempSync(join(tmpdir(), "console-pictures-"));
afterAll(() => rmSync(folder, { recursive: true }));
const pictureOf = (name: string) => {
  const isShown = name === "light" || name === "phone-dark";
  return join((isShown && process.env.SCREENSHOTS) || folder, `console-${name}.png`);
};

async function tokenOf(name: string, scope: string, body?: object): Promise<string> {
  const { status, json } = await stage.caller(name).token(scope, body);
  expect(status).toBe(200);
  return json.access_token;
}

async function open(options: BrowserContextOptions = desktop) {
  const visited = await openConsole(stage.cli, ["--local"], visit, options);
  return {
    ...visited,
    async end() {
      const ran = await visited.end();
      stage.printed.push(ran.out, ran.err);
      return ran;
    },
  };
}

async function someLeases(): Promise<string> {
  const token = await tokenOf("report-service", "sales");
  await tokenOf("report-service", "sales", { session: "nightly" });
  await tokenOf("nightly-job", "sales");
  await tokenOf("campaign-mailer", "marketing");
  await tokenOf("report-service", "marketing");
  return token;
}

test("from the first look to a token refused by Looker, and no request but to loopback", async () => {
  const token = await someLeases();
  const { page, link, asked, errors, end } = await open();

  // The key is gone from the address, and no script reads the cookie.
  expect(page.url()).toBe(link.split("?")[0]);
  expect(await page.evaluate("document.cookie")).toBe("");
  expect(await rowsOf(page).count()).toBe(5);

  await rowOf(page, "report-service", "sales").filter({ hasNotText: "nightly" }).getByRole("button").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "End 1 lease" }).click();
  await dialog.getByText("1 lease of sales; Looker confirmed its end").waitFor();
  expect(await stage.lookerTakes(token)).toBe(401);
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByText("4 leases", { exact: true }).waitFor();

  expect(asked.filter((url) => !url.startsWith(`${new URL(link).origin}/`))).toEqual([]);
  expect(errors).toEqual([]);
  expect((await end()).exitCode).toBe(0);
  await page.getByRole("button", { name: "Look again" }).click();
  await page.getByText("The console has ended, or does not answer.").waitFor();
});

test("a pasted token is found, and is dead at Looker after two clicks", async () => {
  const token = await someLeases();
  const { page, errors, end } = await open();
  await paste(page, `Authorization: Bearer ${token}\n`);
  const found = page.getByRole("article").filter({ hasText: "report-service in scope sales: live" });
  await found.getByRole("button", { name: "End this token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "End 1 lease" }).click();
  await dialog.getByText("1 lease of sales; Looker confirmed its end").waitFor();
  expect(await stage.lookerTakes(token)).toBe(401);
  expect(errors).toEqual([]);
  await end();
});

test("before a client id is denied, the dialog names its scopes, and says if the broker logs in with it", async () => {
  await tokenOf("report-service", "sales");
  const { page, end } = await open();
  await rowOf(page, "report-service").getByRole("button").click();
  await page.getByRole("dialog").getByText("All leases made with client id").click();
  await page.getByText("sales: it is the credential in use.").waitFor();
  await end();
});

test("with the keyboard alone a scope is frozen, by a reason and its typed name, and given back", async () => {
  const token = await tokenOf("finance-service", "finance");
  const { page, errors, end } = await open();
  await scopeCard(page, "finance").getByRole("button", { name: "Freeze …" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("It ends 1 lease.").waitFor();
  const freeze = page.getByRole("dialog").getByRole("button", { name: "Freeze, and end 1 lease" });
  await page.keyboard.type("incident 42");
  await page.keyboard.press("Tab");
  await page.keyboard.type("sales");
  expect(await freeze.isDisabled()).toBe(true);
  await page.keyboard.press("Enter");
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("finance");
  await page.keyboard.press("Enter");
  await page.getByText("Looker confirmed its end").waitFor();
  expect(await stage.lookerTakes(token)).toBe(401);
  expect((await stage.caller("finance-service").token("finance")).json.code).toBe("scope_frozen");

  await page.keyboard.press("Escape");
  const card = scopeCard(page, "finance");
  await card.getByText("incident 42").waitFor();
  expect(await card.textContent()).toMatch(/frozen.*by arn:.*role\/platform-engineer, \S+ \S+ UTC/);
  await card.getByRole("button", { name: "Unfreeze …" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByText("It ends nothing").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Unfreeze" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("Unfrozen: callers get new leases of finance again.").waitFor();
  await tokenOf("finance-service", "finance");
  expect(errors).toEqual([]);
  await end();
});

test("while Looker does not confirm it says pending, and revoked once it does", async () => {
  await tokenOf("report-service", "sales");
  const { page, end } = await open();
  const { control } = stage.stand.looker;
  control.addFault({ route: "logout", kind: "status", status: 500 });
  await rowOf(page, "report-service").getByRole("button").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "End 1 lease" }).click();
  await dialog.locator("dl", { hasText: "pending1" }).waitFor();
  control.clearFaults();
  await dialog.getByText("1 lease of sales; Looker confirmed its end").waitFor({ timeout: 60_000 });
  await end();
});

test("the remaining life runs down by itself", async () => {
  await tokenOf("report-service", "sales");
  const { page, end } = await open();
  const row = rowOf(page, "report-service");
  const before = await row.getByRole("cell", { name: /^14m \d+s$/ }).textContent();
  await row.getByText(before ?? "").waitFor({ state: "detached" });
  await row.getByRole("cell", { name: /^14m \d+s$/ }).waitFor();
  await end();
});

describe.each([
  ["light", { ...desktop, colorScheme: "light" }],
  ["dark", { ...desktop, colorScheme: "dark" }],
  ["phone", { ...phone, colorScheme: "light" }],
  ["phone-dark", { ...phone, colorScheme: "dark" }],
] as const)("on a screen such as %s", (name, options) => {
  test("no rule of accessibility is broken, nothing is wider than the screen, and a picture is made", async () => {
    await stage.stand.broker.runSchedules();
    await someLeases();
    const reason = "incident 42: a token in a public channel";
    await stage.run("freeze", "--scope", "finance", "--reason", reason);
    const { page, end } = await open(options);
    await scopeCard(page, "sales").getByText("2 findings about its account").waitFor();
    expect(await brokenRules(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    const picture = pictureOf(name);
    await page.screenshot({ path: picture, fullPage: name.startsWith("phone") });
    expect(readFileSync(picture).length).toBeGreaterThan(10_000);

    await scopeCard(page, "sales").getByText("2 findings about its account").click();
    await page.getByText("Take them out of the role's set").first().waitFor();
    await rowOf(page, "nightly-job").getByRole("button").click();
    await page.getByText("It ends 1 lease.").waitFor();
    expect(await brokenRules(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await end();
  });
});
