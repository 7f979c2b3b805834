/** Chromium, as a person's browser would meet the console. Each request and each error is remembered. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";

export interface Visit {
  readonly page: Page;
  /** Each URL that the browser asked for. */
  readonly asked: readonly string[];
  /** Errors of the page and of its console, a broken Content-Security-Policy among them. */
  readonly errors: readonly string[];
}

/** For one test file. */
export function inBrowser(): { visit(options?: BrowserContextOptions): Promise<Visit> } {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath(), args: quiet });
  });
  afterAll(() => browser?.close());
  return {
    async visit(options = {}) {
      const context = await browser.newContext({ timezoneId: "Europe/London", ...options });
      onTestFinished(() => context.close());
      const [asked, errors]: [string[], string[]] = [[], []];
      context.on("request", (request) => void asked.push(request.url()));
      const page = await context.newPage();
      page.on("pageerror", (error) => void errors.push(error.message));
      page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())));
      page.on("dialog", (dialog) => {
        errors.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      return { page, asked, errors };
    },
  };
}

const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function chromiumPath(): string {
  const path = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(path)) throw new Error(`There is no Chromium at ${path}: set CHROMIUM to its path.`);
  return path;
}
