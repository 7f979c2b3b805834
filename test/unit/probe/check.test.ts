import { expect, test } from "vitest";
import { noFurther, refused, runCheck } from "../../../probe/check.ts";
import { type Answer, depthOf, describeAnswer } from "../../../probe/request.ts";

const gateway = (status: number, errorType: string, message = ""): Answer => ({
  status,
  headers: { "content-type": "application/json", "x-amzn-errortype": errorType },
  json: { message },
});
const broker = (status: number, code: string): Answer => ({
  status,
  headers: { "content-type": "application/problem+json" },
  json: { code },
});
const ok: Answer = { status: 200, headers: { "content-type": "application/json" }, json: {} };
const silence: Answer = { status: 0, failure: "ECONNRESET", headers: {}, json: {} };

test.each<[string, Answer, string]>([
  ["API Gateway's 403", gateway(403, "AccessDeniedException"), "refused by API Gateway"],
  ["a problem of API Gateway's making", { ...broker(403, "x"), json: {} }, "refused by API Gateway"],
  ["not_allowed", broker(403, "not_allowed"), "refused by the broker"],
  ["a 400 of the broker, which comes after both locks", broker(400, "bad_request"), "let in"],
  ["a frozen scope, of which only its callers are told", broker(403, "scope_frozen"), "let in"],
  ["a 202", { ...ok, status: 202 }, "let in"],
  ["a 500", broker(500, "internal"), "failed"],
  ["no answer", silence, "failed"],
])("%s: how far the request came", (_, answer, depth) => {
  expect(depthOf(answer)).toBe(depth);
});

test("a message is never told: API Gateway's may repeat the session token", () => {
  const answer = gateway(403, "InvalidSignatureException", "x-amz-security-token:SESSION-TOKEN");
  expect(describeAnswer(answer)).toBe("403 InvalidSignature (API Gateway)");
  expect(describeAnswer({ ...answer, headers: { "x-amzn-errortype": "SESSION TOKEN" } })).toBe("403");
});

test.each<[string, Answer, Answer, string | undefined]>([
  ["as far", gateway(403, "AccessDeniedException"), gateway(403, "AccessDeniedException"), undefined],
  ["less far", gateway(403, "AccessDeniedException"), ok, undefined],
  [
    "further",
    broker(400, "bad_request"),
    broker(403, "not_allowed"),
    "let in, the plain path is refused by the broker",
  ],
  ["into a failure", broker(500, "internal"), ok, ""],
  ["beside a failure", gateway(403, "AccessDeniedException"), silence, ""],
])("an odd path that comes %s", (_, odd, plain, surprise) => {
  expect(noFurther.surprise(odd, plain)).toBe(surprise);
});

test.each<[string, Answer, string | undefined]>([
  ["by API Gateway", gateway(403, "AccessDeniedException"), undefined],
  ["by the broker", broker(403, "not_allowed"), undefined],
  ["with another status", gateway(404, "NotFoundException"), ""],
  ["after both locks", broker(403, "scope_frozen"), "let in"],
])("a refusal %s", (_, answer, surprise) => {
  expect(refused.surprise(answer, answer)).toBe(surprise);
});

test("what is compared is asked first, and told where it differs", async () => {
  const asked: string[] = [];
  const result = await runCheck(
    async ({ path }) => {
      asked.push(path);
      return path === "/odd" ? broker(400, "bad_request") : broker(403, "not_allowed");
    },
    {
      what: "an odd path",
      request: { method: "GET", path: "/odd" },
      baseline: { method: "GET", path: "/plain" },
      expect: noFurther,
    },
  );
  expect(asked).toEqual(["/plain", "/odd"]);
  expect(result).toEqual({
    what: "an odd path",
    expected: "no further than the plain path",
    seen: "400 bad_request (broker), beside 403 not_allowed (broker): let in, the plain path is refused by the broker",
    outcome: "surprise",
  });
});
