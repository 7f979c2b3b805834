import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { environment } from "../../../functions/contract.ts";
import type { Fault } from "../../../local/aws/call.ts";
import { callerOf, startsWithinMs, statusAtLooker } from "../../support/broker-stand.ts";
import { auditOf, type FunctionStand, nothingLeftBehind, startFunctionStand } from "./stand.ts";

let stand: FunctionStand;
beforeAll(async () => {
  stand = await startFunctionStand("sweep");
}, startsWithinMs);
afterEach(() => {
  stand?.endFaults();
});
afterAll(() => stand?.stop());

/** As EventBridge Scheduler sends it. */
const schedule = { version: "0", "detail-type": "Scheduled Event", source: "aws.scheduler", detail: "{}" };

/** A scope is frozen while its slots cannot be listed: its lease still lives, and the rest of the job is due. */
async function halfFrozen(): Promise<{ tokenStatus(): Promise<number> }> {
  const { broker } = stand;
  const operator = callerOf(stand, "platform-engineer");
  await operator.send("DELETE", "/scopes/sales/freeze");
  const issued = await callerOf(stand, "report-service").token("sales");
  expect(issued.status).toBe(200);
  broker.awsProxy.setFault(({ operation }) => (operation === "Query" ? { throw: "unavailable" } : undefined));
  await operator.send("PUT", "/scopes/sales/freeze", JSON.stringify({ reason: "incident" }));
  broker.awsProxy.setFault(undefined);
  const tokenStatus = () => statusAtLooker(broker.lookerUrl, issued.json.access_token);
  expect(await tokenStatus()).toBe(200);
  // Rows are due at whole seconds.
  const dueAt = Math.ceil(Date.now() / 1_000) * 1_000;
  await vi.waitUntil(() => Date.now() > dueAt, { interval: 10, timeout: 5_000 });
  return { tokenStatus };
}

test("a cold start carries on a freeze that was cut short; with nothing due, warm runs do nothing", async () => {
  const { tokenStatus } = await halfFrozen();
  const instance = await stand.start();
  for (let run = 1; run <= 3; run++) {
    expect(await instance.invoke(schedule)).toMatchObject({ kind: "answered" });
    await nothingLeftBehind(stand);
    expect(await tokenStatus()).toBe(401);
    expect(auditOf(instance)).toHaveLength(run);
  }
  expect(auditOf(instance).at(-1)).toMatchObject({ verb: "sweep", code: "ok" });
});

test.each([environment.tableName, environment.sealingKeyArn])(
  "without %s it reports an error of its start",
  async (name) => {
    const instance = await stand.start((variables) => void delete variables[name]);
    expect(await instance.invoke(schedule)).toMatchObject({
      kind: "lost",
      exitCode: expect.toSatisfy((code: unknown) => code !== 0),
      initError: { errorType: "Error", errorMessage: `the environment variable ${name} is not set` },
    });
  },
);

test.each<Fault>([{ throw: "unavailable" }, { throw: "reset" }, { throw: "hang" }])(
  "DynamoDB away ($throw) is an error of the function, and the same instance sweeps when it is back",
  async (fault) => {
    const { tokenStatus } = await halfFrozen();
    const instance = await stand.start();
    stand.broker.awsProxy.setFault(({ service }) => (service === "dynamodb" ? fault : undefined));
    expect(await instance.invoke(schedule)).toMatchObject({ kind: "failed" });
    expect(auditOf(instance)).toMatchObject([{ verb: "sweep", code: "internal" }]);
    stand.endFaults();
    expect(await instance.invoke(schedule)).toMatchObject({ kind: "answered" });
    await nothingLeftBehind(stand);
    expect(await tokenStatus()).toBe(401);
  },
);

test.each([25_000, 5_000])(
  "a Looker that hangs does not keep it longer than its time (%i ms), and nothing is left behind",
  async (remainingMs) => {
    await halfFrozen();
    const instance = await stand.start();
    stand.broker.looker?.control.addFault({ route: "logout", kind: "hang" });
    const upAt = performance.now() + remainingMs;
    const outcome = await instance.invoke(schedule, remainingMs);
    expect(outcome.kind).toBe("answered");
    // That it came as far as Looker.
    expect(auditOf(instance)[0].pending).toBeGreaterThan(0);
    expect("at" in outcome && outcome.at).toBeLessThan(upAt);
    await nothingLeftBehind(stand);
  },
);
