import { expect, test } from "vitest";
import { accessLogLine, type LoggedRequest } from "../../../../local/gateway/access-log.ts";
import { startTestGateway } from "../../../support/gateway-fixture.ts";

const throttled: LoggedRequest = {
  at: new Date("2026-11-24T13:00:00.000Z"),
  requestId: "11111111-2222-3333-4444-555555555555",
  trace: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=7fa8c0f79203be72;Sampled=1",
  method: "GET",
  path: "/v1/scopes",
  sourceIp: "192.0.2.10",
  status: 429,
  latencyMs: 2,
  responseType: "THROTTLED",
};
const served: LoggedRequest = {
  ...throttled,
  status: 200,
  responseType: undefined,
  resource: "/scopes",
  principal: {
    caller: "AROAREPORTSERVICE000:local",
    userArn: "arn:aws:sts::111122223333:assumed-role/r/local",
  },
  integration: { latencyMs: 1, status: 200 },
};

test("a line has the request's values, and a hyphen for each that there is not", () => {
  const format =
    "$context.requestTime $context.xrayTraceId $context.httpMethod $context.resourcePath $context.status " +
    "$context.identity.caller $context.integration.status $context.identity.vpceId $context.error.responseType";
  const begin = "24/Nov/2026:13:00:00 +0000 1-5759e988-bd862e3fe1be46a994272793 GET";
  expect(accessLogLine(format, throttled)).toBe(`${begin} - 429 - - - THROTTLED`);
  expect(accessLogLine(format, served)).toBe(`${begin} /scopes 200 AROAREPORTSERVICE000:local 200 - -`);
});

test("a caller's text ends no string of a line in JSON", () => {
  const path = '/v1/","error":"THROTTLED';
  const format = JSON.stringify({ path: "$context.path", error: "$context.error.responseType" });
  expect(JSON.parse(accessLogLine(format, { ...served, path }))).toEqual({ path, error: "-" });
});

test("a variable that is not known here is an error at the start", async () => {
  const accessLog = { format: "$context.requestId $context.wafStatus", write: () => {} };
  await expect(startTestGateway(undefined, { accessLog })).rejects.toThrow(/\$context\.wafStatus is not/);
});
