/** The key that seals tokens: not the table's own key, so that whoever may read rows cannot open them. */
import type { RemovalPolicy } from "aws-cdk-lib";
import { AccountRootPrincipal, PolicyDocument, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";

/**
 * What an administrator of the account needs to run a key. No `Encrypt`, `Decrypt`, `ReEncrypt*` or
 * `GenerateDataKey*`, and no `CreateGrant`, which would give them away. Whoever may `PutKeyPolicy` can still help
 * himself, in the sight of CloudTrail.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
const administration = [
  "CancelKeyDeletion",
  "DescribeKey",
  "DisableKey",
  "DisableKeyRotation",
  "EnableKey",
  "EnableKeyRotation",
  "GetKeyPolicy",
  "GetKeyRotationStatus",
  "ListGrants",
  "ListKeyPolicies",
  "ListKeyRotations",
  "ListResourceTags",
  "PutKeyPolicy",
  "RevokeGrant",
  "RotateKeyOnDemand",
  "ScheduleKeyDeletion",
  "TagResource",
  "UntagResource",
  "UpdateKeyDescription",
  "CreateAlias",
  "DeleteAlias",
  "UpdateAlias",
].map((action) => `kms:${action}`);

/** The key, and its policy, which `letRolesUse` completes. */
export function sealingKey(
  scope: Construct,
  broker: string,
  removalPolicy: RemovalPolicy,
): { key: Key; policy: PolicyDocument } {
  // In the place of CDK's own, which lets the account's IAM policies grant everything.
  const policy = new PolicyDocument({ statements: [statement("Administer", administration)] });
  const key = new Key(scope, "SealingKey", {
    description: "Seals the Looker tokens in the token broker's table",
    alias: `${broker}/sealing-key`,
    enableKeyRotation: true,
    // Without it no token in a retained table can be opened, and so none be logged out.
    removalPolicy,
    policy,
  });
  return { key, policy };
}

/** IAM policies that grant the key's use count for these roles only: `kms:*` elsewhere opens no token. */
export function letRolesUse(key: Key, { seal, open }: { seal: string[]; open: string[] }): void {
  key.addToResourcePolicy(statement("Seal", ["kms:Encrypt"], seal));
  key.addToResourcePolicy(statement("Open", ["kms:Decrypt"], open));
}

const statement = (sid: string, actions: string[], roleArns?: string[]) =>
  new PolicyStatement({
    sid,
    // The account, and not the roles themselves: KMS refuses a policy with a role that IAM has not yet told it of.
    principals: [new AccountRootPrincipal()],
    actions,
    // Of a key policy: this key.
    resources: ["*"],
    ...(roleArns && { conditions: { ArnEquals: { "aws:PrincipalArn": roleArns } } }),
  });
