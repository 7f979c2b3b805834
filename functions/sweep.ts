/** Lambda: the sweeper, once a minute. It has no scopes file: rows carry what it needs. */
import middy from "@middy/core";
import { systemClock } from "./adapters/system.ts";
import { scheduledAudit } from "./http/audit.ts";
import { sweep } from "./use-cases/sweep.ts";
import { auditOptions, brokerPorts, readFunctionConfig, withOwnConnections } from "./wiring.ts";

const config = readFunctionConfig(process.env);
const ports = brokerPorts(config);
/** Kept of the function's time for the last writes. */
const reserveMs = 3_000;

const records = scheduledAudit("sweep", auditOptions(config));

const scheduled = middy(async (event: object, context: { getRemainingTimeInMillis(): number }) => {
  const { audit, timings } = records.entryOf(event);
  const deadline = systemClock.now() + context.getRemainingTimeInMillis() - reserveMs;
  return await records.follow(event, sweep(timings.of(ports), { deadline, audit }));
}).use(records);

export const handler = withOwnConnections(ports, scheduled);
