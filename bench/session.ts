/** The costs of a session's lease, compared with the lease shared by a caller's processes. */

import { randomIds, systemClock } from "../functions/adapters/system.ts";
import { issueToken } from "../functions/use-cases/issue.ts";
import type { SlotKey } from "../functions/use-cases/ports.ts";
import { delays, keyOf, outside, scope, sealerOf } from "./fleet.ts";
import { median, printTable } from "./table.ts";
import { takingTurns } from "./turns.ts";

const rounds = 21;

interface Fetches {
  readonly what: string;
  readonly session?: string;
  readonly coldMs: number[];
  readonly hotMs: number[];
  coldCalls: number;
  hotCalls: number;
}

const fetchesOf = (what: string, session?: string): Fetches => ({
  ...{ what, coldMs: [], hotMs: [], coldCalls: 0, hotCalls: 0 },
  ...(session !== undefined && { session }),
});

export async function benchSession(): Promise<void> {
  const shared = fetchesOf("the shared lease");
  const session = fetchesOf("a session's", "job");
  await takingTurns([shared, session], rounds, fetchBoth);
  const coldOfShared = median(shared.coldMs);
  const hotOfShared = median(shared.hotMs);
  printTable(
    [
      `a fetch (table ${delays.table} ms, login ${delays.login} ms), median of ${rounds}`,
      "cold, DynamoDB calls",
      "cold, ms",
      "ratio",
      "hot, DynamoDB calls",
      "hot, ms",
      "ratio",
    ],
    [shared, session].map(({ what, coldMs, hotMs, coldCalls, hotCalls }) => [
      what,
      coldCalls,
      median(coldMs).toFixed(0),
      (median(coldMs) / coldOfShared).toFixed(2),
      hotCalls,
      median(hotMs).toFixed(1),
      (median(hotMs) / hotOfShared).toFixed(2),
    ]),
  );
}

/** A cold fetch, with a secret that has worked before, and then a fetch from the table. */
async function fetchBoth(fetches: Fetches): Promise<void> {
  const { counts, table, looker, secrets } = outside();
  const ports = { clock: systemClock, ids: randomIds, table, looker, secrets, sealer: sealerOf(counts) };
  const fetchToken = async (key: SlotKey & { callerArn: string }) => {
    const [calls, since] = [counts.table, performance.now()];
    const deadline = Date.now() + 27_000;
    await issueToken(ports, {
      ...{ scope, key, callerArn: key.callerArn, minTtlSeconds: 60, deadline, audit: {} },
    });
    return { ms: performance.now() - since, calls: counts.table - calls };
  };
  await fetchToken(keyOf("PROVES-THE-SECRET"));
  const { session } = fetches;
  const key = { ...keyOf("CALLER"), ...(session !== undefined && { session }) };
  const cold = await fetchToken(key);
  const hot = await fetchToken(key);
  fetches.coldMs.push(cold.ms);
  fetches.hotMs.push(hot.ms);
  fetches.coldCalls = cold.calls;
  fetches.hotCalls = hot.calls;
}
