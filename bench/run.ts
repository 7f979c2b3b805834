/**
 * `npm run bench [-- PART …]`: figures as ratios in one run, as the tables of docs/reference/performance.md. Without a part,
 * all of them.
 */

import { benchClient } from "./client.ts";
import { benchConsole } from "./console.ts";
import { benchCost } from "./cost.ts";
import { benchCrowd } from "./crowd.ts";
import { benchFrozenScope } from "./frozen-scope.ts";
import { benchLoad } from "./load.ts";
import { benchLookerConnections } from "./looker-connections.ts";
import { benchProxy } from "./proxy.ts";
import { benchRuntimeInterface } from "./runtime-interface.ts";
import { benchSession } from "./session.ts";

const parts: Record<string, () => Promise<void>> = {
  crowd: benchCrowd,
  session: benchSession,
  freeze: benchFrozenScope,
  load: benchLoad,
  cost: benchCost,
  connections: benchLookerConnections,
  functions: benchRuntimeInterface,
  client: benchClient,
  proxy: benchProxy,
  console: benchConsole,
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) {
  process.stderr.write(`There is no part "${unknown}". The parts: ${Object.keys(parts).join(", ")}.\n`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(parts))
  if (asked.length === 0 || asked.includes(name)) await bench();
process.exit(0);
