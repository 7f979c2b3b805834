/** The template's roles and what their policies say, resolved. */
import { TemplateError } from "./intrinsics.ts";
import type { PolicyDocument, PolicyStatement } from "./policy-document.ts";
import type { ResolvedResource } from "./resources.ts";

export interface LocalRole {
  readonly arn: string;
  readonly name: string;
  /** IAM's immutable unique id, `AROA…`. */
  readonly roleId: string;
  /** The statements of all its policies: its own, those attached to it, and managed ones of the template. */
  readonly statements: readonly PolicyStatement[];
}

interface RoleProperties {
  readonly Policies?: readonly { readonly PolicyDocument: PolicyDocument }[];
  readonly ManagedPolicyArns?: readonly string[];
  readonly PermissionsBoundary?: unknown;
}

/** Of `AWS::IAM::Policy` and `AWS::IAM::ManagedPolicy` alike. */
interface PolicyProperties {
  readonly PolicyDocument: PolicyDocument;
  /** Names of the roles that it is attached to, which may be of another stack. */
  readonly Roles?: readonly string[];
}

export function readRoles(resources: readonly ResolvedResource[]): LocalRole[] {
  const managed = resources.filter(({ type }) => type === "AWS::IAM::ManagedPolicy");
  const attachable = [...resources.filter(({ type }) => type === "AWS::IAM::Policy"), ...managed];
  return resources
    .filter(({ type }) => type === "AWS::IAM::Role")
    .map(({ logicalId, physical, properties }) => {
      const { Policies = [], ManagedPolicyArns = [], PermissionsBoundary } = properties as RoleProperties;
      // Either would change what the role may do, in a way that is not in this template.
      const elsewhere = ManagedPolicyArns.find(
        (arn) => !managed.some((policy) => policy.physical.ref === arn),
      );
      if (elsewhere !== undefined)
        throw new TemplateError(logicalId, `the managed policy ${elsewhere} is not in the template`);
      if (PermissionsBoundary !== undefined)
        throw new TemplateError(logicalId, "permissions boundaries are not supported");

      const attached = attachable.filter(
        (policy) =>
          (policy.properties as unknown as PolicyProperties).Roles?.includes(physical.ref) ||
          ManagedPolicyArns.includes(policy.physical.ref),
      );
      return {
        arn: physical.attributes.Arn ?? "",
        name: physical.ref,
        roleId: physical.attributes.RoleId ?? "",
        statements: [
          ...Policies,
          ...attached.map(({ properties }) => properties as unknown as PolicyProperties),
        ].flatMap(({ PolicyDocument }) => PolicyDocument.Statement),
      };
    });
}
