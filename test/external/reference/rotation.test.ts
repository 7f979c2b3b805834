/**
 * The steps of a rotation in AWS's event form, by the real function against moto's versions and stages. moto begins a rotation
 * and invokes nothing, so the test does: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { authorizeCalls } from "../../../local/aws/authorize.ts";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";
import { ignoring } from "../../../local/aws/ignoring.ts";
import type { RotationStep } from "../../../local/aws/rotation-steps.ts";
import { leaksIn, records, type Stand, startStand } from "../../support/broker-stand.ts";
import { type RunningMoto, startMoto } from "./moto.ts";

const rotated = "looker/sales";
const scopesFile = fileURLToPath(new URL("../../end-to-end/rotation/scopes.ts", import.meta.url));

let moto: RunningMoto;
let stand: Stand;
let secrets: SecretsManagerClient;
let functionId: string;
let functionArn: string;

beforeAll(async () => {
  moto = await startMoto();
  stand = await startStand({
    scopesFile,
    rotates: true,
    externalEngines: { secretsmanager: moto.url },
    // By action alone: the ARNs of moto's secrets have moto's own account, and the policies name the broker's.
    authorize: ({ roles }) => authorizeCalls(roles, ""),
  });
  const { region, stack } = stand.broker;
  secrets = new SecretsManagerClient({ region, endpoint: moto.url, credentials: ENGINE_CREDENTIAL });
  functionArn = stack.rotations[0]?.functionArn ?? "";
  functionId = stack.functions.find(({ arn }) => arn === functionArn)?.id ?? "";
}, 120_000);
afterAll(async () => {
  secrets?.destroy();
  await stand?.stop();
  await moto?.close();
});
// The SDK writes a console.debug on each request that takes this for a problem with TLS.
beforeEach(() => void vi.spyOn(console, "debug").mockImplementation(() => {}));
afterEach(() => {
  vi.restoreAllMocks();
  expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0);
});

/** Begins a rotation with a pending version that has no value. */
async function begin(RotationLambdaARN = functionArn): Promise<string> {
  const ClientRequestToken = randomUUID();
  await secrets
    .send(
      new RotateSecretCommand({
        ...{ SecretId: rotated, ClientRequestToken, RotationLambdaARN },
        RotationRules: { AutomaticallyAfterDays: 30 },
      }),
    )
    .catch(ignoring("ResourceNotFoundException"));
  return ClientRequestToken;
}

const described = () => secrets.send(new DescribeSecretCommand({ SecretId: rotated }));

async function valueAt(VersionStage: string) {
  const { SecretString = "" } = await secrets.send(
    new GetSecretValueCommand({ SecretId: rotated, VersionStage }),
  );
  const value = JSON.parse(SecretString) as { client_id: string; client_secret: string };
  stand.secrets.add(value.client_secret);
  return value;
}

async function step(Step: RotationStep, ClientRequestToken: string) {
  const { ARN: SecretId } = await described();
  const event = { Step, SecretId, ClientRequestToken, RotationToken: randomUUID() };
  return await stand.broker.invoke(functionId, event);
}

const answered = { kind: "answer" };
const lastReason = () => records(stand.broker).findLast(({ kind }) => kind === "rotation")?.reason;

test("AWS's test of a new schedule passes on a pending version without a value, and makes no pair", async () => {
  const version = await begin();
  const pairs = stand.looker.control.pairs();
  expect(await step("testSecret", version)).toMatchObject(answered);
  expect(stand.looker.control.pairs()).toEqual(pairs);
  await expect(valueAt("AWSPENDING")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("an event with an unknown version is refused", async () => {
  expect(await step("createSecret", randomUUID())).toMatchObject({ kind: "function_error" });
  expect(lastReason()).toBe("unknown_version");
});

test("an event for a secret with another rotation function is refused", async () => {
  const another = functionArn.replace(/[^:]+$/, "another-function");
  const version = await begin(another);
  expect(await step("createSecret", version)).toMatchObject({ kind: "function_error" });
  expect(lastReason()).toBe("foreign_function");
});

test("the four steps, each of them twice, move the stages to a new pair of the account", async () => {
  const { control } = stand.looker;
  const old = await valueAt("AWSCURRENT");
  const { VersionIdsToStages: before = {} } = await described();
  const [first = ""] = Object.entries(before).find(([, stages]) => stages.includes("AWSCURRENT")) ?? [];
  const userOf = (id: string) => control.pairs().find(({ clientId }) => clientId === id)?.userId;
  const version = await begin();

  for (const _ of ["first", "repeated"]) expect(await step("createSecret", version)).toMatchObject(answered);
  const fresh = await valueAt("AWSPENDING");
  expect(await valueAt("AWSCURRENT")).toEqual(old);
  expect(fresh.client_id).not.toBe(old.client_id);
  expect(userOf(fresh.client_id)).toBe(userOf(old.client_id));
  const { ARN = "" } = await described();
  expect(control.pairs().find(({ clientId }) => clientId === fresh.client_id)?.purpose).toBe(
    `looker-token-broker ${stand.broker.environmentOf(functionId).BROKER_NAME} ${ARN} ${version}`,
  );

  for (const Step of ["setSecret", "testSecret", "finishSecret"] as const)
    for (const _ of ["first", "repeated"]) expect(await step(Step, version)).toMatchObject(answered);
  expect(await valueAt("AWSCURRENT")).toEqual(fresh);
  expect(await valueAt("AWSPREVIOUS")).toEqual(old);
  const { VersionIdsToStages = {} } = await described();
  expect(VersionIdsToStages[version]).toContain("AWSCURRENT");
  expect(VersionIdsToStages[first]).toEqual(["AWSPREVIOUS"]);

  const events = stand.looker.ledger().map(({ event }) => event);
  expect(events.filter((event) => event === "pair_created")).toHaveLength(1);
  // Not by the broker: it names no stage, and moto then reads another version.
  const login = await fetch(`${stand.broker.lookerUrl}/api/4.0/login`, {
    method: "POST",
    body: new URLSearchParams(fresh),
  });
  expect(login.status).toBe(200);
});
