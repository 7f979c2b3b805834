import { afterEach, describe, expect, it } from "vitest";
import { gatewayReply, plantedToken, problem, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import type { Answering, Reply } from "../../test/support/fake-server.ts";
import type { LookerToken } from "../src/token/looker-token.ts";
import { answerTaken, clientStand, gate, newLeases, stopStands, until, untilServed } from "./stand.ts";

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

  it("that fails leaves the token in use, and is tried again after a pause", async () => {
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

  it("that IAM's policy denies leaves the token in use: it was given, and is alive", async () => {
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

  it("makes the call fail within the budget, with what the last answer said", async () => {
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
