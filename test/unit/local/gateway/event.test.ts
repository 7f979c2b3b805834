import { describe, expect, test } from "vitest";
import { buildEvent, type ReceivedRequest } from "../../../../local/gateway/event.ts";
import { matchRoute } from "../../../../local/gateway/routes.ts";
import { apiId, region, routes, service } from "../../../support/gateway-fixture.ts";

const received: ReceivedRequest = {
  method: "POST",
  rawPath: "/v1/scopes/sales/token",
  rawQuery: "",
  headers: [
    ["Host", "127.0.0.1:4180"],
    ["authorization", "AWS4-HMAC-SHA256 …"],
    ["X-Amz-Security-Token", "token"],
    ["User-Agent", "client/1"],
    ["Content-Length", "2"],
    ["Connection", "keep-alive"],
  ],
  body: Buffer.from("{}"),
  sourceIp: "127.0.0.1",
  protocol: "HTTP/1.1",
};

function build(change: Partial<ReceivedRequest> = {}) {
  const request = { ...received, ...change };
  const path = request.rawPath.slice(3);
  const match = matchRoute(routes, request.method, path);
  if (match === undefined) throw new Error("no route");
  return buildEvent(request, {
    match,
    path,
    principal: match.route.authorization === "AWS_IAM" ? service : undefined,
    partition: "aws",
    region,
    accountId: "111122223333",
    apiId,
    stage: "v1",
    requestId: "request-id",
    extendedRequestId: "extended=",
    trace: "Root=1-x-y",
    now: new Date("2026-03-01T02:03:04.567Z"),
  });
}

test("has all documented fields, and no more", () => {
  const headers = {
    Host: "127.0.0.1:4180",
    "X-Amz-Security-Token": "token",
    "User-Agent": "client/1",
    "X-Amzn-Trace-Id": "Root=1-x-y",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
  };
  expect(build()).toEqual({
    resource: "/scopes/{scope}/token",
    path: "/scopes/sales/token",
    httpMethod: "POST",
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: { scope: "sales" },
    stageVariables: null,
    requestContext: {
      resourceId: "id21POST",
      resourcePath: "/scopes/{scope}/token",
      httpMethod: "POST",
      extendedRequestId: "extended=",
      requestTime: "01/Mar/2026:02:03:04 +0000",
      path: "/v1/scopes/sales/token",
      accountId: "111122223333",
      protocol: "HTTP/1.1",
      stage: "v1",
      domainPrefix: apiId,
      requestTimeEpoch: 1772330584567,
      requestId: "request-id",
      identity: {
        cognitoIdentityPoolId: null,
        accountId: "444455556666",
        cognitoIdentityId: null,
        caller: "AROAREPORTSERVICE000:local",
        sourceIp: "127.0.0.1",
        principalOrgId: "o-abc123",
        accessKey: service.accessKeyId,
        cognitoAuthenticationType: null,
        cognitoAuthenticationProvider: null,
        userArn: service.userArn,
        userAgent: "client/1",
        user: "AROAREPORTSERVICE000:local",
        apiKey: null,
        apiKeyId: null,
        clientCert: null,
      },
      domainName: `${apiId}.execute-api.eu-west-1.amazonaws.com`,
      deploymentId: "local0",
      apiId,
    },
    body: "{}",
    isBase64Encoded: false,
  });
});

test("without a body the body is null", () => {
  expect(build({ body: new Uint8Array() })?.body).toBeNull();
});

test("headers of the connection, and those that AWS was seen to leave behind, are not in the event", () => {
  const left = [
    "Connection",
    "Content-Length",
    "Content-MD5",
    "Expect",
    "Max-Forwards",
    "Proxy-Authenticate",
  ];
  left.push("Server", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "WWW-Authenticate");
  const passed = ["Accept", "Date", "Range", "Via", "Warn"];
  const event = build({ headers: [...left, ...passed].map((name) => [name, "x"] as const) });
  const names = Object.keys(event?.headers ?? {}).filter((name) => !/^X-/.test(name));
  expect(names).toEqual(passed);
});

test("of several values all are kept, the last one also by itself", () => {
  const event = build({
    rawQuery: "a=1&b=x+y%20z&a=2&flag&__proto__=p",
    headers: [
      ["X-Tag", "one"],
      ["x-tag", "two"],
    ],
  });
  expect(event?.multiValueHeaders["X-Tag"]).toEqual(["one", "two"]);
  expect(event?.headers["X-Tag"]).toBe("two");
  expect(JSON.stringify(event?.queryStringParameters)).toBe(
    '{"a":"2","b":"x y z","flag":"","__proto__":"p"}',
  );
  expect(event?.multiValueQueryStringParameters?.a).toEqual(["1", "2"]);
});

test("a query that does not decode is no event", () => {
  expect(build({ rawQuery: "a=%ff" })).toBeUndefined();
});

test("without authorization there is no identity, and the header is passed on", () => {
  const event = build({ method: "GET", rawPath: "/v1/health" });
  expect(event?.requestContext.identity).toMatchObject({
    userArn: null,
    caller: null,
    accountId: null,
    accessKey: null,
  });
  expect(event?.headers.authorization).toBe("AWS4-HMAC-SHA256 …");
  expect(event?.pathParameters).toBeNull();
});

describe("a client cannot forge", () => {
  const forged = build({
    headers: [
      ["x-amzn-trace-id", "Root=forged"],
      ["X-FORWARDED-FOR", "10.9.8.7"],
      ["x-forwarded-proto", "gopher"],
      ["X-Forwarded-Port", "1"],
      ["requestContext", "forged"],
      ["Host", "forged.execute-api.eu-west-1.amazonaws.com"],
    ],
    rawQuery: "requestContext=forged&identity.caller=AROAFORGED",
    body: Buffer.from('{"requestContext":{"identity":{"caller":"AROAFORGED"}}}'),
  });
  test("the request's context", () => {
    expect(JSON.stringify(forged?.requestContext)).not.toMatch(/forged/i);
    expect(forged?.requestContext.identity).toEqual({ ...build()?.requestContext.identity, userAgent: null });
  });
  test("the headers of the gateway, and of X-Forwarded-For only what stands before the last address", () => {
    expect(forged?.headers).toEqual({
      requestContext: "forged",
      Host: "forged.execute-api.eu-west-1.amazonaws.com",
      "X-Amzn-Trace-Id": "Root=1-x-y",
      "X-Forwarded-For": "10.9.8.7, 127.0.0.1",
      "X-Forwarded-Port": "443",
      "X-Forwarded-Proto": "https",
    });
  });
});
