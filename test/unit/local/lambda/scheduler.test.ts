import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Scheduler, startScheduler } from "../../../../local/lambda/scheduler.ts";

const location = { partition: "aws", region: "eu-central-1", accountId: "111122223333" };
const hourly = { arn: "arn:hourly", functionId: "check-account", everySeconds: 3_600 };
const often = { arn: "arn:often", functionId: "rotate-secret", everySeconds: 300, input: { retire: true } };
const monthly = { arn: "arn:monthly", functionId: "sweep", everySeconds: 30 * 86_400 };

let scheduler: Scheduler;
let invoked: [string, unknown][];
beforeEach(() => {
  vi.useFakeTimers();
  invoked = [];
  scheduler = startScheduler([hourly, often, monthly], location, async (...one) => void invoked.push(one));
});
afterEach(async () => {
  await scheduler.close();
  vi.useRealTimers();
});

it("invokes each function at its own interval", async () => {
  await vi.advanceTimersByTimeAsync(3_600_000);
  const names = invoked.map(([functionId]) => functionId);
  expect(names.filter((name) => name === "rotate-secret")).toHaveLength(12);
  expect(names.filter((name) => name === "check-account")).toHaveLength(1);
  // A timer of 30 days would overflow, and fire all the time.
  expect(names).not.toContain("sweep");
});

it("gives a schedule's own event, or the one of EventBridge Scheduler", async () => {
  await scheduler.run();
  expect(invoked).toEqual([
    ["check-account", expect.objectContaining({ source: "aws.scheduler", resources: ["arn:hourly"] })],
    ["rotate-secret", { retire: true }],
    ["sweep", expect.objectContaining({ resources: ["arn:monthly"] })],
  ]);
});

it("runs the schedules of one function", async () => {
  await scheduler.run("rotate-secret");
  expect(invoked.map(([functionId]) => functionId)).toEqual(["rotate-secret"]);
});
