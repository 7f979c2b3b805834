/**
 * RotateSecret and CancelRotateSecret: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 * Messages marked "recorded" are in LocalStack's tests/aws/services/secretsmanager/test_secretsmanager.snapshot.json, from AWS.
 */
import { type Input, optionalText, ServiceError } from "./json-protocol.ts";
import { rotationRulesOf } from "./rotation-rules.ts";
import type { RotationRunner } from "./rotation-runner.ts";
import { requiredTokenOf } from "./secret-input.ts";
import { pendingVersionOf, type SecretRotation, type StoredSecret, scheduleNext } from "./secret-store.ts";

export interface RotationRequest {
  readonly runner: RotationRunner;
  readonly nowSeconds: number;
  /**
   * Whether the version of a test has the current value. AWS does not say. moto gives it this value, see
   * https://github.com/getmoto/moto/pull/8547
   */
  readonly testHasValue: boolean;
}

export function rotateSecret(secret: StoredSecret, input: Input, request: RotationRequest) {
  const { runner, nowSeconds } = request;
  // Recorded: test_no_client_request_token[RotateSecret].
  const versionId = requiredTokenOf(input, "InvalidParameterException");
  const rules = rotationRulesOf(input, nowSeconds) ?? secret.rotation?.rules;
  const immediately = (input.RotateImmediately ?? true) === true;
  const functionArn = optionalText(input, "RotationLambdaARN") ?? secret.rotation?.functionArn;
  // Recorded: test_first_rotate_secret_with_missing_lambda_arn.
  if (functionArn === undefined)
    throw invalidRequest("No Lambda rotation function ARN is associated with this secret.");
  // Recorded: test_rotate_secret_invalid_lambda_arn. Nothing of the secret is changed by it.
  if (!runner.permits(functionArn, secret.arn)) {
    throw new ServiceError(
      "AccessDeniedException",
      "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
    );
  }
  const answer = { ARN: secret.arn, Name: secret.name, VersionId: versionId };
  // "to prevent the accidental creation of duplicate versions if there are failures and retries during a rotation"
  if (secret.versions.has(versionId)) return answer;
  if (pendingVersionOf(secret) !== undefined)
    // As AWS says it: https://github.com/hashicorp/terraform-provider-aws/issues/35023
    throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.");

  const rotation: SecretRotation = {
    enabled: true,
    functionArn,
    ...(rules && { rules }),
    ...(secret.rotation?.lastRotatedAt !== undefined && { lastRotatedAt: secret.rotation.lastRotatedAt }),
  };
  scheduleNext(rotation, nowSeconds);
  secret.rotation = rotation;
  const current = secret.versions.get(secret.labels.get("AWSCURRENT") ?? "");
  if (immediately) void runner.begin(secret, rotation, versionId);
  else void runner.test(secret, rotation, versionId, request.testHasValue ? current?.content : undefined);
  return answer;
}

/**
 * A step under way comes to its end, and no other follows. AWSPENDING stays:
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
 */
export function cancelRotateSecret(secret: StoredSecret) {
  const { rotation } = secret;
  // The name is AWS's, which lists this cause among the operation's errors. Its words are not known.
  if (!rotation) throw invalidRequest("No Lambda rotation function ARN is associated with this secret.");
  rotation.enabled = false;
  delete rotation.attempt;
  const pending = pendingVersionOf(secret);
  return { ARN: secret.arn, Name: secret.name, ...(pending !== undefined && { VersionId: pending }) };
}

/** The fields of DescribeSecret. Recorded: test_rotate_secret_with_lambda_success. */
export function describeRotation({ rotation }: StoredSecret) {
  if (!rotation) return {};
  const { enabled, functionArn, rules, lastRotatedAt, window } = rotation;
  return {
    RotationEnabled: enabled,
    RotationLambdaARN: functionArn,
    ...(rules && { RotationRules: rules }),
    ...(lastRotatedAt !== undefined && { LastRotatedDate: lastRotatedAt }),
    // "on or before this date", and null when rotation has been disabled.
    ...(enabled && window && { NextRotationDate: window.closesAt }),
  };
}

const invalidRequest = (message: string) => new ServiceError("InvalidRequestException", message);
