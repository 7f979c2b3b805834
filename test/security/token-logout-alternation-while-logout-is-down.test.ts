/** While Looker does not confirm logouts, a caller asks for a token, logs out, asks again: each leaves a live token. */
import { expect, it } from "vitest";
import { maxTracked } from "../../functions/domain/slot.ts";
import { inMemoryBroker } from "../support/fakes/in-memory-broker.ts";
import { sweepNow } from "../support/fakes/in-memory-operator.ts";

async function alternate() {
  const broker = inMemoryBroker();
  broker.looker.onLogout = () => "unconfirmed";
  const codes: string[] = [];
  for (let turn = 0; turn < 40; turn++) {
    const { code } = await broker.ask();
    codes.push(code);
    const { revoked, pending } = await broker.logOut();
    // The truth each time: none is dead, and all of them are told of.
    expect([revoked, pending]).toEqual([0, broker.looker.live.size]);
    const { outbox, superseded } = await broker.slot();
    expect(outbox.length + superseded.length).toBeLessThanOrEqual(maxTracked);
    // Slow enough for the mint budget, fast enough that no token expires.
    broker.clock.jump(61_000);
  }
  return { broker, codes };
}

it("minting stops with `busy` before a token could be lost", async () => {
  const { broker, codes } = await alternate();
  const made = codes.filter((code) => code === "ok").length;
  expect(made).toBeGreaterThanOrEqual(maxTracked - 2);
  expect(made).toBeLessThanOrEqual(maxTracked);
  expect(codes).toEqual([...Array(made).fill("ok"), ...Array(40 - made).fill("busy")]);
  // Every token that lives at Looker is in the outbox.
  expect((await broker.slot()).outbox).toHaveLength(broker.looker.live.size);
  expect(broker.looker.live.size).toBe(made);
  expect(broker.looker.logins()).toBe(made);
});

it("it is told why, and when to come again", async () => {
  const { broker } = await alternate();
  const { problem } = await broker.ask();
  expect(problem).toMatchObject({
    code: "busy",
    retryAfterSeconds: 60,
    detail: expect.stringContaining("confirmation"),
  });
});

it("when Looker confirms again everything is ended, and the caller is served", async () => {
  const { broker } = await alternate();
  broker.looker.onLogout = undefined;
  broker.clock.jump(300_000);
  const { revoked, pending } = await sweepNow(broker);
  expect(pending).toBe(0);
  expect(revoked).toBeGreaterThan(0);
  expect(broker.looker.live.size).toBe(0);
  expect((await broker.ask()).code).toBe("ok");
});

it("if Looker never confirms, the tokens' own end makes room: counted as expired, never as revoked", async () => {
  const { broker } = await alternate();
  const alive = (await broker.slot()).outbox.length;
  broker.clock.jump(3_605_000);
  const { revoked, pending, audit } = await sweepNow(broker);
  expect({ revoked, pending, expired: audit.expired }).toEqual({
    revoked: 0,
    pending: 0,
    expired: alive,
  });
  expect((await broker.ask()).code).toBe("ok");
});
