/** `npm run test:model -- --runs N --seed S`: the model test for as long as one likes. */
import { parseArgs } from "node:util";
import { check } from "./check.ts";
import { loadCore } from "./core.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "20000" }, seed: { type: "string" }, path: { type: "string" } },
});
const seed = values.seed === undefined ? (Math.random() * 2 ** 31) | 0 : Number(values.seed);
const startedAt = performance.now();
const verdict = await check(await loadCore(new URL("../../functions/", import.meta.url)), {
  runs: Number(values.runs),
  seed,
  path: values.path,
});
if (verdict.failure) {
  process.stdout.write(`${verdict.failure}\nBroken after ${verdict.runs} runs, seed ${seed}.\n`);
  process.exit(1);
}
process.stdout.write(
  `Every promise held in ${verdict.runs} runs, seed ${seed}, in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s.\n`,
);
