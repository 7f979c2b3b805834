/** Records of work after the answer. test/support/fakes/recorded.ts holds each to the schema. */
import middy from "@middy/core";
import { describe, expect, it } from "vitest";
import { resources } from "../../../../functions/contract.ts";
import { json } from "../../../../functions/http/answer.ts";
import { scheduledAudit } from "../../../../functions/http/audit.ts";
import { apiEvent, apiFunction } from "../../../support/fakes/api-function.ts";
import { inMemoryApi } from "../../../support/fakes/in-memory-api.ts";
import { inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";
import { recorded } from "../../../support/fakes/recorded.ts";

const minute = 60_000;

describe("a late record", () => {
  /** A login with Looker's answer at a signal of the test, in a function whose time is nearly over. */
  function late() {
    const broker = inMemoryBroker();
    const api = inMemoryApi(broker);
    let answer = () => {};
    broker.looker.onLogin = (call) =>
      call === 1
        ? new Promise<undefined>((resolve) => {
            answer = () => resolve(undefined);
          })
        : undefined;
    const settled = async () => {
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    };
    return { broker, api, answer: () => answer(), settled };
  }

  it("holds only the work after the early time-out had answered", async () => {
    const { broker, api, answer, settled } = late();
    // Enough for a login when it begins. The timer of the early time-out asks a second time.
    let asked = 0;
    const getRemainingTimeInMillis = () => (asked++ === 0 ? 28_000 : 310);
    const response = await api.send(apiEvent(), { getRemainingTimeInMillis });
    expect([response.status, response.body.code]).toEqual([503, "busy"]);
    expect(api.lines).toMatchObject([{ reason: "timed_out", login_attempts: 1 }]);
    expect(api.lines[0]).not.toHaveProperty("late");
    expect(api.mints).toEqual([]);

    // The sandbox was frozen for an hour.
    await broker.clock.advance(60 * minute);
    answer();
    await settled();
    expect(api.lines).toHaveLength(2);
    const [first, second] = api.lines;
    expect(second).toMatchObject({
      late: true,
      verb: "token",
      code: "busy",
      scope: "sales",
      request_id: first?.request_id,
      caller: first?.caller,
      time: first?.time,
      logins: 1,
      minted_lease_id: expect.any(String),
      LateRecords: 1,
    });
    for (const field of [
      "login_attempts",
      "LoginAttempts",
      "status",
      "Latency",
      "Failures",
      "token_sha256",
      "lease_id",
    ])
      expect(second).not.toHaveProperty(field);
    expect(api.mints).toMatchObject([
      { lease_id: second?.minted_lease_id, request_id: first?.request_id, client_id: "clientOne" },
    ]);
    // The sweeper finds it there.
    expect(JSON.stringify(broker.row())).toContain(second?.minted_lease_id);
  });

  it("names no holder, though the work came to a token", async () => {
    const { audit, lines } = recorded(() => 1_700_000_000_000);
    let finish = () => {};
    const send = apiFunction({
      routes: {
        [`POST ${resources.token}`]: {
          verb: "token",
          lock: "callers",
          handle: async ({ audit: found }) => {
            await new Promise<void>((resolve) => {
              finish = resolve;
            });
            Object.assign(found, {
              outcome: "minted",
              lease_id: "lease-one",
              token_sha256: "0".repeat(64),
              lease_ends_at: 1,
              token_ends_at: 2,
              logins: 1,
            });
            return json(200, {});
          },
        },
      },
      audit,
    });
    await send(apiEvent(), { getRemainingTimeInMillis: () => 310 });
    finish();
    await new Promise(setImmediate);
    expect(lines[1]).toMatchObject({ late: true, logins: 1 });
    for (const field of ["outcome", "lease_id", "token_sha256", "lease_ends_at", "token_ends_at"])
      expect(lines[1]).not.toHaveProperty(field);
  });

  it("is of a sweep too, and names an unexpected error, not its message", async () => {
    const { audit, lines } = recorded(() => 1_700_000_000_000);
    const records = scheduledAudit("sweep", audit);
    let fail = (_: Error) => {};
    const handler = middy(async (event: object) =>
      records.follow(
        event,
        new Promise((_, reject) => {
          fail = reject;
        }),
      ),
    ).use(records) as unknown as (event: unknown, context: object) => Promise<unknown>;
    await expect(handler({}, { getRemainingTimeInMillis: () => 6 })).rejects.toThrow();
    fail(new TypeError("do-not-show-this-text"));
    await new Promise(setImmediate);
    expect(lines).toMatchObject([{ verb: "sweep" }, { verb: "sweep", late: true, error: "TypeError" }]);
    expect(lines[1]).not.toHaveProperty("Sweeps");
    expect(JSON.stringify(lines)).not.toContain("do-not-show");
  });
});
