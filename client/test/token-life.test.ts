/** The life of a token in memory, and its successor. */
import { afterEach, describe, expect, it } from "vitest";
import { gatewayReply, problem, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import type { Reply } from "../../test/support/fake-server.ts";
import { answerTaken, clientStand, gate, newLeases, stopStands, until, untilServed } from "./stand.ts";

afterEach(stopStands);

describe("the life of a token", () => {
  it("does not depend on a wall clock that is set back", async () => {
    const { client, clock } = await clientStand(newLeases(300));
    await client.token();
    clock.advance(299_000);
    clock.wallMs -= 3_600_000;
    expect((await client.token()).leaseId).toBe("lease-2");
  });

  it("is over after the machine slept, though the monotonic clock stood still", async () => {
    const { client, clock } = await clientStand(newLeases(300));
    await client.token();
    clock.wallMs += 600_000;
    expect((await client.token()).leaseId).toBe("lease-2");
  });

  it("costs one request more, and no failure, when the wall clock jumps ahead", async () => {
    const { client, clock, broker } = await clientStand(newLeases(300));
    await client.token();
    clock.wallMs += 86_400_000;
    await client.token();
    await client.token();
    expect(broker.asked.length).toBe(2);
  });
});

describe("refresh ahead", () => {
  it.each([
    [0, 0.65],
    [0.999, 0.799],
  ])("with chance %s begins at %s of the life, and not before", async (chance, point) => {
    const { client, clock, broker } = await clientStand(newLeases(1_000));
    clock.chance = chance;
    await client.token();
    clock.advance(point * 1_000_000 - 2_000);
    await client.token();
    expect(broker.asked.length).toBe(1);
    clock.advance(4_000);
    await client.token();
    await until(() => broker.asked.length === 2);
  });

  it("does not make a caller wait", async () => {
    const { client, clock, broker } = await clientStand();
    await client.token();
    clock.advance(750_000);
    const opened = gate<Reply>();
    broker.answering = () => opened.opened;
    expect((await client.token()).leaseId).toBe("lease-1");
    await until(() => broker.asked.length === 2);
    expect((await client.token()).leaseId).toBe("lease-1");
    opened.open(tokenReply("lease-2"));
    await untilServed(client, "lease-2");
    expect(broker.asked.length).toBe(2);
  });

  it("asks for more life than the token in hand has, so that one request renews", async () => {
    const { client, clock, broker, asked } = await clientStand();
    await client.token();
    clock.advance(750_000);
    await client.token();
    await until(() => broker.asked.length === 2);
    expect(asked()[1]).toEqual({ min_ttl_seconds: 450 });
  });

  it("leaves the token in use after a failure, and is tried again after a pause", async () => {
    const { client, clock, broker } = await clientStand();
    await client.token();
    clock.advance(750_000);
    broker.answering = () => gatewayReply(500, "InternalServerErrorException", "Internal server error");
    await client.token();
    await until(() => broker.asked.length === 2);
    await answerTaken();
    for (let calls = 0; calls < 50; calls++) expect((await client.token()).leaseId).toBe("lease-1");
    await answerTaken();
    expect(broker.asked.length).toBe(2);
    broker.answering = () => tokenReply("lease-2");
    clock.advance(3_000);
    await untilServed(client, "lease-2");
    expect(broker.asked.length).toBe(3);
  });

  it.each(["scope_frozen", "not_allowed"])(
    "that is refused with %s ends the use of the token",
    async (code) => {
      const { client, clock, broker } = await clientStand();
      await client.token();
      clock.advance(750_000);
      broker.answering = () => problem(403, code);
      await client.token();
      await until(() => !client.hasToken);
      expect((await failure(client.token())).code).toBe(code);
    },
  );

  it("denied by IAM's policy leaves the token in use, because it is alive", async () => {
    const { client, clock, broker } = await clientStand();
    await client.token();
    clock.advance(750_000);
    broker.answering = () => gatewayReply(403, "AccessDeniedException", "not authorized to perform");
    await client.token();
    await until(() => broker.asked.length === 2);
    await answerTaken();
    expect((await client.token()).leaseId).toBe("lease-1");
    expect(client.hasToken).toBe(true);
  });

  it("with a lease of two minutes comes before the token has too little life left", async () => {
    const { client, clock, broker } = await clientStand(newLeases(200));
    await client.token();
    clock.advance(126_000);
    expect((await client.token()).leaseId).toBe("lease-1");
    await until(() => broker.asked.length === 2);
  });
});
