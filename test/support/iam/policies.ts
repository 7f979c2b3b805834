/** Policies that AWS writes, not the broker. */
import type { PolicyDocument, PolicyStatement } from "../../../local/stack/policy-document.ts";

export const policy = (...Statement: PolicyStatement[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement,
});

/** https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html */
export const administratorAccess = policy({ Effect: "Allow", Action: "*", Resource: "*" });

/** A new key's: the account's IAM policies decide. https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
export const defaultKeyPolicy = (accountId: string) =>
  policy({
    Effect: "Allow",
    Principal: { AWS: `arn:aws:iam::${accountId}:root` },
    Action: "kms:*",
    Resource: "*",
  });
