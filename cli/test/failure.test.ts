import { TokenBrokerError, type TokenBrokerErrorCode } from "@looker-token-broker/client/broker";
import { expect, test } from "vitest";
import { exitCodeOfError } from "../src/exit-codes.ts";
import { failureJson, failureLine, failureOf } from "../src/failure.ts";
import { LostAnswer } from "../src/lost-answer.ts";
import { UsageError } from "../src/usage-error.ts";

const plain = (_: string, text: string) => text;
const codes = Object.keys(exitCodeOfError) as TokenBrokerErrorCode[];

test.each(codes)("%s has an exit code of its kind, and takes one line", (code) => {
  const failure = failureOf(new TokenBrokerError(code, "It is so.\nReally."));
  expect([2, 3, 4, 130]).toContain(failure.exitCode);
  expect(failureLine(failure, plain)).toMatch(/^looker-token: It is so\. Really\..*\n$/);
});

test.each([
  ["bad_request", 2],
  ["no_endpoint", 2],
  ["not_allowed", 3],
  ["scope_frozen", 3],
  ["access_denied", 3],
  ["no_credentials", 3],
  ["clock_skew", 3],
  ["no_such_route", 2],
  ["wrong_region", 2],
  ["sudo_unsupported", 2],
  ["busy", 4],
  ["unreachable", 4],
  ["not_a_broker", 4],
  ["looker_rejected_credentials", 4],
  ["aborted", 130],
] as const)("%s exits with %d", (code, exitCode) => {
  expect(failureOf(new TokenBrokerError(code, "x")).exitCode).toBe(exitCode);
});

test("a lost answer is not certain: 5, and the message says so before what happened", () => {
  const lost = new LostAnswer(new TokenBrokerError("timed_out", "No answer within 30 s."));
  expect(failureOf(lost)).toMatchObject({
    exitCode: 5,
    code: "timed_out",
    message: "The broker's answer was lost. It may have been done all the same. No answer within 30 s.",
  });
  expect(failureOf(new LostAnswer(new TokenBrokerError("aborted", "x"))).exitCode).toBe(130);
});

test("a refusal of IAM has three causes (no such scope, no Allow, a Deny), and the hint names all", () => {
  const { hint } = failureOf(new TokenBrokerError("access_denied", "x"));
  expect(hint).toMatch(/scope's name.*must allow execute-api:Invoke.*no policy may deny/);
});

test("JSON has the code, the hint, the status and the request id", () => {
  const error = new TokenBrokerError("internal", "Internal error.", { status: 500, requestId: "r-1" });
  expect(JSON.parse(failureJson(failureOf(error)))).toEqual({
    error: {
      code: "internal",
      message: "Internal error.",
      hint: "Give the request id to the broker's operators, because it finds the record.",
      status: 500,
      request_id: "r-1",
    },
  });
});

test("an internal error shows the request id that its hint speaks of", () => {
  const error = new TokenBrokerError("internal", "Internal error.", { requestId: "r-1" });
  expect(failureLine(failureOf(error), plain)).toMatch(/Request id: r-1\.\n$/);
});

test("wrong usage exits with 2, a defect with 1, and neither shows a stack", () => {
  expect(failureOf(new UsageError("So not."))).toEqual({ exitCode: 2, code: "usage", message: "So not." });
  expect(failureOf(new RangeError("off by one"))).toEqual({
    exitCode: 1,
    code: "defect",
    message: "off by one",
  });
});
