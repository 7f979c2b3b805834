/** What Secrets Manager takes, and how it refuses the rest. A message never repeats a value. */
import {
  constraint,
  type Input,
  optionalText,
  optionalTexts,
  requiredText,
  ServiceError,
} from "./json-protocol.ts";
import type { SecretContent } from "./secret-store.ts";

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MAX_SECRET_BYTES = 65_536;

export function nameOf(input: Input): string {
  const name = requiredText(input, "Name");
  if (/^[A-Za-z0-9/_+=.@!-]{1,512}$/.test(name)) return name;
  throw new ServiceError(
    "ValidationException",
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
  );
}

export function stagesOf(input: Input): string[] | undefined {
  const stages = optionalTexts(input, "VersionStages");
  if (stages && (stages.length === 0 || stages.length > 20)) {
    throw constraint("VersionStages", undefined, "Member must have length between 1 and 20");
  }
  return stages;
}

export function recoveryDaysOf(input: Input, isForced: boolean): number {
  const days = input.RecoveryWindowInDays ?? undefined;
  if (isForced && days !== undefined) {
    throw new ServiceError(
      "InvalidParameterException",
      "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
    );
  }
  if (days !== undefined && (typeof days !== "number" || days < 7 || days > 30)) {
    throw new ServiceError(
      "InvalidParameterException",
      "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
    );
  }
  return days ?? 30;
}

export function contentOf(input: Input): SecretContent | undefined {
  const text = optionalText(input, "SecretString");
  const binary = optionalText(input, "SecretBinary");
  if (text !== undefined && binary !== undefined) {
    throw new ServiceError(
      "InvalidParameterException",
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
  const size = text === undefined ? Buffer.byteLength(binary ?? "", "base64") : Buffer.byteLength(text);
  if (size > MAX_SECRET_BYTES) {
    const member = text === undefined ? "SecretBinary" : "SecretString";
    throw constraint(member, undefined, `Member must have length less than or equal to ${MAX_SECRET_BYTES}`);
  }
  if (text !== undefined) return { SecretString: text };
  return binary === undefined ? undefined : { SecretBinary: binary };
}

/** Recorded on AWS, with another error for RotateSecret: LocalStack's test_no_client_request_token. */
export function requiredTokenOf(
  input: Input,
  errorWithout: "InvalidRequestException" | "InvalidParameterException",
): string {
  const token = optionalText(input, "ClientRequestToken");
  if (token === undefined) {
    throw new ServiceError(
      errorWithout,
      "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
    );
  }
  if (token.length < 32 || token.length > 64) {
    throw new ServiceError("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.");
  }
  return token;
}
