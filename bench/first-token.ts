/** From nothing to the first token, on a live lease: the client beside a bare signed `fetch`. */
import { fileURLToPath } from "node:url";
import { callerOf, type Stand } from "../test/support/broker-stand.ts";
import { environmentOf, start } from "../test/support/recipe.ts";
import { median } from "./table.ts";
import { takingTurns } from "./turns.ts";

/** The barest first: the others are measured by it. */
const ways = [
  ["a bare fetch, signed by hand", "by-hand"],
  ["a bare fetch, signed by the packages that the client signs with", "by-packages"],
  ["the client", "client"],
] as const;

export const freshProcesses = 31;
export const newClients = 300;

const program = (file: string) => fileURLToPath(new URL(`first-token/${file}`, import.meta.url));

/** Medians in milliseconds. */
interface FreshProcess {
  readonly way: string;
  /** Until the program is begun. */
  readonly startMs: number;
  readonly importMs: number;
  readonly tokenMs: number;
  readonly allMs: number;
}

/** Each in a process of its own. */
export async function firstTokensOfProcesses(stand: Stand): Promise<FreshProcess[]> {
  await leased(stand);
  const measured = ways.map(([way, file]) => ({
    way,
    file: program(`${file}.mjs`),
    at: [] as { startMs: number; importedMs: number; tokenMs: number }[],
  }));
  await takingTurns(measured, freshProcesses, async ({ file, at }) => {
    at.push(await ran(stand, program("once.mjs"), file));
  });
  return measured.map(({ way, at }) => ({
    way,
    startMs: median(at.map(({ startMs }) => startMs)),
    importMs: median(at.map(({ startMs, importedMs }) => importedMs - startMs)),
    tokenMs: median(at.map(({ importedMs, tokenMs }) => tokenMs - importedMs)),
    allMs: median(at.map(({ tokenMs }) => tokenMs)),
  }));
}

/** All in one process, where everything is loaded and the connection stands; each time of a new client. */
export async function firstTokensOfClients(stand: Stand): Promise<{ way: string; ms: number }[]> {
  await leased(stand);
  const files = ways.map(([, file]) => program(`${file}.mjs`));
  const medians = await ran<number[]>(stand, program("repeatedly.ts"), String(newClients), ...files);
  return ways.map(([way], index) => ({ way, ms: medians[index] ?? Number.NaN }));
}

async function leased(stand: Stand): Promise<void> {
  const { status } = await callerOf(stand, "report-service").token("sales");
  if (status !== 200) throw new Error(`No lease: ${status}.`);
}

/** What the program prints, as JSON. */
async function ran<T>(stand: Stand, ...args: string[]): Promise<T> {
  const { exitCode, out, err } = await start(process.execPath, args, {
    env: environmentOf(stand, "report-service"),
  }).ended;
  if (exitCode !== 0) throw new Error(`${args.join(" ")} ended with ${exitCode}: ${err}`);
  return JSON.parse(out);
}
