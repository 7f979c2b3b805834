/**
 * `npm run test:soak:instance -- --requests N`: one instance of `issue-token`, as a process of its own, serves N requests of
 * 1,500 callers. Its cache holds 1,000 tokens, so the cache is full and turns over all the time. Its heap after a collection
 * must not grow with the requests. The resident memory is told too. It has room for garbage until V8 collects.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { eventOf } from "../support/runtime-interface/event.ts";
import { inspectHeap } from "./inspected-heap.ts";
import { startSoakedBroker } from "./soaked-broker.ts";

const { values } = parseArgs({ options: { requests: { type: "string", default: "1000000" } } });
const requests = Number(values.requests);
const callers = 1_500;
/** After this part all callers have their leases, and all code is compiled. */
const warmUp = 0.2;

const inspector = Promise.withResolvers<string>();
const broker = await startSoakedBroker("wide-scopes.ts", {
  maxInstances: 1,
  instances: "processes",
  onLog(_, __, line) {
    const [url] = /ws:\/\/127\.0\.0\.1:\S+/.exec(line) ?? [];
    if (url) inspector.resolve(url);
    if (/^Starting inspector .* failed/.test(line))
      inspector.reject(new Error(`${line}. End the other inspected program.`));
  },
});

const token = "/scopes/sales/token";
const functionId =
  broker.stack.routes.find(({ resource }) => resource === "/scopes/{scope}/token")?.functionId ?? "";
const template = eventOf(broker, "service-example", "POST", token);
const { identity } = template.requestContext;
const session = identity.caller?.split(":")[1] ?? "";
/** The same request by another role. */
const eventOfCaller = (index: number) => {
  const caller = `AROASERVICE${String(index).padStart(10, "0")}:${session}`;
  return {
    ...template,
    requestContext: {
      ...template.requestContext,
      identity: {
        ...identity,
        userArn: identity.userArn?.replace("service-example", `service-${index}`) ?? null,
        ...{ caller, user: caller },
      },
    },
  };
};

await broker.invoke(functionId, eventOfCaller(1));
const pid = broker.instances(functionId)[0]?.pid;
if (pid === undefined) throw new Error("The instance is not a process.");
// Node then listens for an inspector: https://nodejs.org/en/learn/getting-started/debugging#enable-inspector
process.kill(pid, "SIGUSR1");
const heap = await inspectHeap(await inspector.promise);
const residentMb = () =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

const statuses = new Map<unknown, number>();
const samples: { served: number; keptMb: number }[] = [];
const everyRequests = Math.max(1, Math.floor(requests / 20));
process.stdout.write("  requests  MB resident  MB kept\n");
for (let served = 1; served <= requests; served += 1) {
  // All callers in turn first, and at random afterwards.
  const index = served <= callers ? served : Math.floor(Math.random() * callers) + 1;
  const result = await broker.invoke(functionId, eventOfCaller(index));
  const status =
    result.kind === "answer" ? (result.payload as { statusCode?: number }).statusCode : result.kind;
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  if (served % everyRequests !== 0) continue;
  const resident = residentMb().toFixed(0);
  const keptMb = await heap.keptMb();
  samples.push({ served, keptMb });
  process.stdout.write(
    `${String(served).padStart(10)}  ${resident.padStart(11)}  ${keptMb.toFixed(2).padStart(7)}\n`,
  );
}
heap.close();
await broker.close();

const measured = samples.filter(({ served }) => served > warmUp * requests);
const half = Math.floor(measured.length / 2);
const most = (of: typeof samples) => Math.max(...of.map(({ keptMb }) => keptMb));
const [before, after] = [most(measured.slice(0, half)), most(measured.slice(half))];
process.stdout.write(`Answers: ${JSON.stringify(Object.fromEntries(statuses))}\n`);
const held = [...statuses.keys()].every((status) => status === 200) && after <= before * 1.02;
process.stdout.write(
  `${held ? "Held" : "✗ Broken"}: at most ${before.toFixed(2)} MB kept in the first half after the warm-up, ${after.toFixed(2)} MB in the second.\n`,
);
process.exit(held ? 0 : 1);
