/**
 * The bundles as Lambda runs them, under AWS's Runtime Interface Client and against the local engines: `issue-token` on
 * a live lease beside a bare handler that serves the same token.
 */
import { marshall } from "@aws-sdk/util-dynamodb";
import { scopeControlKey, slotKey } from "../functions/adapters/rows.ts";
import { environment } from "../functions/contract.ts";
import { sealIdentity } from "../functions/use-cases/ports.ts";
import type { RunningBroker } from "../local/broker.ts";
import { callerOf, clientSecretOf, type Stand, startStand } from "../test/support/broker-stand.ts";
import { definitionOf, eventOf } from "../test/support/runtime-interface/event.ts";
import { runtimeClient } from "../test/support/runtime-interface/instance.ts";
import { bundle, bundleBytes, bytesByPackage } from "./bundles.ts";
import { dependencyLayers } from "./dependencies.ts";
import { delays } from "./fleet.ts";
import { usageOf } from "./process-usage.ts";
import { answeredAt, coldStarts, type Subject, start, warmRequests } from "./subject.ts";
import { median, printTable, quantile } from "./table.ts";

const coldRounds = 31;
const warmRounds = 3_000;
const requestsForMemory = 1_000;
const memoriesMb = [256, 512, 1_024];
/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const memoryOfOneCpuMb = 1_769;

/** Of a process's CPU, milliseconds. */
interface CpuMs {
  readonly init: number;
  readonly firstRequest: number;
  readonly warmRequest: number;
}

export async function benchRuntimeInterface(): Promise<void> {
  try {
    runtimeClient();
  } catch (error) {
    return void process.stdout.write(`No figures of the bundles. ${(error as Error).message}\n`);
  }
  const stand = await startStand();
  try {
    const { broker } = stand;
    const event = eventOf(broker, "report-service", "POST", "/scopes/sales/token");
    const full: Subject = {
      definition: definitionOf(broker, "issue-token"),
      environment: broker.environmentOf("issue-token"),
    };
    const bare = await bareSubject(stand, full);
    printBundles(broker, bare);
    await printCalls(broker, event, full);
    const cpu = await printRatios(event, full, bare);
    await printMemory(event, full, cpu);
    await printDependencies(event, full);
  } finally {
    await stand.stop();
  }
}

/** Issues the lease that both serve from then on. */
async function bareSubject(stand: Stand, full: Subject): Promise<Subject> {
  const { broker } = stand;
  const caller = callerOf(stand, "report-service");
  const issued = await caller.token("sales");
  const { accountId: account, caller: session } = caller.principal;
  const [uniqueId = ""] = session.split(":");
  const slot = { scope: "sales", account, uniqueId };
  const lease = {
    leaseId: issued.json.lease_id,
    baseUrl: issued.json.base_url,
    clientId: (await clientSecretOf(broker, "looker/sales")).client_id,
  };
  const request = {
    keys: [slotKey(slot), scopeControlKey(slot.scope)].map((key) => marshall(key)),
    encryptionContext: { table: full.environment[environment.tableName], ...sealIdentity(slot, lease) },
  };
  return {
    definition: { ...full.definition, codeDir: bundle("bench/bare-handler.ts") },
    environment: { ...full.environment, BENCH_REQUEST: JSON.stringify(request) },
  };
}

function printBundles({ stack }: RunningBroker, bare: Subject): void {
  const largest = (codeDir: string) =>
    [...bytesByPackage(codeDir)]
      .sort(([, a], [, b]) => b - a)
      .slice(0, 6)
      .map(([name, bytes]) => `${name} ${Math.round(bytes / 1_000)}`)
      .join(", ");
  printTable(
    ["function", "bundle, bytes", "the most of it, kB"],
    [...stack.functions, { ...bare.definition, id: "bare handler" }].map(({ id, codeDir }) => [
      id,
      bundleBytes(codeDir),
      largest(codeDir),
    ]),
  );
}

async function printCalls({ awsProxy }: RunningBroker, event: object, full: Subject): Promise<void> {
  const instance = await start(full);
  const rows: string[][] = [];
  for (const what of ["cold", "warm"]) {
    awsProxy.clearCalls();
    await answeredAt(instance, event);
    const calls = awsProxy.calls().map(({ operation }) => operation);
    rows.push([what, calls.join(", ")]);
  }
  await instance.kill();
  printTable(["hot fetch", "calls"], rows);
}

async function printRatios(event: object, full: Subject, bare: Subject): Promise<CpuMs> {
  const [cold, bareCold] = await coldStarts([full, bare], event, coldRounds);
  const [warm, bareWarm] = await warmRequests([full, bare], event, warmRounds);
  if (!cold || !bareCold || !warm || !bareWarm) throw new Error("Two subjects, and not two results.");
  const row = (what: string, ours: number, theirs: number) => [
    what,
    ours.toFixed(2),
    theirs.toFixed(2),
    (ours / theirs).toFixed(3),
  ];
  printTable(
    ["hot fetch", "issue-token, ms", "bare handler, ms", "ratio"],
    [
      row(`cold start to the first answer, median of ${coldRounds}`, median(cold.ms), median(bareCold.ms)),
      row("of it on a CPU", median(cold.cpuMs), median(bareCold.cpuMs)),
      row("warm, p50", median(warm.ms), median(bareWarm.ms)),
      row("warm, p99", quantile(warm.ms, 0.99), quantile(bareWarm.ms, 0.99)),
      row("warm, on a CPU, mean", warm.cpuMs, bareWarm.cpuMs),
    ],
  );
  const init = median(cold.initCpuMs);
  return { init, firstRequest: median(cold.cpuMs) - init, warmRequest: warm.cpuMs };
}

async function printMemory(event: object, full: Subject, cpu: CpuMs): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const memoryMb of memoriesMb) {
    const instance = await start({ ...full, definition: { ...full.definition, memoryMb } });
    await answeredAt(instance, event);
    const cold = usageOf(instance.pid);
    for (let request = 0; request < requestsForMemory; request++) await answeredAt(instance, event);
    const warm = usageOf(instance.pid);
    await instance.kill();
    const share = memoryMb / memoryOfOneCpuMb;
    const requestMs = cpu.warmRequest / share + delays.table;
    rows.push([
      memoryMb,
      Math.round(cold.peakMb),
      Math.round(warm.peakMb),
      share.toFixed(2),
      Math.round(cpu.init / share),
      Math.round(cpu.firstRequest / share),
      requestMs.toFixed(1),
      Math.round((requestMs * memoryMb * 1e6) / 1_000 / 1_024),
    ]);
  }
  printTable(
    [
      "memory, MB",
      "peak resident after a cold start, MB",
      `after ${requestsForMemory} more requests, MB`,
      "share of a CPU",
      `start (${Math.round(cpu.init)} ms of CPU) at that share, ms`,
      `first request (${Math.round(cpu.firstRequest)} ms), ms`,
      `warm request (${cpu.warmRequest.toFixed(1)} ms, and ${delays.table} ms of waiting), ms`,
      "GB-seconds of a million of these",
    ],
    rows,
  );
}

async function printDependencies(event: object, { definition, environment }: Subject): Promise<void> {
  const layers = dependencyLayers();
  const measured = await coldStarts(
    layers.map(({ folder }) => ({ definition: { ...definition, codeDir: folder }, environment })),
    event,
    coldRounds,
  );
  const medians = measured.map(({ ms, cpuMs }) => ({ ms: median(ms), cpuMs: median(cpuMs) }));
  const more = (after: number | undefined, before: number | undefined, digits: number) =>
    after === undefined || before === undefined ? "" : (after - before).toFixed(digits);
  printTable(
    [
      "loaded, with all above",
      "bundle, bytes",
      "more",
      "cold start, ms",
      "more",
      "of it on a CPU, ms",
      "more",
    ],
    layers.map(({ name, bytes }, index) => {
      const [now, before] = [medians[index], medians[index - 1]];
      return [
        name,
        bytes,
        more(bytes, layers[index - 1]?.bytes, 0),
        now?.ms.toFixed(1) ?? "",
        more(now?.ms, before?.ms, 1),
        now?.cpuMs.toFixed(1) ?? "",
        more(now?.cpuMs, before?.cpuMs, 1),
      ];
    }),
  );
}
