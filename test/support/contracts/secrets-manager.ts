/** What every Secrets Manager must do, whoever wrote it: https://docs.aws.amazon.com/secretsmanager/latest/apireference/ */
import { randomUUID } from "node:crypto";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ignoring } from "../../../local/aws/ignoring.ts";
import { ACCOUNT, type AwsUnderTest, errorOf, REGION, type StartAws } from "./aws-under-test.ts";

/** The calls, as short as the suites want them. */
export function secretsOf(client: SecretsManagerClient) {
  return {
    read: (SecretId: string, more: object = {}) =>
      client.send(new GetSecretValueCommand({ SecretId, ...more })),
    write: (SecretId: string, SecretString: string, more: object = {}) =>
      client.send(new PutSecretValueCommand({ SecretId, SecretString, ...more })),
    create: (SecretString = "first") =>
      client.send(new CreateSecretCommand({ Name: `looker/${randomUUID()}x`, SecretString })) as Promise<{
        ARN: string;
        Name: string;
        VersionId: string;
      }>,
    /** Of each version with a label, in alphabetical order: AWS promises no order. */
    async stagesOf(SecretId: string) {
      const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
      const sorted = Object.entries(VersionIdsToStages).map(([id, stages]) => [id, stages.sort()] as const);
      return Object.fromEntries(sorted.filter(([, stages]) => stages.length > 0));
    },
    move: (SecretId: string, VersionStage: string, from?: string, to?: string) =>
      client.send(
        new UpdateSecretVersionStageCommand({
          SecretId,
          VersionStage,
          ...(from && { RemoveFromVersionId: from }),
          ...(to && { MoveToVersionId: to }),
        }),
      ),
  };
}

export function secretsManagerContract(name: string, startAws: StartAws): void {
  describe(`${name}, as Secrets Manager`, () => {
    let aws: AwsUnderTest;
    let client: SecretsManagerClient;
    let secrets: ReturnType<typeof secretsOf>;
    beforeAll(async () => {
      aws = await startAws();
      client = aws.secretsClient();
      secrets = secretsOf(client);
    });
    afterAll(() => aws?.close());

    describe("a secret", () => {
      it("is read as it was created, with AWSCURRENT on its first version", async () => {
        const { ARN, Name, VersionId } = await secrets.create("value");
        expect(ARN).toMatch(
          new RegExp(`^arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${Name}-[A-Za-z0-9]{6}$`),
        );
        expect(await secrets.read(Name)).toMatchObject({
          ARN,
          Name,
          VersionId,
          SecretString: "value",
          VersionStages: ["AWSCURRENT"],
          CreatedDate: expect.any(Date),
        });
      });

      it("holds bytes as well", async () => {
        const { Name } = await secrets.create();
        await client.send(new PutSecretValueCommand({ SecretId: Name, SecretBinary: Buffer.from([0, 255]) }));
        expect(Buffer.from((await secrets.read(Name)).SecretBinary ?? [])).toEqual(Buffer.from([0, 255]));
      });

      it("is found by name, ARN and partial ARN, not by less or more", async () => {
        const { ARN, Name } = await secrets.create("value");
        for (const id of [Name, ARN, ARN.slice(0, -7)])
          expect((await secrets.read(id)).SecretString).toBe("value");
        for (const id of [
          `${Name}x`,
          ARN.slice(0, -1),
          ARN.slice(0, -8),
          ARN.replace(REGION, "us-east-1"),
          "__proto__",
        ]) {
          const error = await errorOf(secrets.read(id));
          expect([error.name, error.message]).toEqual([
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret.",
          ]);
        }
      });

      it("is not written without a value or with a short token", async () => {
        const { Name } = await secrets.create();
        const empty = client.send(new PutSecretValueCommand({ SecretId: Name }));
        expect((await errorOf(empty)).name).toBe("InvalidRequestException");
        const error = await errorOf(secrets.write(Name, "x", { ClientRequestToken: "short" }));
        expect([error.name, error.message]).toEqual([
          "InvalidParameterException",
          "ClientRequestToken must be 32-64 characters long.",
        ]);
        expect((await secrets.read(Name)).SecretString).toBe("first");
      });

      it("is created once, but twice by a retry with the same token", async () => {
        const ClientRequestToken = randomUUID();
        const command = (SecretString: string, token = ClientRequestToken) =>
          new CreateSecretCommand({ Name: "looker/once", SecretString, ClientRequestToken: token });
        const first = await client.send(command("a"));
        expect(await client.send(command("a"))).toMatchObject({
          ARN: first.ARN,
          VersionId: ClientRequestToken,
        });
        for (const again of [command("b"), command("a", randomUUID())]) {
          expect((await errorOf(client.send(again))).name).toBe("ResourceExistsException");
        }
      });
    });

    describe("versions and stages", () => {
      it("a new value becomes current, the one before previous, the one before that has no label", async () => {
        const { Name, VersionId: first } = await secrets.create();
        const second = (await secrets.write(Name, "second")).VersionId ?? "";
        expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSPREVIOUS"], [second]: ["AWSCURRENT"] });
        const third = (await secrets.write(Name, "third")).VersionId ?? "";
        expect(await secrets.stagesOf(Name)).toEqual({ [second]: ["AWSPREVIOUS"], [third]: ["AWSCURRENT"] });
        expect((await secrets.read(Name, { VersionStage: "AWSPREVIOUS" })).SecretString).toBe("second");
        expect((await secrets.read(Name, { VersionId: first })).SecretString).toBe("first");
      });

      it("a pending value leaves the current one alone until rotation moves the label", async () => {
        const { Name, VersionId: first } = await secrets.create();
        const second = randomUUID();
        await secrets.write(Name, "second", { ClientRequestToken: second, VersionStages: ["AWSPENDING"] });
        expect((await secrets.read(Name)).SecretString).toBe("first");
        expect((await secrets.read(Name, { VersionStage: "AWSPENDING" })).VersionId).toBe(second);
        await secrets.move(Name, "AWSCURRENT", first, second);
        expect(await secrets.stagesOf(Name)).toEqual({
          [first]: ["AWSPREVIOUS"],
          [second]: ["AWSCURRENT", "AWSPENDING"],
        });
        await secrets.move(Name, "AWSPENDING", second);
        expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSPREVIOUS"], [second]: ["AWSCURRENT"] });
        // And back again, as an operator does whose new secret does not work.
        await secrets.move(Name, "AWSCURRENT", second, first);
        expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [second]: ["AWSPREVIOUS"] });
      });

      it("a label moves only for who names the version that has it", async () => {
        const { Name, VersionId: first } = await secrets.create();
        const pending = { VersionStages: ["AWSPENDING"] };
        const second = (await secrets.write(Name, "second", pending)).VersionId ?? "";
        expect((await errorOf(secrets.move(Name, "AWSCURRENT", second, second))).name).toBe(
          "InvalidParameterException",
        );
        const error = await errorOf(secrets.move(Name, "AWSCURRENT", undefined, second));
        expect([error.name, error.message]).toEqual([
          "InvalidParameterException",
          `The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version ${first}, so you must explicitly reference that version in RemoveFromVersionId.`,
        ]);
        expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [second]: ["AWSPENDING"] });
      });

      it("a first version is current whatever labels it is put with", async () => {
        await client.send(new CreateSecretCommand({ Name: "looker/empty" }));
        const error = await errorOf(secrets.read("looker/empty"));
        expect([error.name, error.message]).toEqual([
          "ResourceNotFoundException",
          "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
        ]);
        const { VersionId = "" } = await secrets.write("looker/empty", "a", {
          VersionStages: ["AWSPENDING"],
        });
        expect((await secrets.stagesOf("looker/empty"))?.[VersionId]?.sort()).toEqual([
          "AWSCURRENT",
          "AWSPENDING",
        ]);
      });

      it("a repeated put with its token changes nothing, one with another value is refused", async () => {
        const { Name } = await secrets.create();
        const ClientRequestToken = randomUUID();
        await secrets.write(Name, "a", { ClientRequestToken });
        const { VersionId } = await secrets.write(Name, "b");
        expect((await secrets.write(Name, "a", { ClientRequestToken })).VersionId).toBe(ClientRequestToken);
        expect((await secrets.read(Name)).VersionId).toBe(VersionId);
        expect((await errorOf(secrets.write(Name, "c", { ClientRequestToken }))).name).toBe(
          "ResourceExistsException",
        );
      });

      it("a version is not found by an unknown id or label, nor by a label it does not have", async () => {
        const { Name, VersionId } = await secrets.create();
        const unknown = randomUUID();
        for (const [by, name, message] of [
          [
            { VersionId: unknown },
            "ResourceNotFoundException",
            `Secrets Manager can't find the specified secret value for VersionId: ${unknown}`,
          ],
          [
            { VersionId, VersionStage: "AWSPENDING" },
            "InvalidRequestException",
            "You provided a VersionStage that is not associated to the provided VersionId.",
          ],
        ] as const) {
          const error = await errorOf(secrets.read(Name, by));
          expect([error.name, error.message]).toEqual([name, message]);
        }
        expect((await errorOf(secrets.read(Name, { VersionStage: "AWSPENDING" }))).name).toBe(
          "ResourceNotFoundException",
        );
      });
    });

    describe("a rotation that has begun", () => {
      const functionArn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:rotate`;

      /** With a function that has done nothing. moto finds none, says so, and has begun the rotation all the same. */
      async function begin() {
        const { ARN, Name, VersionId: first } = await secrets.create();
        const second = randomUUID();
        const rotate = new RotateSecretCommand({
          SecretId: Name,
          ClientRequestToken: second,
          RotationLambdaARN: functionArn,
          RotationRules: { AutomaticallyAfterDays: 30 },
        });
        await client.send(rotate).catch(ignoring("ResourceNotFoundException"));
        return { ARN, Name, first, second };
      }
      const pending = (ClientRequestToken: string) => ({
        ClientRequestToken,
        VersionStages: ["AWSPENDING"],
      });

      it("is described with its function, its rules and a pending version", async () => {
        const { ARN, Name, first, second } = await begin();
        const described = await client.send(new DescribeSecretCommand({ SecretId: Name }));
        expect(described).toMatchObject({
          ARN,
          RotationEnabled: true,
          RotationLambdaARN: functionArn,
          RotationRules: { AutomaticallyAfterDays: 30 },
          VersionIdsToStages: { [first]: ["AWSCURRENT"], [second]: ["AWSPENDING"] },
        });
        expect(described.NextRotationDate?.getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000);
      });

      it("has no pending value, and the current one as before", async () => {
        const { Name, first, second } = await begin();
        for (const by of [
          { VersionStage: "AWSPENDING" },
          { VersionId: second },
          { VersionId: second, VersionStage: "AWSPENDING" },
        ])
          expect((await errorOf(secrets.read(Name, by))).name).toBe("ResourceNotFoundException");
        expect(await secrets.read(Name)).toMatchObject({ VersionId: first, SecretString: "first" });
      });

      it("takes the value of its version, and then the labels", async () => {
        const { Name, first, second } = await begin();
        expect(await secrets.write(Name, "second", pending(second))).toMatchObject({
          VersionId: second,
          VersionStages: ["AWSPENDING"],
        });
        expect((await secrets.read(Name)).SecretString).toBe("first");
        expect(
          (await secrets.read(Name, { VersionId: second, VersionStage: "AWSPENDING" })).SecretString,
        ).toBe("second");
        await secrets.move(Name, "AWSCURRENT", first, second);
        expect((await secrets.read(Name, { VersionStage: "AWSCURRENT" })).SecretString).toBe("second");
        await secrets.move(Name, "AWSPENDING", second);
        expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSPREVIOUS"], [second]: ["AWSCURRENT"] });
      });

      it("is given up by its label, and does not stop another one", async () => {
        const { Name, first, second } = await begin();
        await secrets.move(Name, "AWSPENDING", second);
        expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"] });
        const third = randomUUID();
        await secrets.write(Name, "third", pending(third));
        expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [third]: ["AWSPENDING"] });
      });

      it("loses its label to another pending version", async () => {
        const { Name, first } = await begin();
        const third = randomUUID();
        await secrets.write(Name, "third", pending(third));
        expect(await secrets.stagesOf(Name)).toEqual({ [first]: ["AWSCURRENT"], [third]: ["AWSPENDING"] });
      });

      it("lists its version once it has a value", async () => {
        const { Name, first, second } = await begin();
        await secrets.write(Name, "second", pending(second));
        const { Versions = [] } = await client.send(new ListSecretVersionIdsCommand({ SecretId: Name }));
        const listed = Versions.map(({ VersionId, VersionStages }) => [VersionId, VersionStages]);
        expect(Object.fromEntries(listed)).toEqual({ [first]: ["AWSCURRENT"], [second]: ["AWSPENDING"] });
      });
    });

    describe("deletion", () => {
      it("ends reading, but not describing", async () => {
        const { Name, ARN } = await secrets.create();
        const { DeletionDate } = await client.send(
          new DeleteSecretCommand({ SecretId: ARN, RecoveryWindowInDays: 7 }),
        );
        expect(DeletionDate?.getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000);
        expect((await errorOf(secrets.read(Name))).name).toBe("InvalidRequestException");
        const again = client.send(new DeleteSecretCommand({ SecretId: Name }));
        expect((await errorOf(again)).name).toBe("InvalidRequestException");
        const { DeletedDate } = await client.send(new DescribeSecretCommand({ SecretId: Name }));
        expect(DeletedDate).toBeInstanceOf(Date);
      });

      it("waits between 7 and 30 days, or not at all", async () => {
        const { Name } = await secrets.create();
        for (const how of [
          { RecoveryWindowInDays: 6 },
          { RecoveryWindowInDays: 31 },
          { RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true },
        ]) {
          const error = await errorOf(client.send(new DeleteSecretCommand({ SecretId: Name, ...how })));
          expect(error.name).toBe("InvalidParameterException");
        }
        expect((await secrets.read(Name)).SecretString).toBe("first");
      });

      it("is immediate when forced, and gives the next secret of that name another ARN", async () => {
        const { Name, ARN } = await secrets.create();
        await client.send(new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true }));
        expect((await errorOf(secrets.read(ARN))).name).toBe("ResourceNotFoundException");
        const next = await client.send(new CreateSecretCommand({ Name, SecretString: "x" }));
        expect(next.ARN).not.toBe(ARN);
      });
    });
  });
}
