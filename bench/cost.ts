/**
 * The cost of a million fetches, for processes of three kinds: they keep a token for a minute, for ten minutes, or for most of an
 * hour. The clients, the handlers, the use cases and the sweeper are the real ones. Time is virtual.
 */
import middy from "@middy/core";
import { randomIds } from "../functions/adapters/system.ts";
import { scheduledAudit } from "../functions/http/audit.ts";
import { sweep } from "../functions/use-cases/sweep.ts";
import { sealerOf } from "./fleet.ts";
import { prices } from "./prices.ts";
import { type SimulatedBroker, simulatedBroker } from "./simulation/broker.ts";
import { metered } from "./simulation/metered-table.ts";
import { chance, processOf } from "./simulation/process.ts";
import { printTable } from "./table.ts";

const hour = 3_600_000;
const callers = 50;
const processesPerCaller = 4;
/** The first two hours are a fleet that began at once. */
const warmUpMs = 2 * hour;
const measuredMs = 6 * hour;
const usesEveryMs = 15_000;
const sweepMs = 69_000;
/** The functions' memory, and their own work for a request: CPU time by their share of a CPU (docs/reference/performance.md). */
const memoryGb = 0.5;
const ownWorkMs = 10;
/**
 * Usual bytes for each request, next to those of its records (docs/how-to/deploy.md, "Costs"). A long session name or path makes a
 * line of the access log longer.
 */
const logs = { accessLog: 608, platformLines: 270, eventOverhead: 26, otherEvents: 4 };

interface Keeping {
  readonly name: string;
  readonly leaseSeconds: number;
  /** A process lives so long, and the next one takes its place. */
  readonly livesMs?: number;
}

const keepings: readonly Keeping[] = [
  { name: "1 min: processes live so long (lease 15 min)", leaseSeconds: 900, livesMs: 60_000 },
  { name: "10 min: the client with a lease of 15 min", leaseSeconds: 900 },
  { name: "up to 60 min: the client with a lease of 60 min", leaseSeconds: 3_600 },
];

export async function benchCost(): Promise<void> {
  process.stdout.write(
    `A fleet of ${callers} callers with ${processesPerCaller} processes each, for ${measuredMs / hour} hours\n\n`,
  );
  const uses: Use[] = [];
  for (const keeping of keepings) uses.push(await used(keeping));
  printTable(
    [
      "a process keeps a token for",
      "seconds between its fetches",
      "logins in 100 fetches",
      "read units each",
      "write units each",
      "Lambda, ms each",
      "KMS calls each",
      "log bytes each",
      "$ a million fetches",
      "$ a month for 1,000 processes",
    ],
    uses.map((each) => row(each)),
  );
}

interface Use {
  readonly name: string;
  readonly fetches: number;
  readonly logins: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly lambdaMs: number;
  readonly kmsCalls: number;
  readonly secretReads: number;
  readonly logBytes: number;
}

function row({ name, fetches, logins, ...use }: Use): (string | number)[] {
  const dollars =
    fetches * (prices.apiRequest + prices.lambdaRequest) +
    (use.lambdaMs / 1_000) * memoryGb * prices.lambdaGbSecond +
    use.readUnits * prices.readUnit +
    use.writeUnits * prices.writeUnit +
    use.kmsCalls * prices.kmsCall +
    use.secretReads * prices.secretRead +
    (use.logBytes / 1e9) * prices.logGb;
  const processes = callers * processesPerCaller;
  const each = (amount: number, digits: number) => (amount / fetches).toFixed(digits);
  return [
    name,
    Math.round((measuredMs / 1_000) * (processes / fetches)),
    ((100 * logins) / fetches).toFixed(1),
    each(use.readUnits, 2),
    each(use.writeUnits, 2),
    each(use.lambdaMs, 0),
    each(use.kmsCalls, 2),
    each(use.logBytes, 0),
    ((dollars / fetches) * 1e6).toFixed(2),
    ((dollars / processes) * 1_000 * ((730 * hour) / measuredMs)).toFixed(2),
  ];
}

async function used({ name, leaseSeconds, livesMs }: Keeping): Promise<Use> {
  const broker = simulatedBroker({ rateLimit: 200, burstLimit: 400, concurrency: 1_000, leaseSeconds });
  const { clock } = broker;
  const units = metered(broker.table);
  const end = clock.now() + warmUpMs + measuredMs;
  const random = chance(1);
  const life = async (caller: string) => {
    await clock.sleep(Math.floor(random() * (livesMs ?? usesEveryMs)));
    for (let client = processOf(broker, caller, random), bornAt = clock.now(); clock.now() < end; ) {
      if (livesMs !== undefined && clock.now() - bornAt >= livesMs) {
        client = processOf(broker, caller, random);
        bornAt = clock.now();
      }
      await client.token();
      await clock.sleep(usesEveryMs);
    }
  };
  const all = Array.from({ length: callers * processesPerCaller }, (_, index) =>
    life(`service${index % callers}`),
  );
  const sweeping = sweepEveryMinute(broker, end);
  await clock.sleep(warmUpMs);
  const before = meter(broker, units);
  await clock.sleep(measuredMs);
  const after = meter(broker, units);
  await Promise.all([...all, sweeping]);
  const difference = Object.entries(after).map(([key, value]) => [
    key,
    value - before[key as keyof typeof before],
  ]);
  return { name, ...(Object.fromEntries(difference) as typeof after) };
}

/** Keeps the records of ended leases. The sweep's own record comes each minute under any load. */
async function sweepEveryMinute(broker: SimulatedBroker, end: number): Promise<void> {
  const { clock, counts, table, looker, written } = broker;
  const ports = { clock, ids: randomIds, table, looker, sealer: sealerOf(counts, clock) };
  const records = scheduledAudit("sweep", {
    ...{ broker: "bench/Broker", now: clock.now },
    write: (line) => void (line.kind === "lease_end" && written.push(line)),
  });
  const run = middy(async (event: object) => {
    const { audit, timings } = records.entryOf(event);
    return await sweep(timings.of(ports), { deadline: clock.now() + sweepMs, audit });
  }).use(records) as unknown as (event: object, context: object) => Promise<unknown>;
  while (clock.now() < end) {
    await run({}, {});
    await clock.sleep(60_000);
  }
}

function meter(
  { answers, counts, lambda, written, secretReaders }: SimulatedBroker,
  units: { read: number; write: number },
) {
  const fetches = answers.get("200") ?? 0;
  const recordBytes = written.reduce(
    (sum, line) => sum + Buffer.byteLength(JSON.stringify(line)) + logs.eventOverhead,
    0,
  );
  const besides = logs.accessLog + logs.platformLines + logs.otherEvents * logs.eventOverhead;
  return {
    fetches,
    logins: counts.login,
    readUnits: units.read,
    writeUnits: units.write,
    lambdaMs: lambda.use.busyMs + fetches * ownWorkMs,
    kmsCalls: counts.kms,
    secretReads: secretReaders.reduce((sum, { reads }) => sum + reads, 0),
    logBytes: recordBytes + fetches * besides,
  };
}
