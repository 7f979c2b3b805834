/**
 * `AWS::SecretsManager::RotationSchedule`, and the functions' own policies that let Secrets Manager invoke them.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-rotationschedule.html
 */
import { matchesGlob } from "../../functions/domain/pattern.ts";
import type { LocalFunction } from "./functions.ts";
import { TemplateError } from "./intrinsics.ts";
import type { ResolvedResource } from "./resources.ts";

export interface LocalRotation {
  /** Name or ARN. */
  readonly secretId: string;
  /** As the template says it: of a function or of an alias. */
  readonly functionArn: string;
  readonly rules?: object;
  readonly rotateImmediately: boolean;
}

export interface LocalRotations {
  readonly schedules: readonly LocalRotation[];
  /** The function that an ARN means, with or without alias. */
  functionIdOf(functionArn: string): string | undefined;
  /** Whether a permission of the template lets `secretsmanager.amazonaws.com` invoke it for this secret. */
  permits(functionArn: string, secretArn: string): boolean;
}

const PROPERTIES = ["SecretId", "RotationLambdaARN", "RotationRules", "RotateImmediatelyOnUpdate"];

export function readRotations(
  schedules: readonly ResolvedResource[],
  permissions: readonly ResolvedResource[],
  functions: readonly LocalFunction[],
): LocalRotations {
  const functionOf = (functionArn: string) =>
    functions.find(({ arn }) => functionArn === arn || functionArn.startsWith(`${arn}:`));
  return {
    schedules: schedules.map(({ logicalId, properties }) => {
      const unsupported = (problem: string) => new TemplateError(logicalId, problem);
      const unknown = Object.keys(properties).find((name) => !PROPERTIES.includes(name));
      if (unknown !== undefined) throw unsupported(`${unknown} is not supported`);
      const { SecretId, RotationLambdaARN, RotationRules, RotateImmediatelyOnUpdate = true } = properties;
      if (!functionOf(String(RotationLambdaARN)))
        throw unsupported(`its rotation function ${RotationLambdaARN} is no function of the template`);
      return {
        secretId: String(SecretId),
        functionArn: String(RotationLambdaARN),
        ...(RotationRules ? { rules: RotationRules } : {}),
        // "By default, Secrets Manager rotates the secret immediately."
        rotateImmediately: RotateImmediatelyOnUpdate === true,
      };
    }),
    functionIdOf: (functionArn) => functionOf(functionArn)?.id,
    permits: (functionArn, secretArn) =>
      permissions.some(({ properties }) => permitsOne(properties, functionArn, secretArn)),
  };
}

/** CloudFormation writes SourceAccount as a StringEquals and SourceArn as an ArnLike. */
function permitsOne(
  permission: Readonly<Record<string, unknown>>,
  functionArn: string,
  secretArn: string,
): boolean {
  const { Action, Principal, FunctionName, SourceAccount, SourceArn } = permission;
  const [, , , , account] = secretArn.split(":");
  return (
    ["lambda:InvokeFunction", "lambda:*", "*"].includes(String(Action)) &&
    Principal === "secretsmanager.amazonaws.com" &&
    [functionArn, functionArn.split(":").slice(6).join(":")].includes(String(FunctionName)) &&
    (SourceAccount === undefined || SourceAccount === account) &&
    (SourceArn === undefined || matchesGlob(String(SourceArn), secretArn))
  );
}
