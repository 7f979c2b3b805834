/** Statements of the guard, and actions that several of them leave alone. */
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Read-only actions. */
export const readers = (...services: string[]) =>
  services.flatMap((service) => ["Describe*", "Get*", "List*"].map((verb) => `${service}:${verb}`));
/** The owner of a service account stores its secret here, and has no need to read it. */
export const onSecrets = [
  "secretsmanager:CreateSecret",
  "secretsmanager:DescribeSecret",
  "secretsmanager:ListSecretVersionIds",
  "secretsmanager:PutSecretValue",
  "secretsmanager:UpdateSecretVersionStage",
];

interface Denial {
  readonly actions?: string[];
  readonly notActions?: string[];
  readonly resources: string[];
  /** Everybody is denied it, but these. */
  readonly but?: readonly string[];
  /** Only these are denied it. */
  readonly who?: readonly string[];
  readonly when?: Record<string, unknown>;
}

/** Of a role's session, `aws:PrincipalArn` is the role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
export const deny = (sid: string, { but, who, when, ...what }: Denial) =>
  new PolicyStatement({
    sid,
    effect: Effect.DENY,
    ...what,
    conditions: {
      ...(but && { ArnNotLike: { "aws:PrincipalArn": [...but] } }),
      ...(who && { ArnLike: { "aws:PrincipalArn": [...who] } }),
      ...when,
    },
  });
