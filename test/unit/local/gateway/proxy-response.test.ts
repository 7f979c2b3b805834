import { describe, expect, test } from "vitest";
import { readProxyResponse } from "../../../../local/gateway/proxy-response.ts";

test("status, headers and body are passed on", () => {
  expect(
    readProxyResponse({
      statusCode: 202,
      headers: { "Cache-Control": "no-store" },
      body: "{}",
      isBase64Encoded: false,
    }),
  ).toEqual({
    status: 202,
    headers: [
      ["Content-Type", "application/json"],
      ["Cache-Control", "no-store"],
    ],
    body: "{}",
  });
});

test.each([
  ["without a status is 200", { headers: { "X-A": "1" } }, 200],
  ["with its status in text has that status", { statusCode: "201" }, 201],
])("an answer %s", (_, payload, status) => {
  expect(readProxyResponse(payload)).toMatchObject({ status, body: "" });
});

test("headers of null are none", () => {
  expect(readProxyResponse({ statusCode: 200, headers: null, multiValueHeaders: null })).toMatchObject({
    status: 200,
    headers: [["Content-Type", "application/json"]],
  });
});

test("a content type of its own is kept", () => {
  const { headers } = readProxyResponse({
    statusCode: 400,
    headers: { "content-type": "application/problem+json" },
  });
  expect(headers).toEqual([["content-type", "application/problem+json"]]);
});

test("a pair in both header maps appears once", () => {
  const { headers } = readProxyResponse({
    statusCode: 200,
    headers: { "Content-Type": "text/plain", "X-A": "1", "X-B": "3" },
    multiValueHeaders: { "x-a": ["1", "2"] },
  });
  expect(headers.filter(([name]) => name !== "Content-Type")).toEqual([
    ["x-a", "1"],
    ["x-a", "2"],
    ["X-B", "3"],
  ]);
});

test("headers of the connection are remapped or dropped, and the gateway's own are dropped", () => {
  const { headers } = readProxyResponse({
    statusCode: 200,
    headers: {
      "Transfer-Encoding": "chunked",
      Date: "x",
      "Content-Length": "1",
      "WWW-Authenticate": "Basic",
      "x-amzn-RequestId": "forged",
      "x-amz-apigw-id": "forged",
    },
  });
  expect(headers.map(([name]) => name)).toEqual([
    "Content-Type",
    "x-amzn-Remapped-Date",
    "x-amzn-Remapped-Content-Length",
    "x-amzn-Remapped-WWW-Authenticate",
    "x-amzn-Remapped-x-amzn-RequestId",
  ]);
});

test("TE, Via and Warn are passed on, as AWS was seen to do", () => {
  const { headers } = readProxyResponse({
    statusCode: 200,
    headers: { "Content-Type": "text/plain", TE: "trailers", Via: "1.1 a", Warn: "299 a" },
  });
  expect(headers.map(([name]) => name)).toEqual(["Content-Type", "TE", "Via", "Warn"]);
});

describe("502 for", () => {
  test.each<[string, unknown]>([
    ["null", null],
    ["text", "ok"],
    ["an array", []],
    ["nothing at all", {}],
    ["a status of letters", { statusCode: "test" }],
    ["no status but null", { statusCode: null }],
    ["a broken status", { statusCode: 200.5 }],
    ["an impossible status", { statusCode: 42 }],
    ["a body that is an object", { statusCode: 200, body: {} }],
    ["an unknown field", { statusCode: 200, header: {} }],
    ["a header that is a number", { statusCode: 200, headers: { "Retry-After": 1 } }],
    ["headers in an array", { statusCode: 200, headers: ["a"] }],
    ["many values that are none", { statusCode: 200, multiValueHeaders: { a: "1" } }],
    [
      "a line break in a header (response splitting)",
      { statusCode: 200, headers: { a: "1\r\nset-cookie: x" } },
    ],
    ["a header name with a space", { statusCode: 200, headers: { "a b": "1" } }],
    ["isBase64Encoded as text", { statusCode: 200, isBase64Encoded: "true" }],
  ])("%s", (_, payload) => {
    expect(readProxyResponse(payload)).toMatchObject({
      status: 502,
      body: '{"message": "Internal server error"}',
    });
  });
});
