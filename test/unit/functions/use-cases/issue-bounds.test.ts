import { describe, expect, it } from "vitest";
import { lookerGraceMs } from "../../../../functions/domain/lease.ts";
import { mintNeedsMs } from "../../../../functions/use-cases/mint.ts";
import { inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";

/** KMS answers once so much time has passed. */
async function withSlowKms(ms: number) {
  const broker = inMemoryBroker();
  await broker.issue();
  const { unseal } = broker.sealer;
  broker.sealer.unseal = async (...parameters) => {
    broker.clock.jump(ms);
    return await unseal(...parameters);
  };
  return broker;
}

describe("a lease that was fit to be served when it was read", () => {
  it("is not served after the invocation's end, and is served at it", async () => {
    const broker = await withSlowKms(5_000);
    expect((await broker.ask({ budgetMs: 5_000 })).code).toBe("ok");
    const { code, problem, audit } = await broker.ask({ budgetMs: 4_999 });
    expect(code).toBe("busy");
    expect(problem).toMatchObject({ retryAfterSeconds: 1, reason: "timed_out" });
    expect(audit.lease_id).toBeUndefined();
  });

  it("is not served with less than a second left", async () => {
    const atItsEnd = async (kmsMs: number) => {
      const broker = await withSlowKms(kmsMs);
      broker.clock.jump(899_000);
      // The lease's renewal is due, and fails.
      broker.looker.onLogin = () => ({ kind: "unreached", reason: "refused" });
      return await broker.ask({ minTtlSeconds: 1 });
    };
    expect((await atItsEnd(0)).token?.expiresInSeconds).toBe(1);
    const { code, problem } = await atItsEnd(1);
    expect([code, problem?.reason]).toEqual(["busy", "timed_out"]);
  });
});

it("a login begins if its lock's life and one logout fit into the invocation, and not with a millisecond less", async () => {
  const broker = inMemoryBroker();
  expect((await broker.ask({ budgetMs: mintNeedsMs - 1 })).code).toBe("busy");
  expect((await broker.ask({ budgetMs: mintNeedsMs })).code).toBe("ok");
});

it("the record tells when Looker has certainly ended the token, and when its lease ends", async () => {
  const broker = inMemoryBroker();
  const began = broker.clock.now();
  const { audit } = await broker.ask();
  expect(audit).toMatchObject({
    lease_ends_at: began + 900_000,
    token_ends_at: began + 3_600_000 + lookerGraceMs,
  });
});

it("a refusal that waiting does not cure names no time to come back", async () => {
  const broker = inMemoryBroker();
  broker.looker.onLogin = () => ({ kind: "rejected" });
  const { code, problem } = await broker.ask();
  expect([code, problem?.retryAfterSeconds]).toEqual(["looker_rejected_credentials", undefined]);
});
