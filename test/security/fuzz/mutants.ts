/** `npm run test:fuzz:mutants`: the fuzz run is tested. Each mutant is a fault of a kind that it is there to find. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { mutants } from "./planted.ts";

const run = fileURLToPath(new URL("run.ts", import.meta.url));
const names = Object.keys(mutants);
let escaped = 0;
for (const name of names) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [run, "--mutant", name, "--seed", "1", "--runs", "5000"],
    { encoding: "utf8" },
  );
  const [, afterRuns] = /^Broken after (\d+) events/m.exec(stdout) ?? [];
  if (status !== 1 || afterRuns === undefined) escaped++;
  const verdict =
    afterRuns === undefined
      ? `ESCAPED ${stdout}${stderr}`
      : `found in event ${afterRuns}: ${stdout.slice(0, stdout.indexOf("\n"))}`;
  process.stdout.write(`${name}: ${verdict}\n`);
}
process.stdout.write(`${names.length - escaped} of ${names.length} mutants found.\n`);
process.exit(escaped === 0 ? 0 : 1);
