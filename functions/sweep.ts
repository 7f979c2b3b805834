/** Lambda: the sweeper, once a minute. It has no scopes file: rows carry what it needs. */
import middy from "@middy/core";
import { writeAuditLine } from "./adapters/audit-log.ts";
import { systemClock } from "./adapters/system.ts";
import type { Findings } from "./core/record.ts";
import { sweep } from "./core/sweep.ts";
import { scheduledAudit } from "./http/audit.ts";
import { brokerPorts, readPlaces } from "./wiring.ts";

const ports = brokerPorts(readPlaces(process.env));
/** Kept of the function's time for the last writes. */
const reserveMs = 3_000;

const audit = scheduledAudit("sweep", { now: systemClock.now, write: writeAuditLine });

export const handler = middy(async (event: object, context: { getRemainingTimeInMillis(): number }) => {
  const findings: Findings = audit.entryOf(event).findings;
  return await sweep(ports, {
    deadline: systemClock.now() + context.getRemainingTimeInMillis() - reserveMs,
    findings,
  });
}).use(audit);
