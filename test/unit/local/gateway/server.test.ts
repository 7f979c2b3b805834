import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { ok, region, service, startTestGateway, user } from "../../../support/gateway-fixture.ts";
import { type RawAnswer, sendRaw, sendSigned } from "../../../support/raw-request.ts";
import { type SigningOptions, signedFetch, signRequest } from "../../../support/signed-fetch.ts";

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
const start = async (...options: Parameters<typeof startTestGateway>) => {
  gateway = await startTestGateway(...options);
  return gateway;
};
afterEach(() => gateway.close());

const signing = (more: Partial<SigningOptions> = {}): SigningOptions => ({
  credentials: service,
  region,
  method: "POST",
  ...more,
});
const salesToken = "/v1/scopes/sales/token";

function expectRefusal(answer: RawAnswer, status: number, errorType: string, message?: unknown) {
  expect([answer.status, answer.headers["x-amzn-errortype"]]).toEqual([status, errorType]);
  expect(answer.headers["content-type"]).toBe("application/json");
  expect(answer.headers).not.toHaveProperty("x-amzn-trace-id");
  if (message !== undefined) expect(answer.text).toEqual(message);
  expect(gateway.invocations).toEqual([]);
}

describe("a signed and granted request", () => {
  const root = "Root=1-5759e988-bd862e3fe1be46a994272793";
  const chosen = `${root};Parent=7fa8c0f79203be72;Sampled=1`;
  test.each([
    ["continues the client's trace", chosen, new RegExp(`^${chosen}$`)],
    ["continues a trace without a parent", root, new RegExp(`^${root};Parent=[0-9a-f]{16};Sampled=0$`)],
    [
      "leaves out what is no field of a trace",
      `Self=1-67891233-12456789abcdef012345678;${root};Sampled=1`,
      new RegExp(`^${root};Parent=[0-9a-f]{16};Sampled=1$`),
    ],
    [
      "begins a trace where the client's has no root",
      "Root=1-chosen;Parent=7fa8c0f79203be72",
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=(?!7fa8)[0-9a-f]{16};Sampled=0$/,
    ],
    [
      "begins a trace where the client sent none",
      undefined,
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/,
    ],
  ])("%s, in the event, the answer and the invocation", async (_, sent, expected) => {
    await start(() => ok({}));
    const headers: Record<string, string> = sent === undefined ? {} : { "x-amzn-trace-id": sent };
    const response = await signedFetch(`${gateway.url}/scopes/sales/token`, signing({ headers }));
    const answered = response.headers.get("x-amzn-trace-id");
    expect(answered).toMatch(expected);
    const [{ event, trace } = {}] = gateway.invocations;
    expect([event?.headers["X-Amzn-Trace-Id"], trace]).toEqual([answered?.split(";")[0], answered]);
  });

  test("reaches its function, and the function's answer the client", async () => {
    await start(() => ok({ statusCode: 202, headers: { "Cache-Control": "no-store" }, body: '{"a":1}' }));
    const response = await signedFetch(`${gateway.url}/scopes/sales/token`, signing({ body: '{"x":"é"}' }));
    expect([response.status, await response.text()]).toEqual([202, '{"a":1}']);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(gateway.invocations).toMatchObject([
      {
        functionId: "function of POST /scopes/{scope}/token",
        event: {
          body: '{"x":"é"}',
          pathParameters: { scope: "sales" },
          requestContext: { identity: { userArn: service.userArn, caller: service.caller } },
        },
      },
    ]);
    const { event } = gateway.invocations[0] ?? {};
    expect(response.headers.get("x-amzn-requestid")).toBe(event?.requestContext.requestId);
    expect(response.headers.get("x-amz-apigw-id")).toBe(event?.requestContext.extendedRequestId);
    expect(gateway.lines).toMatchObject([
      {
        method: "POST",
        path: salesToken,
        status: "202",
        resource: "/scopes/{scope}/token",
        userArn: service.userArn,
      },
    ]);
  });

  test.each([
    ["a trailing slash", "/scopes/x/token/", "/scopes/x/token/"],
    ["a leading slash too many", "//scopes/x/token", "/scopes/x/token"],
  ])("with %s reaches its resource", async (_, sent, path) => {
    await start();
    await sendSigned(gateway.port, `/v1${sent}`, signing({ credentials: user }));
    expect(gateway.invocations[0]?.event).toMatchObject({
      resource: "/scopes/{scope}/token",
      path,
      pathParameters: { scope: "x" },
      requestContext: { path: `/v1${sent}` },
    });
  });

  test("has its path parameters as they were sent", async () => {
    await start();
    await sendSigned(gateway.port, "/v1/scopes/a%2Bb/token", signing({ credentials: user }));
    expect(gateway.invocations[0]?.event.pathParameters).toEqual({ scope: "a%2Bb" });
  });

  test("a method without authorization needs no signature", async () => {
    await start();
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    expect(gateway.invocations[0]?.event.requestContext.identity.userArn).toBeNull();
  });
});

describe("refused before any function", () => {
  const missing = '{"message":"Missing Authentication Token"}';

  test.each([
    ["an unknown resource", "POST", "/v1/nothing"],
    ["an undeclared method", "GET", salesToken],
    ["HEAD where there is GET", "HEAD", "/v1/scopes"],
    ["dot segments that lead to a route", "POST", "/v1/scopes/x/../sales/token"],
    ["an encoded slash instead of a segment", "POST", "/v1/scopes/sales%2Ftoken"],
    ["an empty segment", "POST", "/v1/scopes//token"],
    ["another case", "POST", "/v1/Scopes/sales/token"],
  ])("%s, however well signed", async (_, method, path) => {
    await start();
    const answer = await sendSigned(gateway.port, path, signing({ credentials: user, method }));
    expectRefusal(answer, 403, "MissingAuthenticationTokenException", method === "HEAD" ? "" : missing);
  });

  test("an unknown resource with another system's token, and the answer has the token's hash alone", async () => {
    await start();
    const headers = { authorization: "Bearer abc" };
    const answer = await sendRaw(gateway.port, "/v1/nothing", { method: "POST", headers });
    const hash = createHash("sha256").update("Bearer abc").digest("base64");
    expectRefusal(
      answer,
      403,
      "IncompleteSignatureException",
      '{"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded ' +
        `with Base64): '${hash}'."}`,
    );
  });

  test("no signature", async () => {
    await start();
    const answer = await sendRaw(gateway.port, salesToken, { method: "POST", headers: {} });
    expectRefusal(answer, 403, "MissingAuthenticationTokenException", missing);
  });

  test("another stage", async () => {
    await start();
    expectRefusal(
      await sendSigned(gateway.port, "/v2/scopes", signing({ method: "GET" })),
      403,
      "ForbiddenException",
    );
  });

  test("a tampered body", async () => {
    await start();
    const request = await signRequest(`${gateway.url}/scopes/sales/token`, signing({ body: "{}" }));
    expectRefusal(
      await sendRaw(gateway.port, salesToken, { ...request, body: "{ }" }),
      403,
      "InvalidSignatureException",
      expect.stringContaining("The request signature we calculated does not match"),
    );
  });

  test("a signature for one scope used for another", async () => {
    await start();
    const request = await signRequest(`${gateway.url}/scopes/sales/token`, signing({ credentials: user }));
    expectRefusal(
      await sendRaw(gateway.port, "/v1/scopes/board/token", request),
      403,
      "InvalidSignatureException",
    );
  });

  test("a signature whose dot segments were resolved by the signer", async () => {
    await start();
    const request = await signRequest(`${gateway.url}/scopes/x/../sales/token`, signing());
    expectRefusal(
      await sendRaw(gateway.port, "/v1/scopes/x/../sales/token", request),
      403,
      "MissingAuthenticationTokenException",
    );
  });

  test("an incomplete signature", async () => {
    await start();
    const headers = { authorization: "AWS4-HMAC-SHA256 Credential=x" };
    const answer = await sendRaw(gateway.port, salesToken, { method: "POST", headers });
    expectRefusal(answer, 403, "IncompleteSignatureException");
  });

  test("a replay five minutes later", async () => {
    let now = new Date("2026-03-01T12:00:00Z");
    await start(undefined, { now: () => now });
    const request = await signRequest(`${gateway.url}/scopes/sales/token`, signing({ signingDate: now }));
    now = new Date("2026-03-01T12:05:01Z");
    expectRefusal(
      await sendRaw(gateway.port, salesToken, request),
      403,
      "InvalidSignatureException",
      expect.stringContaining("Signature expired: 20260301T120000Z is now earlier than"),
    );
  });

  test("an unknown key", async () => {
    await start();
    const credentials = { ...user, accessKeyId: "AKIANOBODY" };
    expectRefusal(
      await sendSigned(gateway.port, salesToken, signing({ credentials })),
      403,
      "UnrecognizedClientException",
      '{"message":"The security token included in the request is invalid."}',
    );
  });

  test("a stolen key without its session token", async () => {
    await start();
    const { accessKeyId, secretAccessKey } = service;
    const answer = await sendSigned(
      gateway.port,
      salesToken,
      signing({ credentials: { accessKeyId, secretAccessKey } }),
    );
    expectRefusal(answer, 403, "UnrecognizedClientException");
  });

  test("a scope that the caller's policy does not grant", async () => {
    await start();
    expectRefusal(
      await sendSigned(gateway.port, "/v1/scopes/board/token", signing()),
      403,
      "AccessDeniedException",
      '{"Message":"User: arn:aws:sts::********6666:assumed-role/report-service/local is not authorized to perform: ' +
        "execute-api:Invoke on resource: " +
        "arn:aws:execute-api:eu-west-1:********3333:a1b2c3d4e5/v1/POST/scopes/board/token " +
        'because no identity-based policy allows the execute-api:Invoke action"}',
    );
    expect(gateway.lines[0]?.userArn).toBe(service.userArn);
  });

  test("a granted scope spelt with escapes", async () => {
    await start();
    expectRefusal(
      await sendSigned(gateway.port, "/v1/scopes/%73ales/token", signing()),
      403,
      "AccessDeniedException",
    );
  });

  test("a scope that the caller's policy denies", async () => {
    await start();
    const answer = await sendSigned(gateway.port, "/v1/scopes/frozen/token", signing());
    expectRefusal(
      answer,
      403,
      "AccessDeniedException",
      expect.stringMatching(/token with an explicit deny in an identity-based policy"}$/),
    );
  });

  test("a query that does not decode, where no signature covers it", async () => {
    await start();
    const answer = await sendRaw(gateway.port, "/v1/health?a=%ff", { method: "GET", headers: {} });
    expectRefusal(answer, 400, "BadRequestException");
  });

  test("a body over 10 MB", async () => {
    await start();
    const answer = await sendRaw(gateway.port, salesToken, {
      method: "POST",
      headers: {},
      body: Buffer.alloc(10 * 1024 * 1024 + 1),
    });
    expect([answer.status, answer.text]).toEqual([413, "HTTP content length exceeded 10485760 bytes."]);
    // The answer comes from in front of the API.
    expect(answer.headers).not.toHaveProperty("x-amzn-requestid");
    expect(gateway.invocations).toEqual([]);
  });

  test("an event over 6 MB, which Lambda does not take", async () => {
    await start();
    const body = "x".repeat(6 * 1024 * 1024);
    const answer = await sendSigned(gateway.port, salesToken, signing({ body }));
    expectRefusal(answer, 413, "BadRequestException", '{"message": "Request Too Long"}');
  });

  test("a URL over 10,240 bytes, where no authorization limits the path", async () => {
    await start();
    const answer = await sendRaw(gateway.port, `/v1/health?${"a".repeat(10_240)}`, {
      method: "GET",
      headers: {},
    });
    expectRefusal(answer, 414, "RequestTooLargeException", '{"message":"Request URI too long"}');
  });

  test("a path that makes the method's ARN longer than 1,600 bytes", async () => {
    await start();
    const arn = (scope: string) =>
      `arn:aws:execute-api:${region}:111122223333:a1b2c3d4e5/v1/POST/scopes/${scope}/token`;
    const longest = "a".repeat(1600 - arn("").length);
    const send = (scope: string) =>
      sendSigned(gateway.port, `/v1/scopes/${scope}/token`, signing({ credentials: user }));
    expectRefusal(
      await send(`${longest}a`),
      414,
      "RequestTooLargeException",
      '{"message":"Request URI too long"}',
    );
    expect((await send(longest)).status).toBe(200);
  });

  test("requests beyond the stage's rate", async () => {
    let now = new Date();
    await start(undefined, { throttle: { ratePerSecond: 1, burst: 1 }, now: () => now });
    const get = () => fetch(`${gateway.url}/health`);
    expect((await get()).status).toBe(200);
    const second = await get();
    expect([second.status, await second.text()]).toEqual([429, '{"message":"Too Many Requests"}']);
    now = new Date(now.getTime() + 1000);
    expect((await get()).status).toBe(200);
  });
});

describe("an invocation that fails", () => {
  const get = async () => {
    const response = await fetch(`${gateway.url}/health`);
    return [response.status, await response.text()];
  };
  const internal = '{"message": "Internal server error"}';

  test("by the function's error is a 502 that says nothing of it", async () => {
    await start(() => ({ kind: "function_error", payload: { errorMessage: "hunter2" } }));
    expect(await get()).toEqual([502, internal]);
  });
  test("by an answer of another form is a 502", async () => {
    await start(() => ({ kind: "answer", payload: { hello: "world" } }));
    expect(await get()).toEqual([502, internal]);
  });
  test("by Lambda's throttling is a 500", async () => {
    await start(() => ({ kind: "throttled" }));
    expect(await get()).toEqual([500, internal]);
  });
  test("by not being possible is a 500, and is noted", async () => {
    await start(() => Promise.reject(new Error("no such function")));
    expect(await get()).toEqual([500, internal]);
    expect(gateway.lines[0]?.problem).toBe("Error: no such function");
  });
  test("by waiting too long for an instance is a 504", async () => {
    await start(() => ({ kind: "timed_out" }));
    expect(await get()).toEqual([504, '{"message": "Endpoint request timed out"}']);
  });
  test("by never answering is a 504", async () => {
    await start(() => new Promise(() => {}), { integrationTimeoutMs: 1 });
    expect(await get()).toEqual([504, '{"message": "Endpoint request timed out"}']);
  });
});

const curl = await promisify(execFile)("curl", ["--help", "all"]).then(
  ({ stdout }) => stdout.includes("--aws-sigv4"),
  () => false,
);
test.skipIf(!curl)("curl --aws-sigv4 is let in (skipped where no curl can sign)", async () => {
  await start(() => ok({ body: '{"from":"function"}' }));
  const { accessKeyId, secretAccessKey, sessionToken } = service;
  const { stdout } = await promisify(execFile)("curl", [
    ...["-s", "-X", "POST", "--aws-sigv4", `aws:amz:${region}:execute-api`],
    ...["-u", `${accessKeyId}:${secretAccessKey}`, "-H", `x-amz-security-token: ${sessionToken}`],
    `${gateway.url}/scopes/sales/token`,
  ]);
  expect(stdout).toBe('{"from":"function"}');
});
