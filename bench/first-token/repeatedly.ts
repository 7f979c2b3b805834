/** First tokens by the modules that are named, so many of each, in turns; prints the medians in milliseconds. */
import { median } from "../table.ts";
import { takingTurns } from "../turns.ts";

const [rounds, ...files] = process.argv.slice(2);
const measured = await Promise.all(
  files.map(async (file) => {
    const { firstToken } = (await import(file)) as { firstToken(): Promise<string> };
    return { firstToken, ms: [] as number[] };
  }),
);
const turn = async ({ firstToken, ms }: (typeof measured)[number]) => {
  const begin = performance.now();
  await firstToken();
  ms.push(performance.now() - begin);
};
await takingTurns(measured, Math.ceil(Number(rounds) / 3), turn);
for (const { ms } of measured) ms.length = 0;
await takingTurns(measured, Number(rounds), turn);
console.log(JSON.stringify(measured.map(({ ms }) => median(ms))));
