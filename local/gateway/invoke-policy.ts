/**
 * May this principal invoke this method? The part of IAM that matters to `execute-api:Invoke`: an explicit deny wins,
 * nothing is allowed by default.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
 */
import { matchesGlob } from "../../functions/domain/pattern.ts";
import type { AwsLocation } from "../stack/location.ts";

export interface InvokeStatements {
  /** `execute-api:Invoke` resource patterns, with IAM's `*` and `?`. */
  allow: readonly string[];
  deny?: readonly string[];
}

/** `accountId` is the API owner's, not the caller's. */
export interface ApiStage extends AwsLocation {
  readonly apiId: string;
  readonly stage: string;
}

/** `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path as sent, without the stage>` */
export function methodArn(apiStage: ApiStage, method: string, path: string): string {
  const { partition, region, accountId, apiId, stage } = apiStage;
  return `arn:${partition}:execute-api:${region}:${accountId}:${apiId}/${stage}/${method}${path}`;
}

export type InvokeDecision = "allowed" | "explicit_deny" | "implicit_deny";

export function decideInvoke(statements: InvokeStatements, arn: string): InvokeDecision {
  if (statements.deny?.some((pattern) => matchesArn(pattern, arn))) return "explicit_deny";
  return statements.allow.some((pattern) => matchesArn(pattern, arn)) ? "allowed" : "implicit_deny";
}

/**
 * A wildcard stays within its colon-separated part of the ARN, but spans slashes.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === "*") return true;
  const [patternParts, arnParts] = [splitArn(pattern), splitArn(arn)];
  return (
    patternParts.length === 6 &&
    arnParts.length === 6 &&
    patternParts.every((part, index) => matchesGlob(part, arnParts[index] ?? ""))
  );
}

/** Six parts at most: the resource may contain colons. */
function splitArn(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(":")];
}
