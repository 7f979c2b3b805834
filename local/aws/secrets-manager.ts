/**
 * Secrets Manager as far as the broker, its rotation and the `aws` CLI need it:
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/
 */
import { randomUUID } from "node:crypto";
import { type Input, optionalText, requiredText, ServiceError, startJsonService } from "./json-protocol.ts";
import { createRotationRunner, type RotationRunner } from "./rotation-runner.ts";
import { contentOf, nameOf, recoveryDaysOf, requiredTokenOf, stagesOf } from "./secret-input.ts";
import { cancelRotateSecret, describeRotation, rotateSecret } from "./secret-rotation.ts";
import { moveStage } from "./secret-stages.ts";
import { createSecretStore, labelsOf, type SecretStore, type StoredSecret } from "./secret-store.ts";

export interface SecretsManagerOptions {
  region: string;
  accountId: string;
  /** "aws" unless told. */
  partition?: string;
  now?: () => Date;
}

export interface RunningSecretsManager {
  url: string;
  /** In this process, past the AWS proxy: creates the secret if it is missing and makes the value current. */
  put(nameOrArn: string, value: string | object): { arn: string; versionId: string };
  readonly rotations: Rotations;
  close(): Promise<void>;
}

/** Rotation, for the process that runs this. */
export interface Rotations extends Pick<RotationRunner, "connect" | "setDelivery" | "runDue" | "settled"> {
  /** As CloudFormation does it for a rotation schedule. @throws {ServiceError} as RotateSecret refuses */
  configure(schedule: RotationConfiguration): void;
  /** For tests: what comes due is run by {@link RotationRunner.runDue}, or within seconds. */
  moveClock(seconds: number): void;
  /** Whether the version of a schedule's test has the current value. AWS does not say. It has none, unless told. */
  setTestHasValue(hasValue: boolean): void;
}

export interface RotationConfiguration {
  readonly SecretId: string;
  readonly RotationLambdaARN: string;
  readonly RotationRules?: object;
  readonly RotateImmediately: boolean;
}

const DAY_SECONDS = 86_400;

export async function startSecretsManager(options: SecretsManagerOptions): Promise<RunningSecretsManager> {
  const { region, accountId, partition = "aws", now = () => new Date() } = options;
  let movedSeconds = 0;
  let testHasValue = false;
  const nowSeconds = () => now().getTime() / 1000 + movedSeconds;
  const store = createSecretStore(
    `arn:${partition}:secretsmanager:${region}:${accountId}:secret:`,
    nowSeconds,
  );
  const runner = createRotationRunner(store, nowSeconds);
  const rotate = (input: Input) =>
    rotateSecret(findLiveSecret(store, input), input, { runner, nowSeconds: nowSeconds(), testHasValue });
  const service = await startJsonService({
    targetPrefix: "secretsmanager",
    messageKey: "Message",
    operations: {
      CreateSecret: (input) => createSecret(store, input),
      GetSecretValue: (input) => getSecretValue(findLiveSecret(store, input), input),
      PutSecretValue: (input) => putSecretValue(store, findLiveSecret(store, input), input),
      UpdateSecretVersionStage: (input) => moveStage(store, findLiveSecret(store, input), input),
      RotateSecret: rotate,
      CancelRotateSecret: (input) => cancelRotateSecret(findLiveSecret(store, input)),
      DescribeSecret: (input) => describeSecret(findSecret(store, input)),
      ListSecretVersionIds: (input) => listSecretVersionIds(findSecret(store, input), input),
      DeleteSecret: (input) => deleteSecret(store, input, nowSeconds()),
    },
  });
  return {
    ...service,
    put: (nameOrArn, value) =>
      store.put(nameOrArn, { SecretString: typeof value === "string" ? value : JSON.stringify(value) }),
    rotations: {
      ...runner,
      configure: (schedule) => void rotate({ ...schedule, ClientRequestToken: randomUUID() }),
      moveClock: (seconds) => {
        movedSeconds += seconds;
      },
      setTestHasValue: (hasValue) => {
        testHasValue = hasValue;
      },
    },
    async close() {
      runner.stop();
      await service.close();
    },
  };
}

function findSecret(store: SecretStore, input: Input): StoredSecret {
  const secret = store.find(requiredText(input, "SecretId"));
  if (!secret) {
    throw new ServiceError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
  }
  return secret;
}

function findLiveSecret(store: SecretStore, input: Input): StoredSecret {
  const secret = findSecret(store, input);
  if (secret.deletedAt === undefined) return secret;
  throw new ServiceError(
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked for deletion.",
  );
}

function createSecret(store: SecretStore, input: Input) {
  const name = nameOf(input);
  const content = contentOf(input);
  const token = requiredTokenOf(input, "InvalidRequestException");
  const before = store.find(name);
  if (before?.deletedAt !== undefined) {
    throw new ServiceError(
      "InvalidRequestException",
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  }
  // Only a retry with its token finds the secret there.
  if (before && !before.versions.has(token)) {
    throw new ServiceError(
      "ResourceExistsException",
      `The operation failed because the secret ${name} already exists.`,
    );
  }
  const secret = before ?? store.create(name);
  const description = optionalText(input, "Description");
  const kmsKeyId = optionalText(input, "KmsKeyId");
  if (description !== undefined) secret.description = description;
  if (kmsKeyId !== undefined) secret.kmsKeyId = kmsKeyId;
  const version = content && store.addVersion(secret, content, undefined, token);
  return { ARN: secret.arn, Name: name, ...(version && { VersionId: version.id }) };
}

function getSecretValue(secret: StoredSecret, input: Input) {
  const versionId = optionalText(input, "VersionId");
  const stage = optionalText(input, "VersionStage");
  const label = stage ?? "AWSCURRENT";
  const version = secret.versions.get(versionId ?? secret.labels.get(label) ?? "");
  if (!version?.content) {
    const by = versionId === undefined ? `staging label: ${label}` : `VersionId: ${versionId}`;
    throw new ServiceError(
      "ResourceNotFoundException",
      `Secrets Manager can't find the specified secret value for ${by}`,
    );
  }
  const VersionStages = labelsOf(secret, version.id);
  if (stage !== undefined && !VersionStages.includes(stage)) {
    throw new ServiceError(
      "InvalidRequestException",
      "You provided a VersionStage that is not associated to the provided VersionId.",
    );
  }
  const { id: VersionId, createdAt: CreatedDate, content } = version;
  return { ARN: secret.arn, Name: secret.name, VersionId, ...content, VersionStages, CreatedDate };
}

function putSecretValue(store: SecretStore, secret: StoredSecret, input: Input) {
  const content = contentOf(input);
  if (!content) {
    throw new ServiceError(
      "InvalidRequestException",
      "You must provide either SecretString or SecretBinary.",
    );
  }
  const token = requiredTokenOf(input, "InvalidRequestException");
  const { id } = store.addVersion(secret, content, stagesOf(input), token);
  return { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: labelsOf(secret, id) };
}

function describeSecret(secret: StoredSecret) {
  const labelled = [...secret.versions.keys()].map((id) => [id, labelsOf(secret, id)] as const);
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(secret.description !== undefined && { Description: secret.description }),
    ...(secret.kmsKeyId !== undefined && { KmsKeyId: secret.kmsKeyId }),
    ...(secret.deletedAt !== undefined && { DeletedDate: secret.deletedAt }),
    CreatedDate: secret.createdAt,
    LastChangedDate: secret.changedAt,
    ...describeRotation(secret),
    // Recorded on AWS: LocalStack's test_create_secret_version_from_empty_secret.
    ...(secret.versions.size > 0 && {
      VersionIdsToStages: Object.fromEntries(labelled.filter(([, labels]) => labels.length > 0)),
    }),
  };
}

/**
 * A version without a label is deprecated, and AWS deletes it some day. A pending one without a value is not listed: "can omit the
 * AWSPENDING version", https://docs.aws.amazon.com/pcs/latest/userguide/cluster-secret-rotation-procedure.html
 */
function listSecretVersionIds(secret: StoredSecret, input: Input) {
  const filled = [...secret.versions.values()].filter(({ content }) => content);
  const versions = filled.map(({ id, createdAt }) => {
    const VersionStages = labelsOf(secret, id);
    return { VersionId: id, CreatedDate: createdAt, ...(VersionStages.length > 0 && { VersionStages }) };
  });
  const isListed = (version: object) => input.IncludeDeprecated === true || "VersionStages" in version;
  return { ARN: secret.arn, Name: secret.name, Versions: versions.filter(isListed) };
}

function deleteSecret(store: SecretStore, input: Input, nowSeconds: number) {
  const isForced = input.ForceDeleteWithoutRecovery === true;
  const days = recoveryDaysOf(input, isForced);
  if (isForced) {
    const secret = findSecret(store, input);
    store.remove(secret);
    return { ARN: secret.arn, Name: secret.name, DeletionDate: nowSeconds };
  }
  const secret = findLiveSecret(store, input);
  secret.deletedAt = nowSeconds;
  return { ARN: secret.arn, Name: secret.name, DeletionDate: nowSeconds + days * DAY_SECONDS };
}
