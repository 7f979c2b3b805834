import { randomUUID } from "node:crypto";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCOUNT, errorOf, REGION, type Stand, startStand } from "../../support/aws-stand.ts";
import { secretsManagerContract, secretsOf } from "../../support/contracts/secrets-manager.ts";

secretsManagerContract("the stand-in", async () => {
  const rotating = await startStand();
  rotating.secretsmanager.rotations.connect({ permits: () => true, invoke: async () => false });
  return rotating;
});

let stand: Stand;
let client: SecretsManagerClient;
let secrets: ReturnType<typeof secretsOf>;
beforeAll(async () => {
  stand = await startStand();
  client = stand.secretsClient();
  secrets = secretsOf(client);
});
afterAll(() => stand.close());

// As documented of AWS, in what moto differs: https://github.com/getmoto/moto/blob/5.2.5/moto/secretsmanager/
describe("beyond what moto does", () => {
  // moto answers 404. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
  it("every refusal is a 400", async () => {
    const { Name, VersionId } = await secrets.create();
    for (const attempt of [
      () => secrets.read(`${Name}x`),
      () => secrets.read(Name, { VersionStage: "AWSPENDING" }),
      () => secrets.read(Name, { VersionId, VersionStage: "AWSPENDING" }),
    ])
      expect((await errorOf(attempt())).$metadata.httpStatusCode).toBe(400);
  });

  // moto says that it cannot find the secret.
  it("a label that no version has is named", async () => {
    const { Name } = await secrets.create();
    expect((await errorOf(secrets.read(Name, { VersionStage: "AWSPENDING" }))).message).toBe(
      "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
    );
  });

  // moto finds it. https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
  it("a secret whose name ends in a hyphen and six characters is not found by its partial ARN", async () => {
    const { arn } = stand.secretsmanager.put("looker-broker", { a: 1 });
    expect((await errorOf(secrets.read(arn.slice(0, -7)))).name).toBe("ResourceNotFoundException");
    expect((await secrets.read(arn)).SecretString).toBe('{"a":1}');
  });

  // moto checks neither names nor sizes. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
  it("a bad name, size or content is refused without being repeated", async () => {
    const { Name } = await secrets.create();
    const long = "canary".repeat(11_000);
    for (const [attempt, name] of [
      [
        () => client.send(new CreateSecretCommand({ Name: "a b", SecretString: "canary" })),
        "ValidationException",
      ],
      [() => secrets.write(Name, long), "ValidationException"],
      [
        () => secrets.write(Name, "canary", { SecretBinary: Buffer.from("canary") }),
        "InvalidParameterException",
      ],
    ] as const) {
      const error = await errorOf(attempt());
      expect(error.name).toBe(name);
      expect(JSON.stringify(error)).not.toContain("canary");
    }
  });

  // moto lists them all. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html
  it("a version without a label is listed only for who asks for the deprecated ones", async () => {
    const { Name, VersionId: first } = await secrets.create();
    const [second, third] = [
      (await secrets.write(Name, "second")).VersionId,
      (await secrets.write(Name, "third")).VersionId,
    ];
    const list = async (IncludeDeprecated: boolean) =>
      (await client.send(new ListSecretVersionIdsCommand({ SecretId: Name, IncludeDeprecated }))).Versions;
    expect((await list(false))?.map((version) => version.VersionId)).toEqual([second, third]);
    expect((await list(true))?.map((version) => version.VersionId)).toEqual([first, second, third]);
  });

  // moto lets AWSCURRENT go. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
  it("AWSCURRENT is never taken away, nor moved to no version or one that is not there", async () => {
    const { Name, VersionId: first } = await secrets.create();
    for (const [from, to, name] of [
      [first, undefined, "InvalidParameterException"],
      [undefined, undefined, "InvalidParameterException"],
      [first, randomUUID(), "ResourceNotFoundException"],
    ])
      expect((await errorOf(secrets.move(Name, "AWSCURRENT", from, to))).name).toBe(name);
    expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"] });
  });

  // moto words it otherwise, and writes to such a secret.
  it("a secret marked for deletion is neither read, written nor created again", async () => {
    const { Name } = await secrets.create();
    await client.send(new DeleteSecretCommand({ SecretId: Name }));
    for (const attempt of [() => secrets.read(Name), () => secrets.write(Name, "x")]) {
      const error = await errorOf(attempt());
      expect([error.name, error.message]).toEqual([
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
      ]);
    }
    const again = await errorOf(client.send(new CreateSecretCommand({ Name, SecretString: "x" })));
    expect(again.name).toBe("InvalidRequestException");
  });
});

it("a secret is put in-process by name or by the complete ARN that a scope names", async () => {
  const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:looker/named-AbC123`;
  expect(stand.secretsmanager.put(arn, { n: 1 }).arn).toBe(arn);
  const { versionId } = stand.secretsmanager.put("looker/named", { n: 2 });
  expect(await secrets.read(arn)).toMatchObject({
    Name: "looker/named",
    VersionId: versionId,
    SecretString: '{"n":2}',
  });
});

it("an operation that is not there is unknown", async () => {
  expect((await errorOf(client.send(new ListSecretsCommand({})))).name).toBe("UnknownOperationException");
});
