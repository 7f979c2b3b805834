/** A process for the local run alone, as `npm start` is one: its memory and its sockets are the broker's and nobody else's. */
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import type { Asked, Measured, Replied, Started } from "./messages.ts";
import { startSoakedBroker } from "./soaked-broker.ts";

const broker = await startSoakedBroker("scopes.ts", { maxInstances: 20, instances: "threads" });
const { looker } = broker;
if (!looker) throw new Error("The soak needs the stand-in Looker.");
const table = new DynamoDBClient({
  endpoint: broker.engines.urls.dynamodb,
  region: broker.region,
  credentials: ENGINE_CREDENTIAL,
});

const handlers: { [Each in Asked as Each["name"]]: (message: Each) => Promise<unknown> } = {
  measure: async () => await measure(),
  weather: async ({ with: faults }) => {
    looker.control.clearFaults();
    for (const fault of faults) looker.control.addFault(fault);
  },
  kill: async ({ with: pick }) => {
    const all = functionIds().flatMap((id) => broker.instances(id).map(({ number }) => ({ id, number })));
    const victim = all[Math.floor(pick * all.length)];
    return victim !== undefined && (await broker.kill(victim.id, victim.number));
  },
  runSchedules: async () => await broker.runSchedules(),
};

function functionIds(): string[] {
  return broker.stack.functions.map(({ id }) => id);
}

async function measure(): Promise<Measured> {
  const { Count = 0 } = await table.send(new ScanCommand({ TableName: broker.tableName, Select: "COUNT" }));
  return {
    residentMb: process.memoryUsage.rss() / 2 ** 20,
    rows: Count,
    sockets: openSockets(),
    instances: functionIds().reduce((sum, id) => sum + broker.instances(id).length, 0),
    liveTokens: looker?.liveTokens().length ?? 0,
  };
}

/** 0 where the system does not tell. */
function openSockets(): number {
  const folder = "/proc/self/fd";
  try {
    return readdirSync(folder).filter((name) => linkOf(join(folder, name)).startsWith("socket:")).length;
  } catch {
    return 0;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since the folder was read.
    return "";
  }
}

process.on("message", (message) => {
  const asked = message as Asked;
  const handle = handlers[asked.name] as (of: Asked) => Promise<unknown>;
  handle(asked).then(
    (result) => reply({ id: asked.id, result }),
    (error: unknown) => reply({ id: asked.id, error: String(error) }),
  );
});
const reply = (replied: Replied) => process.send?.(replied);

process.once("disconnect", () => {
  table.destroy();
  void broker.close().then(() => process.exit(0));
});

const { endpoint, region, lookerUrl, principals } = broker;
process.send?.({ endpoint, region, lookerUrl, principals } satisfies Started);
