import { describe, expect, it } from "vitest";
import { readRotationEvent, unqualifiedArn } from "../../../../functions/http/rotation-event.ts";

const event = {
  Step: "createSecret",
  SecretId: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:looker/sales-AbCdEf",
  ClientRequestToken: "5a3c1b0e-0000-4000-8000-000000000000",
};

describe("an event", () => {
  it("of Secrets Manager is a step", () => {
    expect(readRotationEvent({ ...event, RotationToken: "token" })).toEqual({
      ...{ step: "createSecret", secretId: event.SecretId, versionId: event.ClientRequestToken },
      rotationToken: "token",
    });
  });

  it("of the schedule is none", () => {
    expect(readRotationEvent({})).toBeUndefined();
    expect(readRotationEvent({ source: "aws.scheduler" })).toBeUndefined();
  });

  it.each<[string, object]>([
    ["another step", { Step: "deleteSecret" }],
    ["a step that is no text", { Step: ["createSecret"] }],
    ["no secret", { SecretId: "" }],
    ["a secret that is no text", { SecretId: { $ne: "" } }],
    ["a version that would not be one", { ClientRequestToken: "short" }],
    ["a version with a line feed", { ClientRequestToken: `${event.ClientRequestToken}\n` }],
  ])("with %s is refused", (_, more) => {
    expect(() => readRotationEvent({ ...event, ...more })).toThrow(/^bad_event: /);
  });
});

it("a function's ARN is compared without its alias", () => {
  const functionArn = "arn:aws:lambda:eu-west-1:111122223333:function:rotate";
  expect(unqualifiedArn(`${functionArn}:live`)).toBe(functionArn);
  expect(unqualifiedArn(functionArn)).toBe(functionArn);
});
