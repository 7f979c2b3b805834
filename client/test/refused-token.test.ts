import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { problem, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import type { Reply } from "../../test/support/fake-server.ts";
import type { LookerToken } from "../src/token/looker-token.ts";
import { answerTaken, clientStand, gate, stopStands, until } from "./stand.ts";

afterEach(stopStands);

/** Looker takes all but these. */
const looker =
  (...dead: string[]) =>
  async (token: LookerToken) =>
    new Response("", { status: dead.includes(token.leaseId) ? 401 : 200, headers: { lease: token.leaseId } });

describe("withToken(), when Looker refuses the token", () => {
  it("reports the lease once and succeeds with another", async () => {
    const { client, asked } = await clientStand();
    const response = await client.withToken(looker("lease-1"));
    expect(response.status).toBe(200);
    expect(asked()).toEqual([{ min_ttl_seconds: 60 }, { min_ttl_seconds: 60, stale_lease_id: "lease-1" }]);
  });

  it.each([
    ["status", { status: 401 }],
    ["statusCode", { statusCode: 401 }],
    ["response.status", { response: { status: 401 } }],
  ])("knows it by the %s of a thrown error", async (_, mark) => {
    const { client } = await clientStand();
    const lease = await client.withToken(({ leaseId }) => {
      if (leaseId === "lease-1") throw Object.assign(new Error("Unauthorized"), mark);
      return leaseId;
    });
    expect(lease).toBe("lease-2");
  });

  it("knows it by the form of an answer that is no Response of this process", async () => {
    const { client } = await clientStand();
    for (const mark of [{ status: 401 }, { statusCode: 401 }]) {
      const dead = (await client.token()).leaseId;
      const answer = await client.withToken(({ leaseId }) => ({
        ...(leaseId === dead ? mark : { status: 200 }),
        headers: {},
      }));
      expect(answer).toMatchObject({ status: 200 });
    }
  });

  it.each([{ status: 401 }, { statusCode: 401 }, { row: { status: 401, headers: {} } }])(
    "does not take a value such as %j for Looker's refusal",
    async (value) => {
      const { client, broker } = await clientStand();
      expect(await client.withToken(() => value)).toBe(value);
      expect(broker.asked.length).toBe(1);
    },
  );

  it("fails as ended when a logout() came between, and gets no new lease", async () => {
    const { client, asked } = await clientStand();
    const call = client.withToken(async (token) => {
      await client.logout();
      return looker("lease-1")(token);
    });
    const error = await failure(call);
    expect(error.code).toBe("aborted");
    expect(error.summary).toBe("logout() ended the request of this call.");
    expect(asked().length).toBe(1);
    expect(client.hasToken).toBe(false);
  });

  it("fails as ended when a logout() of the refused lease comes while another is waited for", async () => {
    const { client, broker } = await clientStand();
    await client.token();
    broker.answering = ({ path }) =>
      path.endsWith("/logout") ? { status: 200, body: { revoked: 1, pending: 0 } } : new Promise(() => {});
    const call = failure(client.withToken(looker("lease-1")));
    await until(() => broker.asked.length === 2);
    await client.logout({ leaseId: "lease-1" });
    expect((await call).code).toBe("aborted");
  });

  it("goes on when a logout() of another lease came between", async () => {
    const { client } = await clientStand();
    const response = await client.withToken(async (token) => {
      await client.logout({ leaseId: "lease-of-old" });
      return looker("lease-1")(token);
    });
    expect(response.headers.get("lease")).toBe("lease-2");
  });

  it("tries no third time", async () => {
    const { client, broker } = await clientStand();
    const used: string[] = [];
    const response = await client.withToken(async (token) => {
      used.push(token.leaseId);
      return new Response("", { status: 401 });
    });
    expect(response.status).toBe(401);
    expect(used).toEqual(["lease-1", "lease-2"]);
    expect(broker.asked.length).toBe(2);
  });

  it("lets other failures through as they are", async () => {
    const { client, broker } = await clientStand();
    const thrown = new Error("not about the token");
    expect(await failure(client.withToken(() => Promise.reject(thrown)))).toBe(thrown);
    expect(broker.asked.length).toBe(1);
  });

  it("reports it once for a hundred users of the dead token", async () => {
    const { client, broker, asked } = await clientStand();
    await client.token();
    const responses = await Promise.all(
      Array.from({ length: 100 }, () => client.withToken(looker("lease-1"))),
    );
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(asked().filter((body) => "stale_lease_id" in body).length).toBe(1);
    expect(broker.asked.length).toBe(2);
  });

  it("uses the token that has meanwhile replaced it, without a report", async () => {
    const { client, broker } = await clientStand();
    const slow = gate();
    const late = client.withToken(async (token) => {
      if (token.leaseId === "lease-1") await slow.opened;
      return looker("lease-1")(token);
    });
    await client.withToken(looker("lease-1"));
    slow.open();
    expect((await late).headers.get("lease")).toBe("lease-2");
    expect(broker.asked.length).toBe(2);
  });

  it("waits for as long as the broker takes a young lease for good", async () => {
    const { client, broker, clock } = await clientStand();
    await client.token();
    broker.answering = (() => {
      let requests = 0;
      return () => (++requests === 1 ? problem(503, "busy", 8) : tokenReply("lease-2"));
    })();
    expect((await client.withToken(looker("lease-1"))).status).toBe(200);
    expect(clock.slept).toEqual([8_500]);
  });

  it("neither waits for nor takes it from a request that was under way before the report", async () => {
    const { client, clock, broker } = await clientStand();
    await client.token();
    clock.advance(750_000);
    // A single try may take five seconds, more than this test.
    const refresh = gate<Reply>();
    broker.answering = ({ text }) =>
      text.includes("stale_lease_id") ? tokenReply("lease-2") : refresh.opened;
    await client.token();
    await until(() => broker.asked.length === 2);
    const response = await client.withToken(looker("lease-1"));
    expect(response.headers.get("lease")).toBe("lease-2");
    refresh.open(tokenReply("lease-1", 150));
    await answerTaken();
    expect((await client.token()).leaseId).toBe("lease-2");
  }, 4_000);

  it("remembers it when the call that met it was aborted", async () => {
    const { client, clock, broker } = await clientStand();
    await client.token();
    clock.advance(750_000);
    const refresh = gate<Reply>();
    broker.answering = ({ text }) =>
      text.includes("stale_lease_id") ? tokenReply("lease-2") : refresh.opened;
    const controller = new AbortController();
    const call = client.withToken(
      async (token) => {
        controller.abort();
        return looker("lease-1")(token);
      },
      { signal: controller.signal },
    );
    expect((await failure(call)).code).toBe("aborted");
    await until(() => broker.asked.length === 2);
    refresh.open(tokenReply("lease-1", 150));
    await answerTaken();
    expect((await client.token()).leaseId).toBe("lease-2");
  });

  it("reports it again with the next call when the report got no answer", async () => {
    const { client, broker, asked } = await clientStand();
    await client.token();
    broker.answering = () => problem(502, "looker_rejected_credentials");
    expect((await failure(client.withToken(looker("lease-1")))).code).toBe("looker_rejected_credentials");
    broker.answering = () => tokenReply("lease-2");
    expect((await client.token()).leaseId).toBe("lease-2");
    expect(asked().at(-1)).toEqual({ min_ttl_seconds: 60, stale_lease_id: "lease-1" });
  });

  it("says so when the scope is frozen", async () => {
    const { client, broker } = await clientStand();
    await client.token();
    broker.answering = () => problem(403, "scope_frozen", undefined, "An operator has frozen the scope.");
    const error = await failure(client.withToken(looker("lease-1")));
    expect(error.code).toBe("scope_frozen");
    expect(error.message).toContain("frozen");
  });

  it("closes the answer that nobody will read", async () => {
    const { client } = await clientStand();
    const bodies: ReadableStream[] = [];
    await client.withToken(async ({ leaseId }) => {
      const response = new Response("text", { status: leaseId === "lease-1" ? 401 : 200 });
      if (response.body) bodies.push(response.body);
      return response;
    });
    expect(await bodies[0]?.getReader().read()).toEqual({ done: true, value: undefined });
  });

  it("fails rather than go in circles when the broker gives the dead lease again", async () => {
    const { client } = await clientStand(() => tokenReply("lease-1"));
    expect((await failure(client.withToken(looker("lease-1")))).code).toBe("not_a_broker");
  });
});

describe("two processes of one role", () => {
  it("are disturbed by each other's report no more than by a refresh", async () => {
    // As the broker does: the lease is shared, and a report counts for the current one only.
    let current = 1;
    const { client, another, broker } = await clientStand(({ text }) => {
      if (JSON.parse(text).stale_lease_id === `lease-${current}`) current++;
      return tokenReply(`lease-${current}`);
    });
    const other = another();
    await Promise.all([client.token(), other.token()]);
    await client.withToken(looker("lease-1"));
    expect((await other.withToken(looker("lease-1"))).status).toBe(200);
    expect(current).toBe(2);
    expect(broker.asked.length).toBe(4);
  });
});

describe("a token", () => {
  it("does not show in inspection, JSON or text", async () => {
    const { client } = await clientStand();
    const token = await client.token();
    const shown = [
      inspect(token),
      inspect({ token }, { depth: 9, showHidden: true }),
      JSON.stringify(token),
      `${token}`,
    ];
    for (const text of [...shown, inspect(client, { depth: 9, showHidden: true }), JSON.stringify(client)])
      expect(text).not.toContain(token.accessToken);
    expect(shown[0]).toContain("[redacted]");
    expect(Object.keys({ ...token })).not.toContain("accessToken");
  });
});
