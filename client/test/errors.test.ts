/** Errors in a service's log. */
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { gatewayReply, problem, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import { FakeServer } from "../../test/support/fake-server.ts";
import { TokenBrokerError } from "../src/errors/token-broker-error.ts";
import { unreachableError } from "../src/errors/unreachable.ts";
import type { RetryEvent } from "../src/waiting/retry.ts";
import { answerTaken, clientStand, credentials, stopStands, until } from "./stand.ts";

afterEach(stopStands);

const shown = (error: unknown) => inspect(error, { depth: 9, showHidden: true });

describe("the message", () => {
  it("ends with the next step, for plain logs", () => {
    const error = new TokenBrokerError("scope_frozen", "An operator has frozen the scope.");
    expect(error.message).toBe(`${error.summary} ${error.hint}`);
    expect(shown(error)).toContain("They give no token until one of them unfreezes it.");
  });

  it("names the number of attempts and their time", async () => {
    const { client, clock } = await clientStand(() => problem(503, "busy", 9));
    expect((await failure(client.token())).message).toMatch(/ This was attempt 4, after 29 s\. Try again, /);
    expect(clock.slept.length).toBe(3);
  });

  it("of a first attempt says nothing of attempts", async () => {
    const { client } = await clientStand(() => problem(503, "busy", 300));
    expect((await failure(client.token())).message).not.toContain("attempt");
  });

  it.each([
    ["an escape sequence", "\u001b[31mred\u001b[0m", "[31mred [0m"],
    ["a C1 control", "a\u009b2Jb", "a 2Jb"],
    ["a new line", "a\r\nERROR b", "a ERROR b"],
    ["another direction of text", "a\u202eb\u2066c\u200f", "abc"],
    ["a line separator", "a\u2028b", "a b"],
  ])("has no control characters of an answer: %s", async (_, title, printed) => {
    const { client } = await clientStand(() => ({
      status: 400,
      body: { code: "bad_request", title, detail: title },
    }));
    const { message } = await failure(client.token());
    expect(message).toContain(printed);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are searched for.
    expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/);
  });

  it("of a gateway's refusal without a reason names causes on the operators' side", async () => {
    const { client } = await clientStand(() => gatewayReply(403, "ForbiddenException", "Forbidden"));
    const error = await failure(client.token());
    expect(error.code).toBe("no_such_route");
    expect(error.hint).toMatch(/stage.*WAF.*VPC endpoint.*domain name.*switched off execute-api/);
  });
});

describe("the cause", () => {
  it("is the failure of the connection", async () => {
    const gone = await FakeServer.start(() => "drop");
    await gone.stop();
    const { another } = await clientStand();
    const { cause } = await failure(another({ endpoint: gone.url, timeoutMs: 100 }).token());
    expect(cause).toBeInstanceOf(Error);
    expect(cause.code).toBe("ECONNREFUSED");
    expect(cause.message).toContain("ECONNREFUSED 127.0.0.1");
  });

  it("is the reason of the caller's own signal", async () => {
    const { client } = await clientStand();
    const reason = new Error("The visitor has left.");
    const error = await failure(client.token({ signal: AbortSignal.abort(reason) }));
    expect([error.code, error.cause]).toEqual(["aborted", reason]);
  });

  it.each([
    ["a quoted header", new TypeError('Headers.append: "planted-secret" is an invalid header value.')],
    [
      "the bytes of an answer",
      Object.assign(new Error("Parse Error"), { code: "HPE_X", data: "planted-secret" }),
    ],
    ["another library's text", Object.assign(new Error("sent planted-secret"), { code: "ECUSTOM" })],
    [
      "a deeper cause",
      Object.assign(new Error("read ECONNRESET"), {
        code: "ECONNRESET",
        syscall: "read",
        cause: "planted-secret",
      }),
    ],
  ])("holds nothing of the request or the answer: %s", (_, thrown) => {
    const error = unreachableError(new TypeError("fetch failed", { cause: thrown }), "tokens.example.com");
    expect(shown(error)).not.toContain("planted-secret");
  });

  it("shows no signature and no token", async () => {
    const { another } = await clientStand(() => "drop");
    const keys = { ...credentials, sessionToken: "planted-session-token" };
    const text = shown(await failure(another({ credentials: keys, timeoutMs: 100 }).token()));
    expect(text).toContain("UND_ERR_SOCKET");
    expect(text).not.toMatch(/Signature=|planted-session-token|signing-key-of-the-test/);
  });
});

describe("onRetry", () => {
  it("tells each failed attempt with the wait after it", async () => {
    const events: RetryEvent[] = [];
    const { another, clock, broker } = await clientStand(() =>
      broker.asked.length < 3 ? problem(503, "busy", 2) : tokenReply("lease-1"),
    );
    await another({ onRetry: (event) => events.push(event) }).token();
    expect(events.map(({ attempt, delayMs, error }) => [attempt, delayMs, error.code])).toEqual([
      [1, 2_500, "busy"],
      [2, 2_500, "busy"],
    ]);
    expect(clock.slept).toEqual([2_500, 2_500]);
  });

  it("tells a failed renewal in the background, because no call gets its error", async () => {
    const events: RetryEvent[] = [];
    const { another, clock, broker } = await clientStand();
    const client = another({ onRetry: (event) => events.push(event) });
    await client.token();
    broker.answering = () => "drop";
    clock.advance(750_000);
    expect((await client.token()).leaseId).toBe("lease-1");
    await until(() => events.length === 1);
    expect(events[0]?.error.code).toBe("unreachable");
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("the log is full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the log is full"))],
  ])("does not break the call when the listener %s", async (_, onRetry) => {
    const { another, broker } = await clientStand(() =>
      broker.asked.length < 2 ? problem(503, "busy") : tokenReply("lease-1"),
    );
    expect((await another({ onRetry }).token()).leaseId).toBe("lease-1");
    await answerTaken();
  });
});
