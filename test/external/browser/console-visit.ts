/** The command as an operator types it, a browser that follows its link, and the parts of the page by their names. */
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { untilSeen } from "../../support/broker-stand.ts";
import type { Command, Ran } from "../../support/cli/command.ts";
import type { Visit } from "./browser.ts";

export const desktop = { viewport: { width: 1280, height: 920 } };
export const phone = { viewport: { width: 375, height: 812 }, hasTouch: true };

export interface ConsoleVisit extends Visit {
  readonly link: string;
  /** Ctrl-C. */
  end(): Promise<Ran>;
}

export async function openConsole(
  cli: Command,
  args: readonly string[],
  visit: (options?: BrowserContextOptions) => Promise<Visit>,
  options: BrowserContextOptions = desktop,
  firstSeen = "As of",
): Promise<ConsoleVisit> {
  const running = cli.start("console", ...args);
  const link = await untilSeen(() => /^http:\S+/.exec(running.out())?.[0], "the link", 30_000);
  const visited = await visit(options);
  await visited.page.goto(link);
  await visited.page.getByText(firstSeen).waitFor();
  return {
    ...visited,
    link,
    end() {
      running.child.kill("SIGINT");
      return running.ended;
    },
  };
}

/** Those of leases that are in the document. */
export const rowsOf = (page: Page): Locator => page.getByRole("row").filter({ has: page.getByRole("cell") });

export const rowOf = (page: Page, ...texts: string[]): Locator =>
  texts.reduce((rows, text) => rows.filter({ hasText: text }), rowsOf(page));

export const scopeCard = (page: Page, scope: string): Locator =>
  page.getByRole("listitem").filter({ has: page.getByRole("button", { name: scope, exact: true }) });

/** As a person does: by the clipboard. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
  await tokenBox(page).focus();
  await page.keyboard.press("ControlOrMeta+V");
}

export const tokenBox = (page: Page): Locator => page.getByLabel("A Looker token that was found");
