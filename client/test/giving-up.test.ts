import { afterEach, describe, expect, it } from "vitest";
import { problem, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import type { Reply } from "../../test/support/fake-server.ts";
import { answerTaken, clientStand, gate, newLeases, stopStands, until } from "./stand.ts";

afterEach(stopStands);

describe("a caller that gives up", () => {
  it("stops its own waiting, and nobody else's", async () => {
    const opened = gate<Reply>();
    const { client, broker } = await clientStand(() => opened.opened);
    const controller = new AbortController();
    const impatient = failure(client.token({ signal: controller.signal }));
    const patient = client.token();
    await until(() => broker.asked.length === 1);
    controller.abort();
    expect((await impatient).code).toBe("aborted");
    expect(broker.gone).toBe(0);
    opened.open(tokenReply("lease-1"));
    expect((await patient).leaseId).toBe("lease-1");
    expect(broker.asked.length).toBe(1);
  });

  it("as the last one stops the request, and the next call makes its own", async () => {
    const stand = await clientStand(() => new Promise(() => {}));
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => failure(stand.client.token({ signal })));
    await until(() => stand.broker.asked.length === 1);
    for (const controller of controllers) controller.abort();
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(["aborted", "aborted"]);
    stand.broker.answering = newLeases();
    expect((await stand.client.token()).leaseId).toBe("lease-1");
    await until(() => stand.broker.gone === 1);
  });

  it("stops a wait between two attempts", async () => {
    const { client, clock } = await clientStand(() => problem(503, "busy", 20));
    const controller = new AbortController();
    clock.sleep = async (_, signal) => {
      controller.abort();
      signal.throwIfAborted();
      await new Promise(() => {});
    };
    expect((await failure(client.token({ signal: controller.signal }))).code).toBe("aborted");
  });

  it("may be a thousand calls with one signal, without a warning", async () => {
    const { client } = await clientStand();
    const { signal } = new AbortController();
    const warnings: string[] = [];
    const listen = ({ name }: Error) => warnings.push(name);
    process.on("warning", listen);
    try {
      await Promise.all(Array.from({ length: 1_000 }, () => client.token({ signal })));
      await answerTaken();
    } finally {
      process.off("warning", listen);
    }
    expect(warnings).toEqual([]);
  });

  it("before it began asks nothing", async () => {
    const { client, broker } = await clientStand();
    expect((await failure(client.token({ signal: AbortSignal.abort() }))).code).toBe("aborted");
    expect(broker.asked.length).toBe(0);
  });
});
