/** Rotation as Secrets Manager does it. local/aws/README.md has the sources. */
import { randomUUID } from "node:crypto";
import {
  CancelRotateSecretCommand,
  DescribeSecretCommand,
  ListSecretVersionIdsCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";
import type { RotationEvent } from "../../../local/aws/rotation-steps.ts";
import { type RunningSecretsManager, startSecretsManager } from "../../../local/aws/secrets-manager.ts";
import { ACCOUNT, errorOf, REGION } from "../../support/contracts/aws-under-test.ts";
import { secretsOf } from "../../support/contracts/secrets-manager.ts";
import { rotateAsTemplate } from "../../support/rotation-function/template-steps.ts";

const FUNCTION = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:rotate`;
const DAY_SECONDS = 86_400;
const ALL_STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"];
const NOT_COMPLETE = "A previous rotation isn't complete. That rotation will be reattempted.";

let manager: RunningSecretsManager;
let client: SecretsManagerClient;
let secrets: ReturnType<typeof secretsOf>;
let rotations: RunningSecretsManager["rotations"];
/** The function's events so far. */
let events: RotationEvent[];
/** The function's work. It fails by throwing. */
let work: (event: RotationEvent) => Promise<unknown>;

/** A Secrets Manager for each test: its clock moves for all secrets. */
beforeEach(async () => {
  manager = await startSecretsManager({ region: REGION, accountId: ACCOUNT });
  client = new SecretsManagerClient({
    endpoint: manager.url,
    region: REGION,
    credentials: ENGINE_CREDENTIAL,
    maxAttempts: 1,
  });
  secrets = secretsOf(client);
  rotations = manager.rotations;
  events = [];
  work = (event) => rotateAsTemplate(client, event);
  rotations.connect({
    permits: () => true,
    async invoke(_, event) {
      events.push(event);
      return work(event).then(
        () => true,
        () => false,
      );
    },
  });
});
afterEach(async () => {
  client.destroy();
  await manager.close();
});

const rotate = (SecretId: string, more: object = {}) =>
  client.send(
    new RotateSecretCommand({
      SecretId,
      RotationLambdaARN: FUNCTION,
      RotationRules: { AutomaticallyAfterDays: 30 },
      ...more,
    }),
  );
const rules = (RotationRules: object) => ({ RotationRules });
const describeSecret = (SecretId: string) => client.send(new DescribeSecretCommand({ SecretId }));
const cancel = (SecretId: string) => client.send(new CancelRotateSecretCommand({ SecretId }));
const steps = () => events.map(({ Step }) => Step);

async function later(seconds: number): Promise<void> {
  rotations.moveClock(seconds);
  await rotations.runDue();
}

/** Holds a step until it is told to go on. */
function holdAt(step: string) {
  const [reached, released] = [Promise.withResolvers<RotationEvent>(), Promise.withResolvers<void>()];
  const before = work;
  work = async (event) => {
    if (event.Step !== step) return before(event);
    reached.resolve(event);
    await released.promise;
    return before(event);
  };
  return { reached: reached.promise, goOn: () => released.resolve() };
}

const failAt = (step: string) => {
  const before = work;
  work = async (event) => {
    if (event.Step === step) throw new Error("failed");
    return before(event);
  };
};

describe("a rotation", () => {
  it("is answered at once, and takes four steps one after the other", async () => {
    const { ARN, Name, VersionId: first } = await secrets.create();
    const held = holdAt("createSecret");
    const { VersionId: second = "", ...answer } = await rotate(Name);
    expect(answer).toMatchObject({ ARN, Name });
    await held.reached;
    expect(steps()).toEqual(["createSecret"]);
    held.goOn();
    await rotations.settled();
    expect(events).toEqual(
      ALL_STEPS.map((Step) => ({
        Step,
        SecretId: ARN,
        ClientRequestToken: second,
        RotationToken: events[0]?.RotationToken,
      })),
    );
    expect(events[0]?.RotationToken).toMatch(/^[a-zA-Z0-9-]{36,256}$/);
    // AWSPENDING is gone, though the function has left it.
    expect((await describeSecret(Name)).VersionIdsToStages).toEqual({
      [first]: ["AWSPREVIOUS"],
      [second]: ["AWSCURRENT"],
    });
    expect((await secrets.read(Name)).SecretString).toBe(`of ${second}`);
  });

  it("shows in DescribeSecret before, while and after it runs", async () => {
    const { Name } = await secrets.create();
    expect(Object.keys(await describeSecret(Name)).filter((field) => /Rotat/.test(field))).toEqual([]);
    const held = holdAt("createSecret");
    await rotate(Name);
    await held.reached;
    const during = await describeSecret(Name);
    expect(during).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN: FUNCTION,
      RotationRules: { AutomaticallyAfterDays: 30 },
    });
    expect(during.LastRotatedDate).toBeUndefined();
    held.goOn();
    await rotations.settled();
    const after = await describeSecret(Name);
    expect(after.LastRotatedDate).toBeInstanceOf(Date);
    const [last = 0, next = 0] = [after.LastRotatedDate?.getTime(), after.NextRotationDate?.getTime()];
    // The end of a day in 30 days.
    expect(Math.floor((next - last) / 1000 / DAY_SECONDS)).toBe(30);
  });

  it("has a pending version without a value until the function puts one", async () => {
    const { Name, VersionId: first } = await secrets.create();
    const held = holdAt("createSecret");
    const { VersionId: second = "" } = await rotate(Name);
    await held.reached;
    expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [second]: ["AWSPENDING"] });
    const pending = { VersionStage: "AWSPENDING" };
    for (const [by, words] of [
      [pending, "staging label: AWSPENDING"],
      [{ ...pending, VersionId: second }, `VersionId: ${second}`],
    ] as const) {
      const error = await errorOf(secrets.read(Name, by));
      expect([error.name, error.message]).toEqual([
        "ResourceNotFoundException",
        `Secrets Manager can't find the specified secret value for ${words}`,
      ]);
    }
    const all = new ListSecretVersionIdsCommand({ SecretId: Name, IncludeDeprecated: true });
    expect((await client.send(all)).Versions?.map(({ VersionId }) => VersionId)).toEqual([first]);
    const error = await errorOf(secrets.move(Name, "AWSCURRENT", first, second));
    expect(error.name).toBe("ResourceNotFoundException");
    held.goOn();
    await rotations.settled();
  });

  it("refuses a second value for its version", async () => {
    const { Name } = await secrets.create();
    const held = holdAt("testSecret");
    const { VersionId = "" } = await rotate(Name);
    await held.reached;
    const put = (value: string) =>
      secrets.write(Name, value, { ClientRequestToken: VersionId, VersionStages: ["AWSPENDING"] });
    expect((await errorOf(put("another"))).name).toBe("ResourceExistsException");
    expect((await put(`of ${VersionId}`)).VersionStages).toEqual(["AWSPENDING"]);
    held.goOn();
    await rotations.settled();
  });

  it("is begun once while it runs: again with its own token, refused with another", async () => {
    const { Name, VersionId: first } = await secrets.create();
    const token = randomUUID();
    const held = holdAt("setSecret");
    await rotate(Name, { ClientRequestToken: token });
    await held.reached;
    expect((await rotate(Name, { ClientRequestToken: token })).VersionId).toBe(token);
    const error = await errorOf(rotate(Name, { RotationRules: { AutomaticallyAfterDays: 7 } }));
    expect([error.name, error.message]).toEqual(["InvalidRequestException", NOT_COMPLETE]);
    expect((await describeSecret(Name)).RotationRules).toEqual({ AutomaticallyAfterDays: 30 });
    held.goOn();
    await rotations.settled();
    expect(steps()).toEqual(ALL_STEPS);
    expect(Object.keys(await secrets.stagesOf(Name)).sort()).toEqual([first, token].sort());
  });

  it("ends when another value is made current", async () => {
    const { Name, VersionId: first } = await secrets.create();
    const held = holdAt("setSecret");
    await rotate(Name);
    await held.reached;
    const { VersionId: pasted = "" } = await secrets.write(Name, "pasted");
    expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSPREVIOUS"], [pasted]: ["AWSCURRENT"] });
    held.goOn();
    await rotations.settled();
    expect(steps()).toEqual(["createSecret", "setSecret"]);
    await later(DAY_SECONDS);
    expect(events).toHaveLength(2);
    expect((await rotate(Name)).VersionId).toBeDefined();
    await rotations.settled();
  });

  it("uses the secret's settings", async () => {
    const { Name } = await secrets.create();
    await rotate(Name);
    await rotations.settled();
    const more = { RotationLambdaARN: undefined, RotationRules: undefined };
    const { VersionId } = await rotate(Name, more);
    await rotations.settled();
    expect(await describeSecret(Name)).toMatchObject({
      RotationLambdaARN: FUNCTION,
      RotationRules: { AutomaticallyAfterDays: 30 },
    });
    expect((await secrets.read(Name)).VersionId).toBe(VersionId);
  });
});

describe("a step that fails", () => {
  it("ends the attempt, and the whole rotation is tried again with the same version", async () => {
    const { Name, VersionId: first } = await secrets.create();
    failAt("testSecret");
    const { VersionId: second = "" } = await rotate(Name);
    await rotations.settled();
    expect(steps()).toEqual(["createSecret", "setSecret", "testSecret"]);
    expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [second]: ["AWSPENDING"] });
    expect((await errorOf(rotate(Name))).message).toBe(NOT_COMPLETE);
    await rotations.runDue();
    expect(events).toHaveLength(3);

    work = (event) => rotateAsTemplate(client, event);
    await later(60);
    expect(steps().slice(3)).toEqual(ALL_STEPS);
    expect(new Set(events.map(({ ClientRequestToken }) => ClientRequestToken))).toEqual(new Set([second]));
    expect((await secrets.read(Name)).SecretString).toBe(`of ${second}`);
  });

  it("leaves the date of the next rotation in the past, and is tried again in the next window", async () => {
    const { Name } = await secrets.create();
    await rotate(Name);
    await rotations.settled();
    const { NextRotationDate: due } = await describeSecret(Name);
    events = [];
    failAt("createSecret");
    await later(31 * DAY_SECONDS);
    for (let retry = 0; retry < 6; retry++) await later(3_600);
    expect(steps()).toEqual(Array(5).fill("createSecret"));
    await later(2 * DAY_SECONDS);
    expect(events).toHaveLength(5);
    expect((await describeSecret(Name)).NextRotationDate).toEqual(due);
    work = (event) => rotateAsTemplate(client, event);
    await later(30 * DAY_SECONDS);
    expect(steps().slice(5)).toEqual(ALL_STEPS);
    expect((await describeSecret(Name)).NextRotationDate?.getTime()).toBeGreaterThan(due?.getTime() ?? 0);
  });

  it("is followed by a try with another version, if the function gave its version up", async () => {
    const { Name, VersionId: first } = await secrets.create();
    work = async ({ ClientRequestToken: given }) => {
      await secrets.move(Name, "AWSPENDING", given);
      throw new Error("gave up");
    };
    const { VersionId: second } = await rotate(Name);
    await rotations.settled();
    expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"] });
    work = (event) => rotateAsTemplate(client, event);
    await later(60);
    expect(steps()).toEqual(["createSecret", ...ALL_STEPS]);
    expect(events.at(-1)?.ClientRequestToken).not.toBe(second);
    expect((await secrets.read(Name)).VersionId).toBe(events.at(-1)?.ClientRequestToken);
  });

  it("after the move of the label is tried again with the current version", async () => {
    const { Name, VersionId: first } = await secrets.create();
    work = async (event) => {
      await rotateAsTemplate(client, event);
      if (event.Step === "finishSecret") throw new Error("killed");
    };
    const { VersionId: second = "" } = await rotate(Name);
    await rotations.settled();
    expect((await describeSecret(Name)).LastRotatedDate).toBeUndefined();
    work = (event) => rotateAsTemplate(client, event);
    await later(60);
    expect(steps()).toEqual([...ALL_STEPS, ...ALL_STEPS]);
    expect((await describeSecret(Name)).LastRotatedDate).toBeInstanceOf(Date);
    expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSPREVIOUS"], [second]: ["AWSCURRENT"] });
  });

  it.each(["twice", "twice at once"] as const)("delivered %s is one step", async (delivery) => {
    const { Name } = await secrets.create();
    rotations.setDelivery(() => delivery);
    const { VersionId } = await rotate(Name);
    await rotations.settled();
    expect(steps()).toEqual(ALL_STEPS.flatMap((step) => [step, step]));
    expect((await secrets.read(Name)).VersionId).toBe(VersionId);
  });
});

describe("a rotation that is not immediate", () => {
  const nextTime = { RotateImmediately: false };

  it("runs testSecret alone, and removes its version", async () => {
    const { Name, VersionId: first } = await secrets.create();
    const held = holdAt("testSecret");
    const { VersionId: tested = "" } = await rotate(Name, nextTime);
    await held.reached;
    expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [tested]: ["AWSPENDING"] });
    expect((await errorOf(secrets.read(Name, { VersionId: tested }))).name).toBe("ResourceNotFoundException");
    held.goOn();
    await rotations.settled();
    expect(events).toMatchObject([{ Step: "testSecret", ClientRequestToken: tested }]);
    const { VersionIdsToStages, ...described } = await describeSecret(Name);
    expect(VersionIdsToStages).toEqual({ [first]: ["AWSCURRENT"] });
    expect(described).toMatchObject({ RotationEnabled: true, NextRotationDate: expect.any(Date) });
    expect(described.LastRotatedDate).toBeUndefined();
  });

  it("may give that version the current value", async () => {
    const { Name, VersionId: first } = await secrets.create("current");
    rotations.setTestHasValue(true);
    const held = holdAt("testSecret");
    await rotate(Name, nextTime);
    const { ClientRequestToken: VersionId } = await held.reached;
    expect((await secrets.read(Name, { VersionId })).SecretString).toBe("current");
    held.goOn();
    await rotations.settled();
    expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"] });
    expect((await errorOf(secrets.read(Name, { VersionId }))).name).toBe("ResourceNotFoundException");
  });

  it("rotates when its window opens, and counts a value put by hand", async () => {
    const { Name } = await secrets.create();
    await rotate(Name, nextTime);
    await rotations.settled();
    events = [];
    await later(20 * DAY_SECONDS);
    await secrets.write(Name, "by hand");
    await later(20 * DAY_SECONDS);
    expect(steps()).toEqual([]);
    await later(11 * DAY_SECONDS);
    expect(steps()).toEqual(ALL_STEPS);
    await cancel(Name);
  });
});

describe("a refusal", () => {
  it.each([
    ["no function", { RotationLambdaARN: undefined }, "InvalidRequestException"],
    ["rules of both kinds", rules({ AutomaticallyAfterDays: 1, ScheduleExpression: "rate(1 day)" })],
    ["rules without a schedule", rules({ Duration: "1h" })],
    ["a schedule of an hour", rules({ ScheduleExpression: "rate(1 hour)" })],
    ["a schedule of no form", rules({ ScheduleExpression: "daily" })],
    ["too many days", rules({ AutomaticallyAfterDays: 1001 })],
    ["a window without end", rules({ AutomaticallyAfterDays: 1, Duration: "25h" })],
  ])("of %s changes nothing", async (_, more, name = "InvalidParameterException") => {
    const { Name, VersionId } = await secrets.create();
    expect((await errorOf(rotate(Name, more))).name).toBe(name);
    expect(await describeSecret(Name)).not.toHaveProperty("RotationEnabled");
    expect(await secrets.stagesOf(Name)).toEqual({ [VersionId]: ["AWSCURRENT"] });
  });

  it("of a function without a permission for Secrets Manager has AWS's words", async () => {
    const { ARN, Name } = await secrets.create();
    const asked: string[] = [];
    rotations.connect({
      permits: (...named) => asked.push(...named) < 0,
      invoke: async () => expect.fail("is not to be invoked"),
    });
    const error = await errorOf(rotate(Name));
    expect([error.name, error.message]).toEqual([
      "AccessDeniedException",
      "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
    ]);
    expect(asked).toEqual([FUNCTION, ARN]);
    expect(await describeSecret(Name)).not.toHaveProperty("RotationEnabled");
  });

  it("of a request without a token has AWS's words", async () => {
    const { Name } = await secrets.create();
    for (const [operation, type] of [
      ["RotateSecret", "InvalidParameterException"],
      ["PutSecretValue", "InvalidRequestException"],
    ] as const) {
      // The SDK always sends a token.
      const answer = await fetch(manager.url, {
        method: "POST",
        headers: { "x-amz-target": `secretsmanager.${operation}` },
        body: JSON.stringify({ SecretId: Name, SecretString: "x" }),
      });
      expect(await answer.json()).toEqual({
        __type: type,
        Message: "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
      });
    }
  });
});

describe("a cancellation", () => {
  it("lets the step under way end. AWSPENDING stays and blocks the next rotation", async () => {
    const { Name, VersionId: first } = await secrets.create();
    const held = holdAt("setSecret");
    const { VersionId: second = "" } = await rotate(Name);
    await held.reached;
    expect((await cancel(Name)).VersionId).toBe(second);
    held.goOn();
    await rotations.settled();
    await later(DAY_SECONDS);
    expect(steps()).toEqual(["createSecret", "setSecret"]);
    const described = await describeSecret(Name);
    expect(described).toMatchObject({ RotationEnabled: false, RotationLambdaARN: FUNCTION });
    expect(described.NextRotationDate).toBeUndefined();
    expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [second]: ["AWSPENDING"] });
    expect((await errorOf(rotate(Name))).message).toBe(NOT_COMPLETE);

    await secrets.move(Name, "AWSPENDING", second);
    expect((await cancel(Name)).VersionId).toBeUndefined();
    await rotate(Name);
    await rotations.settled();
    expect((await describeSecret(Name)).RotationEnabled).toBe(true);
    expect(steps().slice(2)).toEqual(ALL_STEPS);
  });

  it("of a secret without rotation is refused", async () => {
    const { Name } = await secrets.create();
    expect((await errorOf(cancel(Name))).name).toBe("InvalidRequestException");
  });
});
