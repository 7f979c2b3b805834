/** Attacks on the truth of the page: late answers, a key held down, a lost right, a successor on the port. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { FakeBroker, leaseOf } from "../../support/cli/fake-broker.ts";
import { inBrowser } from "./browser.ts";
import { openConsole, rowOf, scopeCard, tokenBox } from "./console-visit.ts";

const { visit } = inBrowser();
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** By API Gateway, for IAM. */
const denied = {
  status: 403,
  headers: { "x-amzn-errortype": "AccessDeniedException" },
  body: { Message: "User is not authorized" },
};

test("the answer about a token of before does not take the place of the answer about the last one", async () => {
  const broker = await FakeBroker.start();
  const [slow, fast] = ["the-token-of-before-00000", "the-token-of-now-0000000"];
  broker.tokens.set(sha256(slow), [leaseOf("of-before")]);
  broker.tokens.set(sha256(fast), [leaseOf("of-now")]);
  const { page } = await openConsole(broker.cli, [], visit);
  let answerSlow = () => {};
  const held = new Promise<void>((resolve) => {
    answerSlow = resolve;
  });
  broker.instead = async ({ path }) => {
    if (path.includes(sha256(slow))) await held;
    const leases = broker.tokens.get(sha256(slow)) ?? [];
    return path.includes(sha256(slow)) ? { status: 200, body: { leases } } : undefined;
  };
  await page.evaluate(`{
    const before = fetch;
    globalThis.answers = [];
    globalThis.fetch = async (...asked) => {
      const response = await before(...asked);
      response.clone().text().then((text) => answers.push(text));
      return response;
    };
  }`);
  await tokenBox(page).fill(slow);
  await page.keyboard.press("Enter");
  await tokenBox(page).fill(fast);
  await page.keyboard.press("Enter");
  const found = page.getByRole("article");
  await found.filter({ hasText: "of-now" }).first().waitFor();
  answerSlow();
  await expect.poll(() => page.evaluate("answers.join()"), { timeout: 10_000 }).toContain("of-before");
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))");
  expect(await found.filter({ hasText: "of-before" }).count()).toBe(0);
  expect(await found.filter({ hasText: "of-now" }).count()).toBeGreaterThan(0);
});

test("a key that is held down ends nothing: its first press opens the question only", async () => {
  const broker = await FakeBroker.start();
  broker.leases = [leaseOf("a")];
  const { page } = await openConsole(broker.cli, [], visit);
  await rowOf(page, "sales").getByRole("button").first().focus();
  await page.keyboard.down("Enter");
  await page.getByRole("button", { name: "End 1 lease" }).waitFor();
  for (let repeat = 0; repeat < 5; repeat++) await page.keyboard.down("Enter");
  await page.keyboard.up("Enter");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect(broker.asked("DELETE").filter((path) => !path.includes("dry_run"))).toEqual([]);
});

test("nothing is ended before its number is known", async () => {
  const broker = await FakeBroker.start();
  broker.leases = [leaseOf("a")];
  const { page } = await openConsole(broker.cli, [], visit);
  broker.instead = ({ path }) => (path.includes("dry_run") ? "silence" : undefined);
  await rowOf(page, "sales").getByRole("button").first().click();
  await page.getByText("Counting …").waitFor();
  await page.getByRole("dialog").getByRole("radio").first().focus();
  await page.keyboard.press("Enter");
  expect(await page.getByText("Counting …").isVisible()).toBe(true);
  expect(broker.asked("DELETE").filter((path) => !path.includes("dry_run"))).toEqual([]);
});

test("a scope that could never be looked at is not called served", async () => {
  const broker = await FakeBroker.start();
  broker.instead = ({ path }) => (path.includes("/sales/") ? denied : undefined);
  const { page } = await openConsole(broker.cli, [], visit);
  await page.getByRole("alert").getByText("sales:").waitFor();
  expect(await scopeCard(page, "sales").textContent()).not.toMatch(/served|No leases|Looking/);
  expect(await scopeCard(page, "finance").textContent()).toContain("served");
});

test("an operator whose right was taken away is told, and the last answer stays", async () => {
  const broker = await FakeBroker.start();
  broker.leases = [leaseOf("a")];
  const { page } = await openConsole(broker.cli, [], visit);
  broker.instead = ({ path }) =>
    path.endsWith("/scopes") ? { status: 200, body: { caller: { arn: "arn" }, scopes: [] } } : undefined;
  await page.getByRole("button", { name: "Look again" }).click();
  await page.getByRole("alert").getByText("No scope lists you as an operator.").waitFor();
  expect(await rowOf(page, "sales").first().isVisible()).toBe(true);
});

test("a program that takes the console's port gets no question from an open page, and is not believed", async () => {
  const broker = await FakeBroker.start();
  broker.leases = [leaseOf("a")];
  const { page, link, end } = await openConsole(broker.cli, [], visit);
  await end();
  await page.getByRole("button", { name: "Look again" }).click();
  await page.getByText("The console has ended, or does not answer.").waitFor();
  const visits: string[] = [];
  const successor = createServer(({ url = "" }, response) => {
    visits.push(url);
    response.end('{"kind":"done"}\n');
  });
  successor.listen(Number(new URL(link).port), "127.0.0.1");
  await once(successor, "listening");
  onTestFinished(() => void successor.close());
  await page.getByRole("button", { name: "Look again" }).click();
  await tokenBox(page).fill("a-token-that-was-found-00000");
  await page.keyboard.press("Enter");
  await page.getByText("The console has ended, or does not answer.").nth(1).waitFor();
  expect(visits).toEqual([]);
});
