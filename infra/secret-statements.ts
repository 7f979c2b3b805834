/** Permissions of the functions' roles on secrets and on their keys, written by hand like statements.ts. */
import { Arn, ArnFormat, type Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { RegionInfo } from "aws-cdk-lib/region-info";
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import type { SecretReference } from "../functions/domain/scope-secret.ts";
import { rotatingSecrets } from "./rotating-secrets.ts";

/** A role's permissions on secrets and on their customer managed keys. */
interface SecretGrant {
  /** Names of the statements. */
  readonly sids: { readonly secrets: string; readonly keys: string };
  readonly secretActions: readonly string[];
  readonly keyActions: readonly string[];
}

const reading = (whose: "Scope" | "Administrator"): SecretGrant => ({
  sids: { secrets: `Read${whose}Secrets`, keys: `Decrypt${whose}Secrets` },
  secretActions: ["secretsmanager:GetSecretValue"],
  keyActions: ["kms:Decrypt"],
});

/**
 * A rotation function's actions of AWS's example, without `GetRandomPassword`: Looker makes the client secret.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
 */
const rotating: SecretGrant = {
  sids: { secrets: "RotateSecrets", keys: "UseKeysOfSecrets" },
  secretActions: [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
  ],
  keyActions: ["kms:Decrypt", "kms:GenerateDataKey"],
};

/** All scopes' secrets. Each list fits into one managed policy, because 200 scopes have more secrets than one policy holds. */
export const readScopeSecrets = (stack: Stack, scopes: ScopeDefinitions): PolicyStatement[][] =>
  granted(
    stack,
    Object.values(scopes).map(({ secret }) => secret),
    reading("Scope"),
  );

/** Rotating secrets, read and written. Their administrators' secrets, read. Lists as above. */
export const rotateSecrets = (stack: Stack, scopes: ScopeDefinitions): PolicyStatement[][] => {
  const rotated = rotatingSecrets(scopes);
  return [
    ...granted(stack, rotated, rotating),
    ...granted(
      stack,
      rotated.flatMap(({ rotation: { administrator } }) => administrator ?? []),
      reading("Administrator"),
    ),
  ];
};

function granted(
  stack: Stack,
  references: readonly SecretReference[],
  grant: SecretGrant,
): PolicyStatement[][] {
  // Scopes may share a secret, and any of them may name its key.
  const secrets = new Map<string, string>();
  for (const reference of references) {
    const arn = secretArn(stack, reference);
    secrets.set(arn, reference.encryptionKeyArn ?? secrets.get(arn) ?? "");
  }
  // Secrets of one key side by side: a key costs a statement in each policy that it is in.
  const sorted = [...secrets].toSorted(([, a], [, b]) => a.localeCompare(b));
  return packed(sorted).map((chunk) => secretStatements(stack, chunk, grant));
}

/** The key is "" where it is the account's `aws/secretsmanager`, which needs no permission. */
type Secret = readonly [arn: string, keyArn: string];

/**
 * The 6,144 characters of a managed policy without the document's frame. A role has at most ten, unless
 * its account's quota was raised. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const policyCharacters = 5_950;
/** A key's statement, without the secrets' ARNs in it. */
const keyCharacters = 400;

function packed(secrets: readonly Secret[]): Secret[][] {
  const chunks: Secret[][] = [];
  for (const secret of secrets) {
    const last = chunks.at(-1);
    if (last && characters([...last, secret]) <= policyCharacters) last.push(secret);
    else chunks.push([secret]);
  }
  return chunks;
}

/** Of these secrets' statements in a policy. */
function characters(secrets: readonly Secret[]): number {
  // The ARN of a secret with a key stands in the key's condition too.
  const arns = secrets.reduce((sum, [arn, keyArn]) => sum + (keyArn ? 2 : 1) * (arn.length + 3), 0);
  return keysOf(secrets).length * keyCharacters + arns;
}

const keysOf = (secrets: readonly Secret[]) => [
  ...new Set(secrets.map(([, keyArn]) => keyArn).filter(Boolean)),
];

function secretStatements(
  stack: Stack,
  secrets: readonly Secret[],
  { sids, secretActions, keyActions }: SecretGrant,
): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: sids.secrets,
      actions: [...secretActions],
      resources: secrets.map(([arn]) => arn),
    }),
    ...keysOf(secrets).map(
      (keyArn, index) =>
        new PolicyStatement({
          sid: `${sids.keys}${index}`,
          actions: [...keyActions],
          resources: [keyArn],
          conditions: {
            StringEquals: { "kms:ViaService": secretsManager(stack) },
            // Secrets Manager always sends this context: a key may encrypt other secrets that are not ours.
            // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
            StringLike: {
              "kms:EncryptionContext:SecretARN": secrets
                .filter(([, each]) => each === keyArn)
                .map(([arn]) => arn),
            },
          },
        }),
    ),
  ];
}

/**
 * Names of Secrets Manager for KMS. AWS documents `SERVICE.REGION.amazonaws.com`, and policies in partitions with a domain of
 * their own, such as China's, name that domain. KMS alone sets the value, so both names are safe, and one of them is right.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
function secretsManager({ region, urlSuffix }: Stack): string | string[] {
  const suffix = RegionInfo.get(region).domainSuffix ?? urlSuffix;
  const names = new Set(["amazonaws.com", suffix].map((domain) => `secretsmanager.${region}.${domain}`));
  const [only = "", ...more] = names;
  return more.length === 0 ? only : [only, ...more];
}

/**
 * Secrets Manager appends a hyphen and six random characters to a secret's name in its ARN. AWS advises `??????`: with
 * `*`, the name `looker/sales` would match `looker/sales-admin-a1B2c3` too.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
 */
export function secretArn(stack: Stack, { secretName, secretArn }: SecretReference): string {
  if (secretArn !== undefined) return secretArn;
  const format = ArnFormat.COLON_RESOURCE_NAME;
  const resourceName = `${secretName}-??????`;
  return Arn.format(
    { service: "secretsmanager", resource: "secret", resourceName, arnFormat: format },
    stack,
  );
}
