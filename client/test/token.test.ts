/** One call for a token, and its answer. */
import { afterEach, describe, expect, it } from "vitest";
import { plantedToken, problem, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import type { Answering, Reply } from "../../test/support/fake-server.ts";
import { clientStand, gate, newLeases, stopStands, until } from "./stand.ts";

afterEach(stopStands);

describe("token()", () => {
  it("gives the token with its lease and where it is for", async () => {
    const { client, clock } = await clientStand();
    const token = await client.token();
    expect(token.accessToken).toBe(plantedToken("lease-1"));
    expect(token.leaseId).toBe("lease-1");
    expect(token.scope).toBe("sales");
    expect(token.baseUrl).toBe("https://example.cloud.looker.com");
    expect(token.expiresAt.getTime()).toBe(clock.now() + 900_000);
  });

  it("asks the broker once for a thousand calls at the same time", async () => {
    const { client, broker } = await clientStand();
    const tokens = await Promise.all(Array.from({ length: 1_000 }, () => client.token()));
    expect(new Set(tokens.map(({ leaseId }) => leaseId)).size).toBe(1);
    expect(broker.asked.length).toBe(1);
  });

  it("answers from memory while the token has life left", async () => {
    const { client, clock, broker } = await clientStand();
    await client.token();
    clock.advance(500_000);
    expect((await client.token()).leaseId).toBe("lease-1");
    expect(broker.asked.length).toBe(1);
  });

  it("signs each request for the API's region, with the session token", async () => {
    const { another, broker } = await clientStand();
    const client = another({
      credentials: async () => ({ accessKeyId: "ASIAX", secretAccessKey: "s", sessionToken: "t" }),
    });
    await client.token();
    const [asked] = broker.asked;
    expect(asked?.method).toBe("POST");
    expect(asked?.path).toBe("/v1/scopes/sales/token");
    expect(asked?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=ASIAX\/20261124\/eu-west-1\/execute-api\//,
    );
    expect(asked?.headers["x-amz-security-token"]).toBe("t");
  });

  it("does not hand out a token with less life than asked for", async () => {
    const { client, clock, asked } = await clientStand();
    await client.token();
    clock.advance(500_000);
    const token = await client.token({ minTtlSeconds: 450 });
    expect(token.leaseId).toBe("lease-2");
    expect(asked()[1]).toEqual({ min_ttl_seconds: 450 });
  });

  it("asks again for itself where it joined a request for less life", async () => {
    const opened = gate<Reply>();
    const { client, broker } = await clientStand(() => opened.opened);
    const short = client.token();
    const long = client.token({ minTtlSeconds: 400 });
    await until(() => broker.asked.length === 1);
    broker.answering = () => tokenReply("long", 900);
    opened.open(tokenReply("short", 100));
    expect((await short).leaseId).toBe("short");
    expect((await long).leaseId).toBe("long");
  });

  it("does not fail because of another's impossible wish that it joined", async () => {
    const opened = gate<Reply>();
    const { client, broker } = await clientStand(() => opened.opened);
    const tooLong = failure(client.token({ minTtlSeconds: 1_800 }));
    const usual = client.token();
    await until(() => broker.asked.length === 1);
    broker.answering = newLeases();
    opened.open(problem(400, "bad_request", undefined, "min_ttl_seconds must be at most 450."));
    expect((await tooLong).code).toBe("bad_request");
    expect((await usual).leaseId).toBe("lease-1");
  });

  it.each([0, -1, 1.5, 1_801, Number.NaN])("refuses a minTtlSeconds of %s", async (minTtlSeconds) => {
    const { client, broker } = await clientStand();
    expect((await failure(client.token({ minTtlSeconds }))).code).toBe("bad_request");
    expect(broker.asked.length).toBe(0);
  });

  it("refuses a minTtlSeconds of 0 also while a token is in memory", async () => {
    const { client } = await clientStand();
    await client.token();
    const error = await failure(client.token({ minTtlSeconds: 0 }));
    expect(error.code).toBe("bad_request");
    expect(error.summary).toBe(
      "minTtlSeconds must be a whole number from 1 to 1800, half of the longest lease, and not 0.",
    );
  });

  it.each([0, -1, 86_401, 1e300, "900"])("takes a life of %s s for no broker's answer", async (expiresIn) => {
    const { client } = await clientStand(() => tokenReply("odd", expiresIn as number));
    expect((await failure(client.token())).code).toBe("not_a_broker");
    expect(client.hasToken).toBe(false);
  });

  it("counts the life from when the broker was asked, not from when the answer came", async () => {
    const stand = await clientStand();
    stand.broker.answering = () => {
      stand.clock.advance(10_000);
      return tokenReply("slow", 100);
    };
    const { expiresAt } = await stand.client.token();
    expect(expiresAt.getTime()).toBe(stand.clock.now() + 90_000);
  });
});

describe("an answer with less life than asked for", () => {
  /** One after the other, then leases of 900 s. */
  const lives = (...seconds: number[]): Answering => {
    let leases = 0;
    return () => {
      leases++;
      return tokenReply(`lease-${leases}`, seconds[leases - 1] ?? 900);
    };
  };

  it("is not handed out: the broker is asked once more", async () => {
    const { client, asked } = await clientStand(lives(100));
    expect((await client.token({ minTtlSeconds: 400 })).leaseId).toBe("lease-2");
    expect(asked()).toEqual([{ min_ttl_seconds: 400 }, { min_ttl_seconds: 400 }]);
  });

  it("twice is an error that names what was asked for", async () => {
    const { client, asked } = await clientStand(lives(100, 100));
    const error = await failure(client.token({ minTtlSeconds: 400 }));
    expect(error.code).toBe("too_little_life");
    expect(error.message).toContain("100 s of life left where 400 s were asked for");
    expect(asked().length).toBe(2);
  });

  it("because it was long under way is not handed out either", async () => {
    const stand = await clientStand();
    stand.broker.answering = () => {
      if (stand.broker.asked.length === 1) stand.clock.advance(50_000);
      return tokenReply(`lease-${stand.broker.asked.length}`, 100);
    };
    const client = stand.another({ timeoutMs: 120_000 });
    expect((await client.token()).leaseId).toBe("lease-2");
  });

  it("by a fraction of a second is asked for again when the broker can only answer with another", async () => {
    const { client, clock, broker } = await clientStand();
    broker.answering = () => {
      clock.advance(300);
      return broker.asked.length === 1 ? tokenReply("old", 60) : tokenReply("new");
    };
    expect((await client.token()).leaseId).toBe("new");
    expect(clock.slept).toEqual([700]);
  });

  it("does not fail a call that asks for less and joined the same request", async () => {
    const opened = gate<Reply>();
    const { client, broker } = await clientStand(() => opened.opened);
    const long = failure(client.token({ minTtlSeconds: 400 }));
    const short = client.token();
    await until(() => broker.asked.length === 1);
    broker.answering = () => tokenReply("short", 100);
    opened.open(tokenReply("short", 100));
    expect((await short).leaseId).toBe("short");
    expect((await long).code).toBe("too_little_life");
  });
});
