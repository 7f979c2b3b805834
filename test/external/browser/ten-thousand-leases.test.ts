/** The console's table over a whole local broker with ten thousand leases. All are counted, and few are in the document. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { onStage } from "../../support/cli/stage.ts";
import { copyLease } from "../../support/many-leases.ts";
import { inBrowser } from "./browser.ts";
import { openConsole, rowOf, rowsOf, scopeCard } from "./console-visit.ts";

const stage = onStage({ scopesFile: fileURLToPath(new URL("scopes.ts", import.meta.url)) });
const { visit } = inBrowser();

test("each is found, and the page stays true while leases end under it", async () => {
  expect((await stage.caller("report-service").token("sales")).status).toBe(200);
  const many = await copyLease(stage.stand, "sales", 9_999);
  try {
    const { page, errors, end } = await openConsole(stage.cli, ["--local"], visit);
    await page.getByText("10,000 leases", { exact: true }).waitFor();
    expect(await rowsOf(page).count()).toBeLessThan(60);
    expect(await page.getByRole("table").getAttribute("aria-rowcount")).toBe("10001");

    await page.getByLabel("Filter", { exact: true }).fill("service-7777");
    await page.getByText("1 of 10,000 leases").waitFor();
    await rowOf(page, "service-7777").waitFor();
    await page.getByLabel("Filter", { exact: true }).fill("");

    await page.getByRole("columnheader", { name: "Caller" }).getByRole("button").click();
    await page.keyboard.press("End");
    await rowOf(page, "service-9998").waitFor();
    await page.keyboard.press("Home");
    await rowOf(page, "report-service").waitFor();

    await many.end(25);
    await page.getByText("9,975 leases", { exact: true }).waitFor({ timeout: 90_000 });
    await page.getByLabel("Filter", { exact: true }).fill("role/service-24");
    expect(await rowOf(page, "service-240").count()).toBeGreaterThan(0);
    expect(await page.getByText("service-24", { exact: true }).count()).toBe(0);

    await scopeCard(page, "sales").getByRole("button", { name: "End all leases …" }).click();
    await page.getByRole("dialog").getByText("It ends 9975 leases.").waitFor({ timeout: 60_000 });
    expect(await page.getByRole("button", { name: "End 9975 leases" }).isDisabled()).toBe(true);
    expect(errors).toEqual([]);
    await end();
  } finally {
    many.close();
  }
});
