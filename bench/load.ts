/**
 * The first two ceilings, API Gateway's throttle and Lambda's instances: processes without a token meet them, with a healthy Looker
 * and with a hanging one. Time is virtual. The clients, the handlers and the use cases are the real ones.
 */
import { type BrokerLimits, type SimulatedBroker, simulatedBroker } from "./simulation/broker.ts";
import { chance, processOf } from "./simulation/process.ts";
import { printTable, quantile } from "./table.ts";

interface Fleet extends BrokerLimits {
  readonly callers: number;
  readonly processesPerCaller: number;
}

/** The broker's defaults, and an account's. */
const usual = { rateLimit: 200, burstLimit: 400, concurrency: 1_000 };

const hang = { lastsMs: 30_000, watchedForMs: 120_000 };

export async function benchLoad(): Promise<void> {
  process.stdout.write("All processes ask at once, and no lease is there\n\n");
  await printFleets(coldFleet, [
    { ...usual, callers: 500, processesPerCaller: 1 },
    { ...usual, callers: 500, processesPerCaller: 4 },
    { ...usual, callers: 500, processesPerCaller: 9 },
    { ...usual, rateLimit: 1_000, burstLimit: 2_000, callers: 500, processesPerCaller: 9 },
    { ...usual, concurrency: 10, callers: 100, processesPerCaller: 1 },
  ]);
  process.stdout.write(
    `All processes ask at once, no lease is there, and Looker hangs for ${hang.lastsMs / 1_000} s\n\n`,
  );
  await printFleets(hangingLooker, [
    { ...usual, callers: 500, processesPerCaller: 1 },
    { ...usual, callers: 500, processesPerCaller: 4 },
    { ...usual, callers: 100, processesPerCaller: 20 },
    { ...usual, concurrency: 2_000, callers: 500, processesPerCaller: 4 },
    { ...usual, rateLimit: 1_000, burstLimit: 2_000, callers: 500, processesPerCaller: 4 },
    { ...usual, concurrency: 10, callers: 100, processesPerCaller: 1 },
  ]);
}

async function printFleets(run: (fleet: Fleet) => Promise<Seen>, fleets: readonly Fleet[]): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const fleet of fleets) {
    const { callers, processesPerCaller, rateLimit, burstLimit, concurrency } = fleet;
    const { broker, tokenAfterMs, gaveUp, mostReadsInASecond } = await run(fleet);
    const { answers, counts, lambda } = broker;
    const answered = (kind: string) => answers.get(kind) ?? 0;
    rows.push([
      `${callers * processesPerCaller} (${callers} × ${processesPerCaller})`,
      `${rateLimit} / ${burstLimit}`,
      concurrency,
      lambda.use.mostAtOnce,
      answered("429"),
      answered("503"),
      answered("503 busy") + answered("503 looker_unavailable"),
      counts.login,
      mostReadsInASecond,
      (quantile(tokenAfterMs, 0.5) / 1_000).toFixed(1),
      (Math.max(...tokenAfterMs) / 1_000).toFixed(1),
      gaveUp,
    ]);
  }
  printTable(
    [
      "processes (callers × each)",
      "throttle: rate / burst",
      "concurrency",
      "most instances at once",
      "429 of API Gateway",
      "503 of Lambda's concurrency",
      "503 of the broker",
      "logins",
      "most reads of the control row in a second",
      "half have a token after, s",
      "all, s",
      "calls that failed after 30 s",
    ],
    rows,
  );
}

interface Seen {
  readonly broker: SimulatedBroker;
  /** Of each process, from the beginning. */
  readonly tokenAfterMs: readonly number[];
  readonly gaveUp: number;
  /** Of the scope's control row. DynamoDB gives a partition 3,000. */
  readonly mostReadsInASecond: number;
}

const coldFleet = (fleet: Fleet) => crowd(fleet, 0);
const hangingLooker = (fleet: Fleet) => crowd(fleet, hang.lastsMs);

/** Each process asks until it has a token: a call of the client waits for 30 s, and its service calls again. */
async function crowd(fleet: Fleet, hangsForMs: number): Promise<Seen> {
  const broker = simulatedBroker(fleet);
  const { clock, weather } = broker;
  const random = chance(1);
  // The broker tries a new pair with a single login first. This pair has worked before.
  await processOf(broker, "serviceprover", random).token();
  broker.answers.clear();
  broker.counts.login = 0;
  const since = clock.now();
  if (hangsForMs > 0) {
    weather.hangs = true;
    void clock.sleep(hangsForMs).then(() => {
      weather.hangs = false;
    });
  }
  const readsBySecond = new Map<number, number>();
  const before = broker.table.before;
  broker.table.before = async (operation, key) => {
    const second = Math.floor(clock.now() / 1_000);
    if (operation === "readForIssue") readsBySecond.set(second, (readsBySecond.get(second) ?? 0) + 1);
    await before?.(operation, key);
  };
  const tokenAfterMs: number[] = [];
  let gaveUp = 0;
  const untilItHasOne = async (caller: string) => {
    const client = processOf(broker, caller, random);
    while (clock.now() - since < hang.watchedForMs) {
      try {
        await client.token();
        tokenAfterMs.push(clock.now() - since);
        return;
      } catch {
        gaveUp++;
        await clock.sleep(1_000);
      }
    }
    tokenAfterMs.push(Number.POSITIVE_INFINITY);
  };
  const { callers, processesPerCaller } = fleet;
  await Promise.all(
    Array.from({ length: callers * processesPerCaller }, (_, index) =>
      untilItHasOne(`service${index % callers}`),
    ),
  );
  return { broker, tokenAfterMs, gaveUp, mostReadsInASecond: Math.max(...readsBySecond.values()) };
}
