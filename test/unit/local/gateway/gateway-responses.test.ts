import { afterEach, describe, expect, test } from "vitest";
import type { GatewayOptions } from "../../../../local/gateway/server.ts";
import type { GatewayResponses } from "../../../../local/stack/gateway-responses.ts";
import { ok, region, service, startTestGateway } from "../../../support/gateway-fixture.ts";
import { sendRaw, sendSigned } from "../../../support/raw-request.ts";

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
afterEach(() => gateway?.close());

type Invoke = Parameters<typeof startTestGateway>[0];
const start = async (
  gatewayResponses: GatewayResponses,
  invoke?: Invoke,
  more: Partial<GatewayOptions> = {},
) => {
  gateway = await startTestGateway(invoke, { gatewayResponses, ...more });
};
/** Of a route without authorization. */
const get = async (path = "/v1/health") => {
  const { status, headers, text } = await sendRaw(gateway.port, path, { method: "GET", headers: {} });
  return { status, headers, text, errorType: headers["x-amzn-errortype"] };
};
const signed = (path: string, credentials = service) =>
  sendSigned(gateway.port, path, { credentials, region, method: "POST" });

const message = '{"message":$context.error.messageString}';
const unavailable = {
  status: 503,
  headers: { "Retry-After": "1" },
  templates: { "application/json": message },
};

describe("an answer of the gateway's own", () => {
  test("takes status, headers and body from the gateway response of its type", async () => {
    await start({ INTEGRATION_FAILURE: unavailable }, () => ({ kind: "throttled" }));
    const answer = await get();
    expect(answer).toMatchObject({
      status: 503,
      text: '{"message":"Internal server error"}',
      errorType: "InternalServerErrorException",
      headers: { "retry-after": "1", "content-type": "application/json" },
    });
    expect(gateway.lines).toMatchObject([{ status: "503", responseType: "INTEGRATION_FAILURE" }]);
  });

  test("falls back to DEFAULT_5XX, and to DEFAULT_4XX, where its own type has none", async () => {
    await start(
      { DEFAULT_5XX: unavailable, DEFAULT_4XX: { headers: { "X-Kind": "4" }, templates: {} } },
      () => ({
        kind: "timed_out",
      }),
    );
    expect(await get()).toMatchObject({ status: 503, text: '{"message":"Endpoint request timed out"}' });
    const missing = await get("/v1/nothing");
    expect([missing.status, missing.headers["x-kind"], missing.text]).toEqual([
      403,
      "4",
      '{"message":"Missing Authentication Token"}',
    ]);
  });

  test("prefers its own type to the default", async () => {
    const own = { headers: {}, templates: { "application/json": '{"own":true}' } };
    await start({ DEFAULT_4XX: unavailable, MISSING_AUTHENTICATION_TOKEN: own });
    expect(await get("/v1/nothing")).toMatchObject({ status: 403, text: '{"own":true}' });
  });

  test.each(["INTEGRATION_FAILURE", "DEFAULT_5XX"])(
    "keeps its own status under a gateway response of %s without one",
    async (type) => {
      await start({ [type]: { headers: {}, templates: {} } }, () => ({ kind: "throttled" }));
      expect((await get()).status).toBe(500);
    },
  );

  test("can have another content type, and headers instead of its own", async () => {
    await start({
      MISSING_AUTHENTICATION_TOKEN: {
        headers: { "X-Amzn-ErrorType": "Other" },
        templates: { "text/plain": "$context.error.responseType $context.requestId $context.stage." },
      },
    });
    const answer = await get("/v1/nothing");
    expect(answer.headers["content-type"]).toBe("text/plain");
    expect(answer.errorType).toBe("Other");
    expect(answer.text).toBe(`MISSING_AUTHENTICATION_TOKEN ${answer.headers["x-amzn-requestid"]} v1.`);
  });

  test("is as API Gateway's defaults are where nothing is said of its type", async () => {
    await start({ QUOTA_EXCEEDED: unavailable, THROTTLED: unavailable });
    const answer = await get("/v1/nothing");
    expect([answer.status, answer.text, answer.headers["retry-after"]]).toEqual([
      403,
      '{"message":"Missing Authentication Token"}',
      undefined,
    ]);
  });
});

describe("the type", () => {
  /** Answers with its own name, if it is that which is set. */
  const named = (...types: string[]): GatewayResponses =>
    Object.fromEntries(
      types.map((type) => [
        type,
        { headers: {}, templates: { "text/plain": `${type} $context.error.message` } },
      ]),
    );

  test.each<[string, Invoke, string]>([
    ["an invocation that Lambda throttles", () => ({ kind: "throttled" }), "INTEGRATION_FAILURE"],
    ["an invocation that cannot be made", () => Promise.reject(new Error("x")), "INTEGRATION_FAILURE"],
    ["an invocation that takes too long", () => ({ kind: "timed_out" }), "INTEGRATION_TIMEOUT"],
    ["a function's error", () => ({ kind: "function_error", payload: {} }), "DEFAULT_5XX"],
    ["a malformed answer", () => ({ kind: "answer", payload: "no" }), "DEFAULT_5XX"],
  ])("of %s", async (_, invoke, type) => {
    await start(named("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "DEFAULT_5XX"), invoke);
    expect((await get()).text).toMatch(new RegExp(`^${type} `));
  });

  test("of a request beyond the stage's rate is THROTTLED", async () => {
    await start(named("THROTTLED", "DEFAULT_4XX"), undefined, { throttle: { ratePerSecond: 1, burst: 0 } });
    expect((await get()).text).toBe("THROTTLED Too Many Requests");
  });

  test("of an unsigned request is MISSING_AUTHENTICATION_TOKEN", async () => {
    await start(named("MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX"));
    expect((await get("/v1/scopes")).text).toMatch(/^MISSING_AUTHENTICATION_TOKEN /);
  });

  test("of a wrong signature is INVALID_SIGNATURE", async () => {
    await start(named("INVALID_SIGNATURE", "DEFAULT_4XX"));
    const answer = await signed("/v1/scopes/sales/token", { ...service, secretAccessKey: "another" });
    expect(answer.text).toMatch(/^INVALID_SIGNATURE The request signature we calculated/);
  });

  test("of a call that IAM does not allow is ACCESS_DENIED", async () => {
    await start(named("ACCESS_DENIED", "DEFAULT_4XX"));
    expect((await signed("/v1/scopes/board/token")).text).toMatch(/^ACCESS_DENIED User: /);
  });
});

test.each([
  ["an unknown stage", "/v2/health", undefined, 403],
  ["a URI that is too long", `/v1/${"a".repeat(10_240)}`, undefined, 414],
  ["a body that is too large", "/v1/health", Buffer.alloc(10 * 1024 * 1024 + 1), 413],
])("%s is answered before any gateway response is known", async (_, path, body, status) => {
  await start({ DEFAULT_4XX: unavailable, REQUEST_TOO_LARGE: unavailable });
  const answer = await sendRaw(gateway.port, path, {
    method: "POST",
    headers: {},
    ...(body ? { body } : {}),
  });
  expect([answer.status, answer.headers["retry-after"]]).toEqual([status, undefined]);
});

test("a function's answer is its own, whatever its status", async () => {
  await start({ DEFAULT_5XX: unavailable, DEFAULT_4XX: unavailable }, () =>
    ok({ statusCode: 500, body: '{"code":"internal"}' }),
  );
  expect(await get()).toMatchObject({ status: 500, text: '{"code":"internal"}' });
});

test("what a message repeats of the request cannot break out of its template", async () => {
  await start({ INVALID_SIGNATURE: { headers: {}, templates: { "application/json": message } } });
  const authorization =
    "AWS4-HMAC-SHA256 Credential=A/20260301/r/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=0";
  const answer = await sendRaw(gateway.port, "/v1/scopes", {
    method: "GET",
    headers: { authorization, "x-amz-date": '", "code": "ok' },
  });
  expect(JSON.parse(answer.text)).toEqual({ message: expect.stringContaining(`Got '", "code": "ok'`) });
});

describe("refused at the start:", () => {
  test.each<[string, GatewayResponses, RegExp]>([
    ["an unknown type", { DEFAULT_429: unavailable }, /^DEFAULT_429 is no gateway response type/],
    ["a status beyond HTTP", { THROTTLED: { ...unavailable, status: 42 } }, /^THROTTLED: 42 is no status/],
    [
      "a template of the other kind",
      { THROTTLED: { headers: {}, templates: { "application/json": "$input.json('$')" } } },
      /\$input\.json is not supported/,
    ],
    [
      "a variable that this gateway has not",
      { THROTTLED: { headers: {}, templates: { "application/json": '"$context.identity.sourceIp"' } } },
      /\$context\.identity\.sourceIp is not supported/,
    ],
    [
      "several content types",
      { THROTTLED: { headers: {}, templates: { "application/json": message, "text/plain": "x" } } },
      /^THROTTLED: templates of several content types/,
    ],
  ])("%s", async (_, responses, problem) => {
    await expect(startTestGateway(undefined, { gatewayResponses: responses })).rejects.toThrow(problem);
  });
});
