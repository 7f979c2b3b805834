/** `AWS::Lambda::Permission`: lets a service invoke a function for its resources. */
import { matchesGlob } from "../../functions/domain/pattern.ts";
import type { ResolvedResource } from "./resources.ts";

/** The properties as they stand in a resolved template. */
export interface InvokePermission {
  readonly Action?: unknown;
  readonly Principal?: unknown;
  /** Name or ARN, of a function or an alias. */
  readonly FunctionName?: unknown;
  readonly SourceAccount?: unknown;
  readonly SourceArn?: unknown;
}

export const readInvokePermissions = (resources: readonly ResolvedResource[]): InvokePermission[] =>
  resources.map(({ properties }) => properties);

/** CloudFormation makes a StringEquals of SourceAccount and an ArnLike of SourceArn. */
export function mayInvoke(
  permissions: readonly InvokePermission[],
  request: { principal: string; functionArn: string; sourceArn: string },
): boolean {
  const { principal, functionArn, sourceArn } = request;
  const functionName = functionArn.split(":").slice(6).join(":");
  const sourceAccount = sourceArn.split(":")[4];
  return permissions.some(
    ({ Action, Principal, FunctionName, SourceAccount, SourceArn }) =>
      Action === "lambda:InvokeFunction" &&
      Principal === principal &&
      (FunctionName === functionArn || FunctionName === functionName) &&
      (SourceAccount === undefined || SourceAccount === sourceAccount) &&
      (SourceArn === undefined || matchesGlob(String(SourceArn), sourceArn)),
  );
}
