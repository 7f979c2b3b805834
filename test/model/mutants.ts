/** `npm run test:mutants`: the model test is tested. Each mutant breaks one rule of the protocol, and must be caught. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { check } from "./check.ts";
import { loadCore, protocolFolders } from "./core.ts";

interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const mutants: Record<string, readonly Edit[]> = {
  "the fence is skipped": [
    { file: "domain/slot.ts", find: "if (mine && !pruned.mint?.doomed)", replace: "if (mine || !mine)" },
  ],
  "control is read before the lock": [
    {
      file: "use-cases/issue.ts",
      find: "await mint(ports, { scope,",
      replace: "await mint(ports, { ...{ early: control }, scope,",
    },
    {
      file: "use-cases/mint.ts",
      find: "const { control, secretControl } = await",
      replace: "const control = (job as any).early; const { secretControl } = await",
    },
  ],
  "superseded is forgotten on revoke": [
    {
      file: "domain/slot.ts",
      find: "moveToOutbox(pruned, hit, now)",
      replace: "moveToOutbox(pruned, (token) => token.leaseId === pruned.lease?.leaseId && hit(token), now)",
    },
  ],
  "the outcome of a logout is ignored": [
    {
      file: "use-cases/log-out.ts",
      find: "results.set(token.leaseId, result)",
      replace: 'results.set(token.leaseId, "ended")',
    },
  ],
  "issued_before trusts every clock": [
    { file: "use-cases/operate.ts", find: "issuedBefore + clockSkewMs", replace: "issuedBefore" },
  ],
  "an old image is written back": [
    {
      file: "use-cases/commit.ts",
      find: "    row = await reread(rows, key, { clock, deadline });",
      replace: "    row = { ...row, version: (await rows.read(key)).version };",
    },
  ],
};

const { values } = parseArgs({
  options: { runs: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } },
});
const functions = new URL("../../functions/", import.meta.url);
const workshop = new URL("../../.local/mutants/", import.meta.url);
rmSync(workshop, { recursive: true, force: true });
let escaped = 0;
for (const [index, [name, edits]] of Object.entries(mutants).entries()) {
  const directory = new URL(`${index}/`, workshop);
  mkdirSync(directory, { recursive: true });
  for (const folder of protocolFolders)
    cpSync(new URL(`${folder}/`, functions), new URL(`${folder}/`, directory), { recursive: true });
  for (const { file, find, replace } of edits) {
    const url = new URL(file, directory);
    const source = readFileSync(url, "utf8");
    if (source.split(find).length !== 2)
      throw new Error(`mutant "${name}": ${file} must have exactly one ${JSON.stringify(find)}`);
    writeFileSync(
      url,
      source.replace(find, () => replace),
    );
  }
  const { failure, runs } = await check(await loadCore(directory), {
    runs: Number(values.runs),
    seed: Number(values.seed),
  });
  if (failure === undefined) escaped++;
  const verdict =
    failure === undefined
      ? `ESCAPED ${runs} runs`
      : `caught in run ${runs}: ${failure.slice(0, failure.indexOf("\n"))}`;
  process.stdout.write(`${name}: ${verdict}\n`);
}
rmSync(workshop, { recursive: true, force: true });
process.stdout.write(
  `${Object.keys(mutants).length - escaped} of ${Object.keys(mutants).length} mutants caught.\n`,
);
process.exit(escaped === 0 ? 0 : 1);
