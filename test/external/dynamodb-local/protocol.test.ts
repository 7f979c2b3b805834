import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningEngine } from "../../../local/aws/dynamodb.ts";
import { callerOf, type Stand, startStand } from "../../support/broker-stand.ts";
import { crowd, untilAnswered } from "../../support/crowd.ts";
import { lostTokens } from "../../support/held-tokens.ts";
import { events } from "../../support/looker-ledger.ts";
import { missingForDynamodbLocal, startDynamodbLocal } from "./engine.ts";

const missing = missingForDynamodbLocal();
if (missing !== undefined) console.warn(`Skipped: ${missing}.`);

describe.skipIf(missing !== undefined)("the whole broker on AWS's DynamoDB Local", () => {
  let engine: RunningEngine;
  let stand: Stand;
  beforeAll(async () => {
    engine = await startDynamodbLocal();
    stand = await startStand({ maxInstances: 10, externalEngines: { dynamodb: engine.url } });
  }, 60_000);
  afterAll(async () => {
    await stand?.stop();
    await engine?.close();
  });

  it("makes one login for three hundred cold requests of one caller", async () => {
    const reports = callerOf(stand, "report-service");
    const all = await crowd(300, () => untilAnswered(() => reports.token("sales")));
    expect(all.every(({ answer }) => answer.status === 200)).toBe(true);
    expect(new Set(all.map(({ answer }) => answer.json.lease_id)).size).toBe(1);
    expect(events(stand, "login")).toHaveLength(1);
  });

  it("catches a login that a freeze overtook, and serves again once unfrozen", async () => {
    const jobs = callerOf(stand, "nightly-job");
    const operator = callerOf(stand, "platform-engineer");
    stand.looker.control.addFault({ route: "login", kind: "hold", when: "after" });
    const overtaken = jobs.token("sales");
    while (stand.looker.control.inFlight().length === 0) await new Promise((done) => setImmediate(done));
    const freeze = await operator.send("PUT", "/scopes/sales/freeze", JSON.stringify({ reason: "incident" }));
    expect(freeze.status).toBe(202);
    expect(freeze.json.pending).toBeGreaterThanOrEqual(1);
    stand.looker.control.clearFaults();
    stand.looker.control.release();
    expect((await overtaken).json.code).toBe("scope_frozen");
    expect((await operator.send("DELETE", "/scopes/sales/freeze")).json).toMatchObject({
      frozen: null,
      was: { reason: "incident" },
    });
    expect((await untilAnswered(() => jobs.token("sales"))).answer.status).toBe(200);
    expect(stand.looker.liveTokens()).toHaveLength(1);
  });

  it("finds what is due by the index, and loses nothing", async () => {
    stand.looker.control.addFault({ route: "logout", kind: "status", status: 500, times: 1 });
    const jobs = callerOf(stand, "nightly-job");
    expect((await jobs.logout("sales")).json).toEqual({ revoked: 0, pending: 1 });
    await expect
      .poll(
        async () => {
          await stand.broker.runSchedules("sweep");
          return stand.looker.liveTokens().length;
        },
        { timeout: 40_000, interval: 2_000 },
      )
      .toBe(0);
    expect(await lostTokens(stand)).toEqual([]);
  });
});
