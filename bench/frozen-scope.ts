/** A scope with 10,000 leases is frozen: until nothing is served, and until Looker confirmed every token dead. */

import { setTimeout as sleep } from "node:timers/promises";
import { slotItem, slotKey } from "../functions/adapters/rows.ts";
import { randomIds, systemClock } from "../functions/adapters/system.ts";
import { configurationDigest } from "../functions/domain/lease.ts";
import { decide, emptySlot, type Slot } from "../functions/domain/slot.ts";
import { freezeScope } from "../functions/use-cases/operate.ts";
import { sealIdentity } from "../functions/use-cases/ports.ts";
import { sweep } from "../functions/use-cases/sweep.ts";
import { fakeSealer } from "../test/support/fakes/fake-sealer.ts";
import { nameOf } from "../test/support/fakes/memory-slot-table.ts";
import { keyOf, outside, scope, sealerOf } from "./fleet.ts";
import { printTable } from "./table.ts";

const leases = 10_000;
const parallelLogouts = 16;
/** On average a freeze comes in the middle between two sweeps, half a minute before the next one. */
const untilFirstSweepMs = 30_000;
/** The functions have 28 s and 72 s (infra/token-broker.ts). Their handlers leave this much for the work. */
const freezeMs = 27_000;
const sweepMs = 69_000;

const uniqueIdOf = (index: number) => `AROA${String(index).padStart(17, "0")}`;

export async function benchFrozenScope(): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const logout of [20, 200, 1_000]) rows.push(await frozen(logout));
  printTable(
    [
      "a logout takes, ms",
      "until nothing is served, ms",
      "freeze answers after, s",
      "of them confirmed dead by then",
      "until all are, s",
      "sweeps",
      "logouts asked of Looker",
      "ideal, s",
      "ratio",
    ],
    rows,
  );
}

async function frozen(logoutMs: number): Promise<(string | number)[]> {
  const { counts, table, looker } = outside(logoutMs);
  const sealer = sealerOf(counts);
  for (let index = 0; index < leases; index++) {
    const { key, slot } = await leaseOf(index);
    table.items.set(nameOf(slotKey(key)), slotItem(key, slot, Date.now()));
  }
  const ports = { clock: systemClock, ids: randomIds, table, looker, sealer };
  const since = performance.now();
  const elapsed = () => performance.now() - since;
  let servedUntil: number | undefined;
  table.after = (operation) => {
    if (operation === "write") servedUntil ??= elapsed();
  };
  let allDeadAfter: number | undefined;
  let dead = 0;
  const watched = {
    ...ports,
    looker: {
      ...looker,
      async logout(...asked: Parameters<typeof looker.logout>) {
        const outcome = await looker.logout(...asked);
        if (outcome === "ended" && ++dead === leases) allDeadAfter = elapsed();
        return outcome;
      },
    },
  };
  const reason = { by: "arn:aws:iam::111122223333:role/operator", at: Date.now(), reason: "bench" };
  const answered = freezeScope(watched, { scope, deadline: Date.now() + freezeMs, audit: {} }, reason).then(
    (answer) => ({ ...answer, after: elapsed() }),
  );
  const sweeps: Promise<unknown>[] = [];
  for (let tick = untilFirstSweepMs; ; tick += 60_000) {
    while (allDeadAfter === undefined && elapsed() < tick) await sleep(50);
    if (allDeadAfter !== undefined) break;
    sweeps.push(sweep(watched, { deadline: Date.now() + sweepMs, audit: {} }));
  }
  const answer = await answered;
  await Promise.all(sweeps);
  await assertNothingServed(table);
  const idealMs = (leases * logoutMs) / parallelLogouts;
  const seconds = (milliseconds: number) => (milliseconds / 1_000).toFixed(1);
  return [
    logoutMs,
    Math.round(servedUntil ?? Number.NaN),
    seconds(answer.after),
    answer.revoked,
    seconds(allDeadAfter),
    sweeps.length,
    counts.logout,
    seconds(idealMs),
    (allDeadAfter / idealMs).toFixed(2),
  ];
}

async function leaseOf(index: number) {
  const key = keyOf(uniqueIdOf(index));
  const leaseId = randomIds.next();
  const now = Date.now();
  const slot: Slot = {
    ...emptySlot,
    names: [key.callerArn],
    version: 1,
    writeId: leaseId,
    lease: {
      leaseId,
      sealed: await fakeSealer().seal(
        `token-${index}`,
        sealIdentity(key, { leaseId, baseUrl: scope.baseUrl, clientId: "client" }),
      ),
      tokenSha256: "0".repeat(64),
      baseUrl: scope.baseUrl,
      clientId: "client",
      issuedAt: now,
      endsAt: now + 3_300_000,
      lookerEndsAt: now + 3_600_000,
      epoch: 0,
      digest: configurationDigest(scope),
    },
  };
  return { key, slot };
}

async function assertNothingServed(table: ReturnType<typeof outside>["table"]): Promise<void> {
  const key = keyOf(uniqueIdOf(0));
  const { slot, control } = await table.readForIssue(key);
  const ask = {
    callerArn: key.callerArn,
    minTtlMs: 60_000,
    digest: configurationDigest(scope),
    mintsPerTenMinutes: 10,
    mayMint: true,
  };
  if (decide(slot, control, ask, Date.now()).kind !== "refuse")
    throw new Error("something is served from a frozen scope");
}
