/** EventBridge Scheduler: invokes functions at the template's intervals. */
import { randomUUID } from "node:crypto";
import type { AwsLocation } from "../stack/location.ts";
import type { LocalSchedule } from "../stack/schedules.ts";

export interface Scheduler {
  /** Runs every schedule once, now. */
  run(): Promise<void>;
  close(): Promise<void>;
}

export function startScheduler(
  schedules: readonly LocalSchedule[],
  location: AwsLocation,
  invoke: (functionId: string, event: object) => Promise<unknown>,
): Scheduler {
  const invokeBy = (schedule: LocalSchedule) =>
    invoke(schedule.functionId, scheduledEvent(schedule, location, new Date()));
  const timers = schedules.map((schedule) =>
    setInterval(() => void invokeBy(schedule), schedule.everySeconds * 1_000),
  );
  return {
    async run() {
      for (const schedule of schedules) await invokeBy(schedule);
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** The event for a target without an `Input`. */
function scheduledEvent({ arn }: LocalSchedule, { accountId, region }: AwsLocation, now: Date): object {
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account: accountId,
    time: now.toISOString().replace(/\.\d{3}Z$/, "Z"),
    region,
    resources: [arn],
    detail: "{}",
  };
}
