/** `npm run bench`: figures as ratios in one run, as the tables of docs/reference/performance.md. */

import { slotItem, slotKey } from "../functions/adapters/rows.ts";
import { randomIds, systemClock } from "../functions/adapters/system.ts";
import { configurationDigest } from "../functions/domain/lease.ts";
import { decide, emptySlot, type Slot } from "../functions/domain/slot.ts";
import { freezeScope, revokeLeases } from "../functions/use-cases/operate.ts";
import { sweep } from "../functions/use-cases/sweep.ts";
import { nameOf } from "../test/support/fakes/memory-slot-table.ts";
import { benchClient } from "./client.ts";
import { crowdOf, delays, keyOf, outside, scope, sealerOf } from "./fleet.ts";
import { benchRuntimeInterface } from "./runtime-interface.ts";
import { printTable } from "./table.ts";

const parallelLogouts = 16;

process.stdout.write(
  `Calls for 1,000 cold requests of one caller, all at once (table ${delays.table} ms, KMS ${delays.kms} ms, login ${delays.login} ms)\n\n`,
);
const cold: (string | number)[][] = [];
for (const instances of [1, 10, 50]) {
  const { counts, coldMs, hotMs } = await crowdOf(1_000, instances);
  const beyondLogin = Math.round(coldMs - delays.login);
  cold.push([instances, counts.login, counts.table, counts.kms, beyondLogin, Math.round(hotMs)]);
}
printTable(
  [
    "instances",
    "logins",
    "DynamoDB calls",
    "KMS calls",
    "last answer after the login's own time, ms",
    "the same crowd when the lease is there, ms",
  ],
  cold,
);

async function frozenLeases(leases: number) {
  const world = outside();
  const sealer = sealerOf(world.counts);
  const now = Date.now();
  for (let index = 0; index < leases; index++) {
    const key = keyOf(`AROA${String(index).padStart(17, "0")}`);
    const id = randomIds.next();
    const context = {
      scope: key.scope,
      account: key.account,
      caller: key.uniqueId,
      lease_id: id,
      base_url: scope.baseUrl,
      client_id: "client",
    };
    const sealed = new TextEncoder().encode(
      Buffer.from(
        JSON.stringify({ context: { table: "table", ...context }, token: `token-${index}` }),
      ).toString("base64"),
    );
    const slot: Slot = {
      ...emptySlot(key.callerArn),
      version: 1,
      writeId: id,
      lease: {
        leaseId: id,
        sealed,
        tokenSha256: "0".repeat(64),
        baseUrl: scope.baseUrl,
        clientId: "client",
        issuedAt: now,
        endsAt: now + 900_000,
        lookerEndsAt: now + 3_600_000,
        epoch: 0,
        digest: configurationDigest(scope),
      },
    };
    world.table.items.set(nameOf(slotKey(key)), structuredClone(slotItem(key, slot, now)));
  }
  const ports = { clock: systemClock, ids: randomIds, table: world.table, looker: world.looker, sealer };
  return { ...world, ports };
}

const leases = 10_000;
const frozen = await frozenLeases(leases);
let servedUntil = 0;
const frozenAt = performance.now();
frozen.table.after = (operation) => {
  if (operation === "write" && servedUntil === 0) servedUntil = performance.now() - frozenAt;
};
const firstKey = keyOf(`AROA${"0".repeat(17)}`);
const reason = { by: "arn:aws:iam::111122223333:role/operator", at: Date.now(), reason: "bench" };
const result = await freezeScope(frozen.ports, { scope, deadline: Date.now() + 24_000, audit: {} }, reason);
const fencedMs = performance.now() - frozenAt;
const { slot, control } = await frozen.table.readForIssue(firstKey);
const ask = {
  callerArn: firstKey.callerArn,
  minTtlMs: 60_000,
  digest: configurationDigest(scope),
  mintsPerTenMinutes: 10,
  mayMint: true,
};
if (decide(slot, control, ask, Date.now()).kind !== "refuse")
  throw new Error("something is served from a frozen scope");
printTable(
  [
    "leases in the scope",
    "until nothing is served, ms",
    "writes until then",
    "freeze answers after, ms",
    "of them confirmed dead by then",
    "pending",
  ],
  [[leases, Math.round(servedUntil), 1, Math.round(fencedMs), result.revoked, result.pending]],
);

const ending = await frozenLeases(leases);
const endedAt = performance.now();
const deadline = Date.now() + 600_000;
const ended = await revokeLeases(ending.ports, { scope, deadline, audit: {} }, { all: true });
await sweep(ending.ports, { deadline, audit: {} });
const tookMs = performance.now() - endedAt;
const idealMs = (leases * delays.logout) / parallelLogouts;
printTable(
  ["leases ended", "logouts at once", "ideal, ms", "took, ms", "ratio"],
  [[ended.revoked, parallelLogouts, idealMs, Math.round(tookMs), (tookMs / idealMs).toFixed(2)]],
);
await benchRuntimeInterface();
await benchClient();
process.exit(0);
