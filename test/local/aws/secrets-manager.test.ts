import { randomUUID } from "node:crypto";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCOUNT, errorOf, REGION, type Stand, startStand } from "./stand.ts";

let stand: Stand;
let client: SecretsManagerClient;
beforeAll(async () => {
  stand = await startStand();
  client = stand.secretsClient();
});
afterAll(() => stand.close());

const read = (SecretId: string, more: object = {}) =>
  client.send(new GetSecretValueCommand({ SecretId, ...more }));
const write = (SecretId: string, SecretString: string, more: object = {}) =>
  client.send(new PutSecretValueCommand({ SecretId, SecretString, ...more }));
const create = (SecretString = "first") => {
  const Name = `looker/${randomUUID()}x`;
  return client.send(new CreateSecretCommand({ Name, SecretString })) as Promise<{
    ARN: string;
    Name: string;
    VersionId: string;
  }>;
};
const stagesOf = async (SecretId: string) =>
  (await client.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages;
const move = (SecretId: string, VersionStage: string, from?: string, to?: string) =>
  client.send(
    new UpdateSecretVersionStageCommand({
      SecretId,
      VersionStage,
      ...(from && { RemoveFromVersionId: from }),
      ...(to && { MoveToVersionId: to }),
    }),
  );

describe("a secret", () => {
  it("is read as it was created, with AWSCURRENT on its first version", async () => {
    const { ARN, Name, VersionId } = await create("value");
    expect(ARN).toMatch(
      new RegExp(`^arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${Name}-[A-Za-z0-9]{6}$`),
    );
    expect(await read(Name)).toMatchObject({
      ARN,
      Name,
      VersionId,
      SecretString: "value",
      VersionStages: ["AWSCURRENT"],
      CreatedDate: expect.any(Date),
    });
  });

  it("holds bytes as well", async () => {
    const { Name } = await create();
    await client.send(new PutSecretValueCommand({ SecretId: Name, SecretBinary: Buffer.from([0, 255]) }));
    expect(Buffer.from((await read(Name)).SecretBinary ?? [])).toEqual(Buffer.from([0, 255]));
  });

  it("is found by name, ARN and partial ARN, not by less or more", async () => {
    const { ARN, Name } = await create("value");
    for (const id of [Name, ARN, ARN.slice(0, -7)]) expect((await read(id)).SecretString).toBe("value");
    for (const id of [
      `${Name}x`,
      ARN.slice(0, -1),
      ARN.slice(0, -8),
      ARN.replace(REGION, "us-east-1"),
      "__proto__",
    ]) {
      const error = await errorOf(read(id));
      expect([error.name, error.message]).toEqual([
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
      ]);
    }
  });

  it("whose name ends in a hyphen and six characters is not found by its partial ARN", async () => {
    const { arn } = stand.secretsmanager.put("looker-broker", { a: 1 });
    expect((await errorOf(read(arn.slice(0, -7)))).name).toBe("ResourceNotFoundException");
    expect((await read(arn)).SecretString).toBe('{"a":1}');
  });

  it("is put in-process by name or by the complete ARN that a scope names", async () => {
    const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:looker/named-AbC123`;
    expect(stand.secretsmanager.put(arn, { n: 1 }).arn).toBe(arn);
    const { versionId } = stand.secretsmanager.put("looker/named", { n: 2 });
    expect(await read(arn)).toMatchObject({
      Name: "looker/named",
      VersionId: versionId,
      SecretString: '{"n":2}',
    });
  });

  it("is created once, but twice by a retry with the same token", async () => {
    const ClientRequestToken = randomUUID();
    const command = (SecretString: string, token = ClientRequestToken) =>
      new CreateSecretCommand({ Name: "looker/once", SecretString, ClientRequestToken: token });
    const first = await client.send(command("a"));
    expect(await client.send(command("a"))).toMatchObject({ ARN: first.ARN, VersionId: ClientRequestToken });
    for (const again of [command("b"), command("a", randomUUID())]) {
      expect((await errorOf(client.send(again))).name).toBe("ResourceExistsException");
    }
  });

  it("with a bad name, size or content is refused without being repeated", async () => {
    const { Name } = await create();
    const long = "canary".repeat(11_000);
    for (const [attempt, name] of [
      [
        () => client.send(new CreateSecretCommand({ Name: "a b", SecretString: "canary" })),
        "ValidationException",
      ],
      [() => write(Name, long), "ValidationException"],
      [() => write(Name, "canary", { SecretBinary: Buffer.from("canary") }), "InvalidParameterException"],
      [() => client.send(new PutSecretValueCommand({ SecretId: Name })), "InvalidRequestException"],
      [() => write(Name, "canary", { ClientRequestToken: "short" }), "InvalidParameterException"],
    ] as const) {
      const error = await errorOf(attempt());
      expect(error.name).toBe(name);
      expect(JSON.stringify(error)).not.toContain("canary");
    }
  });
});

describe("versions and stages", () => {
  it("a new value becomes current, the one before previous, the one before that has no label", async () => {
    const { Name, VersionId: first } = await create();
    const second = (await write(Name, "second")).VersionId ?? "";
    expect(await stagesOf(Name)).toEqual({ [first]: ["AWSPREVIOUS"], [second]: ["AWSCURRENT"] });
    const third = (await write(Name, "third")).VersionId ?? "";
    expect(await stagesOf(Name)).toEqual({ [second]: ["AWSPREVIOUS"], [third]: ["AWSCURRENT"] });
    expect((await read(Name, { VersionStage: "AWSPREVIOUS" })).SecretString).toBe("second");
    expect((await read(Name, { VersionId: first })).SecretString).toBe("first");

    const list = async (IncludeDeprecated: boolean) =>
      (await client.send(new ListSecretVersionIdsCommand({ SecretId: Name, IncludeDeprecated }))).Versions;
    expect((await list(false))?.map((version) => version.VersionId)).toEqual([second, third]);
    expect((await list(true))?.map((version) => version.VersionId)).toEqual([first, second, third]);
  });

  it("a pending value leaves the current one alone until rotation moves the label", async () => {
    const { Name, VersionId: first } = await create();
    const second = randomUUID();
    await write(Name, "second", { ClientRequestToken: second, VersionStages: ["AWSPENDING"] });
    expect((await read(Name)).SecretString).toBe("first");
    expect((await read(Name, { VersionStage: "AWSPENDING" })).VersionId).toBe(second);
    await move(Name, "AWSCURRENT", first, second);
    expect(await stagesOf(Name)).toEqual({
      [first]: ["AWSPREVIOUS"],
      [second]: ["AWSCURRENT", "AWSPENDING"],
    });
    await move(Name, "AWSPENDING", second);
    expect(await stagesOf(Name)).toEqual({ [first]: ["AWSPREVIOUS"], [second]: ["AWSCURRENT"] });
    // And back again, as an operator does whose new secret does not work.
    await move(Name, "AWSCURRENT", second, first);
    expect(await stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [second]: ["AWSPREVIOUS"] });
  });

  it("a label moves only for who names the version that has it", async () => {
    const { Name, VersionId: first } = await create();
    const second = (await write(Name, "second", { VersionStages: ["AWSPENDING"] })).VersionId ?? "";
    for (const [from, to, name] of [
      [undefined, second, "InvalidParameterException"],
      [second, second, "InvalidParameterException"],
      [first, undefined, "InvalidParameterException"],
      [undefined, undefined, "InvalidParameterException"],
      [first, randomUUID(), "ResourceNotFoundException"],
    ]) {
      expect((await errorOf(move(Name, "AWSCURRENT", from, to))).name).toBe(name);
    }
    const error = await errorOf(move(Name, "AWSCURRENT", undefined, second));
    expect(error.message).toContain(`currently attached to version ${first}`);
    expect(await stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [second]: ["AWSPENDING"] });
  });

  it("a first version is current whatever labels it is put with", async () => {
    await client.send(new CreateSecretCommand({ Name: "looker/empty" }));
    const error = await errorOf(read("looker/empty"));
    expect([error.name, error.message]).toEqual([
      "ResourceNotFoundException",
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    ]);
    const { VersionId = "" } = await write("looker/empty", "a", { VersionStages: ["AWSPENDING"] });
    expect((await stagesOf("looker/empty"))?.[VersionId]?.sort()).toEqual(["AWSCURRENT", "AWSPENDING"]);
  });

  it("a repeated put with its token changes nothing, one with another value is refused", async () => {
    const { Name } = await create();
    const ClientRequestToken = randomUUID();
    await write(Name, "a", { ClientRequestToken });
    const { VersionId } = await write(Name, "b");
    expect((await write(Name, "a", { ClientRequestToken })).VersionId).toBe(ClientRequestToken);
    expect((await read(Name)).VersionId).toBe(VersionId);
    expect((await errorOf(write(Name, "c", { ClientRequestToken }))).name).toBe("ResourceExistsException");
  });

  it("a version is not found by an unknown id or label, nor by a label it does not have", async () => {
    const { Name, VersionId } = await create();
    const unknown = randomUUID();
    for (const [by, name, message] of [
      [{ VersionId: unknown }, "ResourceNotFoundException", `value for VersionId: ${unknown}`],
      [{ VersionStage: "AWSPENDING" }, "ResourceNotFoundException", "value for staging label: AWSPENDING"],
      [
        { VersionId, VersionStage: "AWSPENDING" },
        "InvalidRequestException",
        "not associated to the provided VersionId",
      ],
    ] as const) {
      const error = await errorOf(read(Name, by));
      expect([error.name, error.message]).toEqual([name, expect.stringContaining(message)]);
    }
  });
});

describe("deletion", () => {
  it("ends reading and writing, but not describing", async () => {
    const { Name, ARN } = await create();
    const { DeletionDate } = await client.send(
      new DeleteSecretCommand({ SecretId: ARN, RecoveryWindowInDays: 7 }),
    );
    expect(DeletionDate?.getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    for (const attempt of [
      () => read(Name),
      () => write(Name, "x"),
      () => client.send(new DeleteSecretCommand({ SecretId: Name })),
    ]) {
      const error = await errorOf(attempt());
      expect([error.name, error.message]).toEqual([
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
      ]);
    }
    expect((await client.send(new DescribeSecretCommand({ SecretId: Name }))).DeletedDate).toBeInstanceOf(
      Date,
    );
    const again = errorOf(client.send(new CreateSecretCommand({ Name, SecretString: "x" })));
    expect((await again).name).toBe("InvalidRequestException");
  });

  it("is immediate when forced, and gives the next secret of that name another ARN", async () => {
    const { Name, ARN } = await create();
    await client.send(new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true }));
    expect((await errorOf(read(ARN))).name).toBe("ResourceNotFoundException");
    const next = await client.send(new CreateSecretCommand({ Name, SecretString: "x" }));
    expect(next.ARN).not.toBe(ARN);
  });
});

it("an operation that is not there is unknown", async () => {
  expect((await errorOf(client.send(new ListSecretsCommand({})))).name).toBe("UnknownOperationException");
});
