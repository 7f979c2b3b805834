/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-rotationschedule.html */
import type { LocalFunction } from "./functions.ts";
import { TemplateError } from "./intrinsics.ts";
import type { ResolvedResource } from "./resources.ts";

export interface LocalRotation {
  /** Name or ARN. */
  readonly secretId: string;
  /** As the template says it: of a function or of its alias. */
  readonly functionArn: string;
  readonly rules?: object;
  readonly rotateImmediately: boolean;
}

const PROPERTIES = ["SecretId", "RotationLambdaARN", "RotationRules", "RotateImmediatelyOnUpdate"];

export function readRotations(
  schedules: readonly ResolvedResource[],
  functions: readonly LocalFunction[],
): LocalRotation[] {
  return schedules.map(({ logicalId, properties }) => {
    const unsupported = (problem: string) => new TemplateError(logicalId, problem);
    const unknown = Object.keys(properties).find((name) => !PROPERTIES.includes(name));
    if (unknown !== undefined) throw unsupported(`${unknown} is not supported`);
    const { SecretId, RotationLambdaARN, RotationRules, RotateImmediatelyOnUpdate = true } = properties;
    if (!functionNamed(functions, String(RotationLambdaARN)))
      throw unsupported(`its rotation function ${RotationLambdaARN} is not in the template`);
    return {
      secretId: String(SecretId),
      functionArn: String(RotationLambdaARN),
      ...(RotationRules ? { rules: RotationRules } : {}),
      rotateImmediately: RotateImmediatelyOnUpdate === true,
    };
  });
}

/** By an ARN with or without alias. */
export function functionNamed(
  functions: readonly LocalFunction[],
  functionArn: string,
): LocalFunction | undefined {
  return functions.find(({ arn }) => functionArn === arn || functionArn.startsWith(`${arn}:`));
}
