/** EventBridge Scheduler: invokes functions at the template's intervals. */
import { randomUUID } from "node:crypto";
import type { AwsLocation } from "../stack/location.ts";
import type { LocalSchedule } from "../stack/schedules.ts";

export interface Scheduler {
  /** Runs every schedule once, now, or those of one function. */
  run(functionId?: string): Promise<void>;
  close(): Promise<void>;
}

/** A longer one would run without a pause: https://nodejs.org/api/timers.html#setintervalcallback-delay-args */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function startScheduler(
  schedules: readonly LocalSchedule[],
  location: AwsLocation,
  invoke: (functionId: string, event: unknown) => Promise<unknown>,
): Scheduler {
  const invokeBy = (schedule: LocalSchedule) =>
    invoke(schedule.functionId, schedule.input ?? scheduledEvent(schedule, location, new Date()));
  const timers = schedules.map((schedule) =>
    setInterval(() => void invokeBy(schedule), Math.min(schedule.everySeconds * 1_000, LONGEST_TIMER_MS)),
  );
  return {
    async run(functionId) {
      for (const schedule of schedules)
        if (functionId === undefined || schedule.functionId === functionId) await invokeBy(schedule);
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
