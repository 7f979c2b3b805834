/**
 * `npm run test:model -- --runs N --seed S`: the model test for as long as one likes. `--rotation` plays the rotation's model. It
 * begins with all killings, and goes on with random scenarios. `--pairs 7` adds two killings in a row: of each the seventh place, which is
 * 15,000 runs.
 */
import { parseArgs } from "node:util";
import { check } from "./check.ts";
import { loadCore } from "./core.ts";
import { broken } from "./rotation/broken.ts";
import { checkRotation } from "./rotation/check.ts";
import { loadRotation } from "./rotation/core.ts";
import { killings, pairsOfKillings } from "./rotation/killings.ts";
import { plain } from "./rotation/run.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "20000" },
    seed: { type: "string" },
    path: { type: "string" },
    rotation: { type: "boolean", default: false },
    pairs: { type: "string" },
  },
});
const seed = values.seed === undefined ? (Math.random() * 2 ** 31) | 0 : Number(values.seed);
const startedAt = performance.now();
const functions = new URL("../../functions/", import.meta.url);
const options = { runs: Number(values.runs), seed, path: values.path };
const verdict = values.rotation ? await rotate() : await check(await loadCore(functions), options);
if (verdict.failure) {
  process.stdout.write(`${verdict.failure}\nBroken after ${verdict.runs} runs, seed ${seed}.\n`);
  process.exit(1);
}
process.stdout.write(
  `Every promise held in ${verdict.runs} runs, seed ${seed}, in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s.\n`,
);

async function rotate(): Promise<{ runs: number; failure: string | undefined }> {
  const core = await loadRotation(functions);
  if (values.path !== undefined) return await checkRotation(core, options);
  const own = { ...plain, settings: { ...plain.settings, own: true, endsTokens: false, twoScopes: true } };
  const every = Number(values.pairs);
  const killed = [
    killings(core, [plain, own], {}),
    ...(every > 0 ? [pairsOfKillings(core, [plain, own], { every, seed })] : []),
  ];
  let runs = 0;
  for (const scenarios of killed)
    for await (const scenario of scenarios) {
      runs++;
      const wrong = await broken(core, scenario);
      if (wrong.length > 0) return { runs, failure: [...wrong, JSON.stringify(scenario)].join("\n") };
    }
  const { failure, runs: more } = await checkRotation(core, options);
  return { runs: runs + more, failure };
}
