/** The functions' roles and what their policies say, resolved. */
import { TemplateError } from "./intrinsics.ts";
import type { ReadResource } from "./template-resources.ts";

export interface LocalRole {
  readonly arn: string;
  readonly name: string;
  /** IAM's immutable unique id, `AROA…`. */
  readonly roleId: string;
  /** The statements of all its policies. */
  readonly statements: readonly PolicyStatement[];
}

interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export function readRoles(resources: readonly ReadResource[]): LocalRole[] {
  return resources.map(({ logicalId, physical, properties }) => {
    const {
      Policies = [],
      ManagedPolicyArns,
      PermissionsBoundary,
    } = properties as {
      Policies?: { PolicyDocument: { Statement: PolicyStatement[] } }[];
      ManagedPolicyArns?: unknown;
      PermissionsBoundary?: unknown;
    };
    // Either would change what the role may do, in a way that is not in this template.
    if (ManagedPolicyArns !== undefined || PermissionsBoundary !== undefined)
      throw new TemplateError(logicalId, "managed policies and permissions boundaries are not supported");
    return {
      arn: physical.attributes.Arn ?? "",
      name: physical.ref,
      roleId: physical.attributes.RoleId ?? "",
      statements: Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement),
    };
  });
}
