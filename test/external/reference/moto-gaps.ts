/**
 * Behaviours of Secrets Manager that moto 5.2.5 lacks, in rotation. The contract passes them by, and the stand-in's own tests
 * (test/contracts/aws/secret-rotation.test.ts) have them. The tests fail as soon as moto has learned one.
 */
import { randomUUID } from "node:crypto";
import {
  ListSecretVersionIdsCommand,
  RotateSecretCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { ignoring } from "../../../local/aws/ignoring.ts";
import { errorOf } from "../../support/contracts/aws-under-test.ts";
import { secretsOf } from "../../support/contracts/secrets-manager.ts";

export interface MotoGap {
  readonly what: string;
  readonly reason: string;
  learned(client: SecretsManagerClient): Promise<boolean>;
}

const rotate = (client: SecretsManagerClient, SecretId: string, more: object = {}) =>
  client.send(new RotateSecretCommand({ SecretId, RotationRules: { AutomaticallyAfterDays: 1 }, ...more }));
const withFunction = { RotationLambdaARN: "arn:aws:lambda:eu-central-1:123456789012:function:rotate" };

/** A secret with a rotation that has begun: moto finds no function, says so, and has begun it all the same. */
async function begun(client: SecretsManagerClient) {
  const { Name, VersionId } = await secretsOf(client).create();
  const pending = randomUUID();
  await rotate(client, Name, { ...withFunction, ClientRequestToken: pending }).catch(
    ignoring("ResourceNotFoundException"),
  );
  return { Name, first: VersionId, pending, secrets: secretsOf(client) };
}
const asPending = (ClientRequestToken: string) => ({ ClientRequestToken, VersionStages: ["AWSPENDING"] });

export const motoGaps: readonly MotoGap[] = [
  {
    what: "RotateSecret refuses a secret without a rotation function",
    reason: "moto makes a version without a value current at once.",
    async learned(client) {
      const { Name } = await secretsOf(client).create();
      return rotate(client, Name).then(
        () => false,
        ({ name }: Error) => name === "InvalidRequestException",
      );
    },
  },
  {
    what: "RotateSecret refuses a function that cannot be invoked, and changes nothing",
    reason: "moto answers ResourceNotFoundException and leaves the rotation begun. The contract uses it.",
    async learned(client) {
      const { Name } = await secretsOf(client).create();
      return (await errorOf(rotate(client, Name, withFunction))).name === "AccessDeniedException";
    },
  },
  {
    what: "RotateSecret refuses while a pending version is not current",
    reason: "moto begins another rotation, and refuses when the pending version is the current one.",
    async learned(client) {
      const { Name } = await begun(client);
      return (await errorOf(rotate(client, Name, withFunction))).message.includes("isn't complete");
    },
  },
  {
    what: "PutSecretValue refuses another value for a pending version that has one",
    reason: "moto overwrites it.",
    async learned(client) {
      const { Name, pending, secrets } = await begun(client);
      await secrets.write(Name, "a", asPending(pending));
      return secrets.write(Name, "b", asPending(pending)).then(
        () => false,
        ({ name }: Error) => name === "ResourceExistsException",
      );
    },
  },
  {
    what: "a new current value takes AWSPENDING away from a rotation under way",
    reason: "moto leaves the label.",
    async learned(client) {
      const { Name, pending, secrets } = await begun(client);
      await secrets.write(Name, "pasted");
      return !(await secrets.stagesOf(Name))[pending]?.includes("AWSPENDING");
    },
  },
  {
    what: "GetSecretValue without a version reads the one to which AWSCURRENT was moved",
    reason: "moto reads the version that was put last as current.",
    async learned(client) {
      const { Name, first, pending, secrets } = await begun(client);
      await secrets.write(Name, "second", asPending(pending));
      await secrets.move(Name, "AWSCURRENT", first, pending);
      return (await secrets.read(Name)).SecretString === "second";
    },
  },
  {
    what: "UpdateSecretVersionStage keeps AWSCURRENT from a version without a value",
    reason: "moto moves it, and the secret cannot be read any more.",
    async learned(client) {
      const { Name, first, pending, secrets } = await begun(client);
      return secrets.move(Name, "AWSCURRENT", first, pending).then(
        () => false,
        () => true,
      );
    },
  },
  {
    what: "ListSecretVersionIds leaves out a version without a value",
    reason: "moto lists it.",
    async learned(client) {
      const { Name, pending } = await begun(client);
      const { Versions = [] } = await client.send(new ListSecretVersionIdsCommand({ SecretId: Name }));
      return !Versions.some(({ VersionId }) => VersionId === pending);
    },
  },
];
