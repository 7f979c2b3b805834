/** A broker whose records a test reads, with its API, its operator and its sweeper. */
import middy from "@middy/core";
import { scheduledAudit } from "../../../functions/http/audit.ts";
import { sweep } from "../../../functions/use-cases/sweep.ts";
import { inMemoryApi } from "./in-memory-api.ts";
import { inMemoryBroker } from "./in-memory-broker.ts";
import { inMemoryOperator, operatePorts } from "./in-memory-operator.ts";
import { recorded } from "./recorded.ts";

/** The function as functions/sweep.ts puts it together. */
export function sweeper(broker = inMemoryBroker()) {
  const { audit: options, lines, leaseEnds } = recorded(broker.clock.now);
  const records = scheduledAudit("sweep", options);
  const handler = middy(async (event: object) => {
    const { audit, timings } = records.entryOf(event);
    return await sweep(timings.of(operatePorts(broker)), {
      deadline: broker.clock.now() + 52_000,
      audit,
    });
  }).use(records) as unknown as (event: unknown, context: object) => Promise<unknown>;
  return { run: () => handler({}, { awsRequestId: "sweep-1" }), lines, leaseEnds };
}

export function whole() {
  const broker = inMemoryBroker();
  return { broker, api: inMemoryApi(broker), operator: inMemoryOperator(broker), sweeper: sweeper(broker) };
}

/** After a request during whose login the whole scope was revoked. Looker does not confirm the end of its token. */
export async function withOvertakenLogin() {
  const { broker, api, operator } = whole();
  let revoked: Promise<unknown> | undefined;
  broker.looker.onLogin = async (call) => {
    if (call === 1) revoked = operator.revoke({ all: "true" });
    await revoked;
    return undefined;
  };
  broker.looker.onLogout = () => "unconfirmed";
  await api.token();
  return { broker, api };
}
