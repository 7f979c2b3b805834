import { execFile } from "node:child_process";
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
  if (message !== undefined) expect(answer.text).toEqual(message);
  expect(gateway.invocations).toEqual([]);
}

describe("a signed and granted request", () => {
  test.each([
    ["kept", "Root=1-5759e988-bd862e3fe1be46a994272793", "Root=1-5759e988-bd862e3fe1be46a994272793"],
    [
      "kept without the other fields",
      "Self=1-67891233-12456789abcdef012345678;Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
      "Root=1-5759e988-bd862e3fe1be46a994272793",
    ],
    ["made where it is none", "Root=1-chosen", undefined],
    ["made where there is none", undefined, undefined],
  ])("has its trace's root %s, in the event, the answer and the invocation", async (_, sent, kept) => {
    await start(() => ok({}));
    const headers: Record<string, string> = sent === undefined ? {} : { "x-amzn-trace-id": sent };
    const response = await signedFetch(`${gateway.url}/scopes/sales/token`, signing({ headers }));
    const root = response.headers.get("x-amzn-trace-id");
    if (kept === undefined) expect(root).toMatch(/^Root=1-(?!5759e988)[0-9a-f]{8}-[0-9a-f]{24}$/);
    else expect(root).toBe(kept);
    const [{ event, traceRoot } = {}] = gateway.invocations;
    expect([event?.headers["X-Amzn-Trace-Id"], traceRoot]).toEqual([root, root]);
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
    expect(response.headers.get("x-amzn-trace-id")).toBe(event?.headers["X-Amzn-Trace-Id"]);
    expect(gateway.lines).toMatchObject([
      {
        method: "POST",
        path: salesToken,
        status: 202,
        resource: "/scopes/{scope}/token",
        userArn: service.userArn,
      },
    ]);
  });

  test("keeps a trailing slash in the path, and the resource without", async () => {
    await start();
    await sendSigned(gateway.port, "/v1/scopes/x/token/", signing({ credentials: user }));
    expect(gateway.invocations[0]?.event).toMatchObject({
      resource: "/scopes/{scope}/token",
      path: "/scopes/x/token/",
      requestContext: { path: "/v1/scopes/x/token/" },
    });
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
        'arn:aws:execute-api:eu-west-1:********3333:a1b2c3d4e5/v1/POST/scopes/board/token"}',
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
      expect.stringMatching(/token with an explicit deny"}$/),
    );
  });

  test.each(["/v1/scopes/%zz/token", `${salesToken}?a=%ff`])("%s, which does not decode", async (path) => {
    await start();
    const answer = await sendRaw(gateway.port, path, { method: "POST", headers: {} });
    // A query is decoded after the signature has been checked, and no signature covers this one.
    const [status, type] = path.includes("?")
      ? [403, "MissingAuthenticationTokenException"]
      : [400, "BadRequestException"];
    expectRefusal(answer, Number(status), String(type));
  });

  test("a body over 10 MB", async () => {
    await start();
    const answer = await sendRaw(gateway.port, salesToken, {
      method: "POST",
      headers: {},
      body: Buffer.alloc(10 * 1024 * 1024 + 1),
    });
    expectRefusal(answer, 413, "RequestTooLargeException");
  });

  test("a URI over 8 KB", async () => {
    await start();
    const answer = await sendSigned(gateway.port, `/v1/scopes/${"a".repeat(8192)}/token`, signing());
    expectRefusal(answer, 414, "RequestTooLargeException");
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
