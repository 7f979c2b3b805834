import { afterEach, describe, expect, it } from "vitest";
import { gatewayReply, problem, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import type { Reply } from "../../test/support/fake-server.ts";
import type { LookerToken } from "../src/token/looker-token.ts";
import { clientStand, newLeases, stopStands } from "./stand.ts";

afterEach(stopStands);

describe("a broker that is busy or away", () => {
  const replies: [string, Reply][] = [
    ["busy", problem(503, "busy", 1)],
    ["looker_unavailable", problem(503, "looker_unavailable", 2)],
    ["too_many_mints", problem(429, "too_many_mints", 5)],
    ["API Gateway's 429", gatewayReply(429, "TooManyRequestsException", "Too Many Requests")],
    ["API Gateway's 502", gatewayReply(502, "InternalServerErrorException", "Internal server error")],
    ["API Gateway's 504", gatewayReply(504, "InternalServerErrorException", "Endpoint request timed out")],
    ["a load balancer's 503", { status: 503, body: "<html>" }],
  ];
  it.each(replies)("is waited for: %s", async (_, reply) => {
    const stand = await clientStand(
      (() => {
        let requests = 0;
        return () => (++requests < 3 ? reply : tokenReply("at-last"));
      })(),
    );
    expect((await stand.client.token()).leaseId).toBe("at-last");
    expect(stand.clock.slept.length).toBe(2);
  });

  it("is asked again no sooner than Retry-After says", async () => {
    let requests = 0;
    const { client, clock } = await clientStand(() =>
      ++requests === 1 ? problem(503, "busy", 7) : tokenReply("at-last"),
    );
    await client.token();
    expect(clock.slept[0]).toBe(7_500);
  });

  it("is not waited for when Retry-After goes beyond the budget", async () => {
    const { client, clock } = await clientStand(() => problem(429, "too_many_mints", 300));
    const error = await failure(client.token());
    expect(error.code).toBe("too_many_mints");
    expect(error.retryAfterSeconds).toBe(300);
    expect(clock.slept).toEqual([]);
  });

  it("is asked once by a thousand calls at the same time when waiting is of no use", async () => {
    const { client, broker } = await clientStand(() => problem(429, "too_many_mints", 300));
    const failures = await Promise.all(Array.from({ length: 1_000 }, () => failure(client.token())));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(["too_many_mints"]));
    expect(broker.asked.length).toBe(1);
  });

  it("is waited for by a call that joined an earlier one's request for the whole of its own budget", async () => {
    const { client, clock, broker } = await clientStand(() => problem(503, "busy", 9));
    const first = failure(client.token());
    let later: Promise<LookerToken> | undefined;
    broker.answering = () => {
      // In the middle of the first call's budget.
      if (broker.asked.length === 3) later = client.token();
      return broker.asked.length <= 4 ? problem(503, "busy", 9) : tokenReply("at-last");
    };
    expect((await first).code).toBe("busy");
    expect((await later)?.leaseId).toBe("at-last");
    expect(clock.slept.every((each) => each === 9_500)).toBe(true);
  });

  it("is asked no more often for ten calls a moment apart than for one", async () => {
    const requests = async (calls: number) => {
      const { client, clock, broker } = await clientStand(() => "drop");
      const failures = Array.from({ length: calls }, () => {
        const failing = failure(client.token());
        clock.advance(1);
        return failing;
      });
      await Promise.all(failures);
      return broker.asked.length;
    };
    expect(await requests(10)).toBe(await requests(1));
  });

  it("makes the call fail within the budget, with the words of the last answer", async () => {
    const { client, clock } = await clientStand(() => problem(503, "busy", 1));
    const begin = clock.monotonic();
    expect((await failure(client.token())).code).toBe("busy");
    expect(clock.monotonic() - begin).toBeLessThan(30_001);
    expect(clock.monotonic() - begin).toBeGreaterThan(25_000);
  });

  it("waits longer after each failure where the answer names no time", async () => {
    const { client, clock } = await clientStand(() => "drop");
    clock.chance = 0.999;
    expect((await failure(client.token())).code).toBe("unreachable");
    const [first = 0, second = 0, third = 0] = clock.slept;
    expect(second).toBeGreaterThan(first * 1.9);
    expect(third).toBeGreaterThan(second * 1.9);
  });

  it("that hangs is given up when the budget is spent", async () => {
    const { another } = await clientStand(() => new Promise(() => {}));
    const client = another({ timeoutMs: 150 });
    expect((await failure(client.token())).code).toBe("timed_out");
  });

  it("leaves the token served to its very end, then makes the call fail", async () => {
    const { client, clock, broker } = await clientStand(newLeases(300));
    await client.token();
    broker.answering = () => "drop";
    for (const leftSeconds of [200, 59, 30, 5, 1]) {
      clock.monotonicMs = 1_000 + (300 - leftSeconds) * 1_000;
      expect((await client.token()).leaseId).toBe("lease-1");
    }
    clock.advance(1_001);
    expect((await failure(client.token())).code).toBe("unreachable");
  });

  it("does not have a token with less life than asked for handed out after others were content with it", async () => {
    const { client, clock, broker } = await clientStand(newLeases(300));
    await client.token();
    broker.answering = () => "drop";
    clock.advance(250_000);
    expect((await client.token()).leaseId).toBe("lease-1");
    expect((await failure(client.token({ minTtlSeconds: 60 }))).code).toBe("unreachable");
  });

  it("does not have a token with less life than asked for handed out", async () => {
    const { client, clock, broker } = await clientStand(newLeases(300));
    await client.token();
    broker.answering = () => "drop";
    clock.advance(100_000);
    expect((await failure(client.token({ minTtlSeconds: 250 }))).code).toBe("unreachable");
    expect((await client.token()).leaseId).toBe("lease-1");
  });

  it.each([
    ["scope_frozen", problem(403, "scope_frozen")],
    ["looker_rejected_credentials", problem(502, "looker_rejected_credentials")],
    ["internal", problem(500, "internal")],
  ])("is not asked again after %s", async (code, reply) => {
    const { client, broker } = await clientStand(() => reply);
    expect((await failure(client.token())).code).toBe(code);
    expect(broker.asked.length).toBe(1);
  });
});
