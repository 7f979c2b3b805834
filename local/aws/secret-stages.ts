/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html */
import { type Input, optionalText, requiredText, ServiceError } from "./json-protocol.ts";
import type { SecretStore, StoredSecret } from "./secret-store.ts";

export function moveStage(store: SecretStore, secret: StoredSecret, input: Input) {
  const stage = requiredText(input, "VersionStage");
  const from = optionalText(input, "RemoveFromVersionId");
  const to = optionalText(input, "MoveToVersionId");
  for (const id of [from, to]) {
    const version = id === undefined ? undefined : secret.versions.get(id);
    // A rotation's version without a value can lose its label, and never becomes current.
    const isEmpty = id === to && stage === "AWSCURRENT" && !version?.content;
    if (id !== undefined && (!version || isEmpty)) {
      throw new ServiceError(
        "ResourceNotFoundException",
        `Secrets Manager can't find the specified secret value for VersionId: ${id}`,
      );
    }
  }
  if (from === undefined && to === undefined) {
    throw new ServiceError(
      "InvalidParameterException",
      "You must provide MoveToVersionId or RemoveFromVersionId.",
    );
  }
  if (stage === "AWSCURRENT" && to === undefined) {
    throw new ServiceError(
      "InvalidParameterException",
      "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.",
    );
  }
  const holder = secret.labels.get(stage);
  // Whoever moves a label must say whence: two rotations at once cannot both finish.
  if (holder !== undefined && holder !== to && from === undefined) {
    throw new ServiceError(
      "InvalidParameterException",
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (from !== undefined && holder !== from) {
    throw new ServiceError(
      "InvalidParameterException",
      `The staging label ${stage} is not currently attached to version ${from}.`,
    );
  }
  store.moveLabel(secret, stage, to);
  return { ARN: secret.arn, Name: secret.name };
}
