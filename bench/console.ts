/**
 * The console's page with 10,000 leases of a whole local broker, in Chromium. The figures: from the link to the rows, and the waits of a person
 * at the page.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { writeBrokerFile } from "../local/broker-file.ts";
import { callerOf, type Stand, startStand } from "../test/support/broker-stand.ts";
import { copyLease } from "../test/support/many-leases.ts";
import { median, printTable, quantile } from "./table.ts";

const leases = 10_000;
const rounds = 11;
const pathOf = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));

export async function benchConsole(): Promise<void> {
  const stand = await startStand();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    await callerOf(stand, "report-service").token("sales");
    const many = await copyLease(stand, "sales", leases - 1);
    many.close();
    const running = await startCommand(stand);
    const page = await browser.newPage({ viewport: { width: 1280, height: 880 } });
    const begun = performance.now();
    await page.goto(running.link);
    await page.getByRole("cell").first().waitFor();
    const firstMs = performance.now() - begun;
    await page
      .getByText(`${leases.toLocaleString("en-GB")} leases`, { exact: true })
      .waitFor({ timeout: 120_000 });
    const allMs = performance.now() - begun;
    printTable(
      ["the console with 10,000 leases", "ms"],
      [
        ["from the link to the first rows", Math.round(firstMs)],
        ["to all rows, in pages of the broker", Math.round(allMs)],
        ...(await feel(page)),
      ],
    );
    running.stop();
  } finally {
    await browser.close();
    await stand.stop();
  }
}

/** Milliseconds from the input to the frame behind the one that shows it. */
async function feel(page: Page): Promise<[string, string][]> {
  const filters: number[] = [];
  const scrolls: number[] = [];
  const orders: number[] = [];
  for (let round = 0; round < rounds; round++) {
    filters.push(await page.evaluate<number>(filtered(`service-${round}`)));
    await page.evaluate(filtered(""));
    scrolls.push(await page.evaluate<number>(scrolled((round + 1) * 700)));
    orders.push(await page.evaluate<number>(ordered));
  }
  const longest = await page.evaluate<number>(longestFrame);
  const text = (values: number[]) =>
    `${Math.round(median(values))} (worst ${Math.round(quantile(values, 1))})`;
  return [
    ["a letter in the filter, to the rows", text(filters)],
    ["a jump by 700 rows, to the rows", text(scrolls)],
    ["another order, to the rows", text(orders)],
    ["the longest frame while a new list comes in", String(Math.round(longest))],
  ];
}

const shown = (condition: string) => `const begun = performance.now();
  const look = () => (${condition} ? requestAnimationFrame(() => resolve(performance.now() - begun)) : requestAnimationFrame(look));`;

const filtered = (text: string) => `new Promise((resolve) => {
  const box = document.querySelector("input[type=search]");
  const output = document.querySelector("output");
  const before = output.textContent;
  ${shown("output.textContent !== before")}
  box.value = ${JSON.stringify(text)};
  box.dispatchEvent(new Event("input", { bubbles: true }));
  look();
})`;

const scrolled = (row: number) => `new Promise((resolve) => {
  ${shown(`document.querySelector("[aria-rowindex='${row}']")`)}
  scrollTo(0, document.querySelector(".body").getBoundingClientRect().top + scrollY + ${row - 2} * 52);
  look();
})`;

const ordered = `new Promise((resolve) => {
  const head = document.querySelector(".cell-caller");
  const before = head.getAttribute("aria-sort");
  ${shown(`head.getAttribute("aria-sort") !== before`)}
  head.querySelector("button").click();
  look();
})`;

/** Over a whole look at the broker. */
const longestFrame = `new Promise((resolve) => {
  const time = () => document.querySelector(".asof time").dateTime;
  const before = time();
  let [longest, last] = [0, performance.now()];
  const look = (now) => {
    longest = Math.max(longest, now - last);
    last = now;
    if (time() === before) requestAnimationFrame(look);
    else resolve(longest);
  };
  requestAnimationFrame(look);
})`;

async function startCommand(stand: Stand) {
  writeBrokerFile(join(stand.workDir, ".local/broker.json"), stand.broker);
  const child = spawn(
    process.execPath,
    ["--import", pathOf("cli/from-source.mjs"), pathOf("cli/src/main.ts"), "console", "--local", "--json"],
    { cwd: stand.workDir, stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { link: JSON.parse(line).url as string, stop: () => child.kill("SIGINT") };
}
