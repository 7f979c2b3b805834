/** `npm run test:fuzz -- --runs N --seed S`: hostile events for the entry files. */
import { parseArgs } from "node:util";
import { hookModules } from "./hooks.ts";
import { mutants } from "./planted.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "10000" },
    seed: { type: "string" },
    path: { type: "string" },
    mutant: { type: "string" },
  },
});
const seed = values.seed === undefined ? (Math.random() * 2 ** 31) | 0 : Number(values.seed);
const mutant = values.mutant === undefined ? undefined : mutants[values.mutant];
hookModules(mutant ? [mutant] : []);
// Only now, so that they are loaded by way of the hooks.
const { check } = await import("./check.ts");
const startedAt = performance.now();
const { failure, runs, statuses } = await check({ runs: Number(values.runs), seed, path: values.path });
if (failure) {
  process.stdout.write(`${failure}\nBroken after ${runs} events, seed ${seed}.\n`);
  process.exit(1);
}
process.stdout.write(
  `Everything held for ${runs} events, seed ${seed}, in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s: ${JSON.stringify(statuses)}\n`,
);
process.exit(0);
