/** The secret of a scope and its rotation, as an operator writes them and checked. */
import {
  type Complain,
  type FieldsOf,
  isRecord,
  parseInteger,
  refuseUnknown,
  type UnknownFieldAdvice,
  within,
} from "./definition-checks.ts";

/** A secret with `{"client_id": "…", "client_secret": "…"}`. */
export interface SecretReference {
  /** Name of a secret in the broker's account and region. Give a name or an ARN. */
  readonly secretName?: string;
  /** Full ARN, for a secret of another account. An ARN of the broker's own account means the secret of that name. */
  readonly secretArn?: string;
  /**
   * ARN of the KMS key that encrypts the secret. A secret of another account needs one.
   * @default - the account's `aws/secretsmanager`
   */
  readonly encryptionKeyArn?: string;
}

/** The secret of a scope. */
export interface SecretDefinition extends SecretReference {
  /**
   * Lets Secrets Manager replace the pair. It needs a secret of the broker's account.
   * @default - the pair is replaced by hand
   */
  readonly rotation?: RotationDefinition;
}

/**
 * The replacement of a secret's pair.
 *
 * @example
 * const rotation: RotationDefinition = { everyDays: 30, administrator: { secretName: "looker/rotator" } };
 */
export interface RotationDefinition {
  /**
   * Days from one rotation to the next.
   * @minimum 1
   * @maximum 365
   */
  readonly everyDays: number;
  /**
   * The secret with the pair of a Looker account that may manage the service account's pairs. Give a name or an ARN.
   * @default - the service account's own pair. Looker must let the account manage its own pairs
   */
  readonly administrator?: SecretReference;
}

/** Of a secret, checked. */
export interface Rotation {
  readonly everyDays: number;
  /** Argument of `GetSecretValue`. Undefined where the service account replaces its own pair. */
  readonly administratorId?: string | undefined;
}

/** A secret of a scope, checked. */
export interface ScopeSecret {
  /** Argument of `GetSecretValue`: the name or the ARN. */
  readonly secretId: string;
  readonly rotation?: Rotation | undefined;
}

const referenceFields: FieldsOf<SecretReference> = {
  secretName: true,
  secretArn: true,
  encryptionKeyArn: true,
};
const secretFields: FieldsOf<SecretDefinition> = { ...referenceFields, rotation: true };
const rotationFields: FieldsOf<RotationDefinition> = { everyDays: true, administrator: true };
/** Its first group is the name. */
export const secretArnShape =
  /^arn:aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?:secretsmanager:[a-z0-9-]+:\d{12}:secret:([\w/+=.@-]+)-\w{6}$/;
const keyArnShape = /^arn:aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;

export function parseSecret(value: unknown, wrong: Complain, advice: UnknownFieldAdvice): ScopeSecret {
  const secretId = parseReference(value, "secret", secretFields, wrong, advice);
  if (!isRecord(value) || value.rotation === undefined) return { secretId };
  const { rotation } = value;
  if (!isRecord(rotation)) {
    wrong("secret.rotation", "must be an object like { everyDays: 30 }");
    return { secretId };
  }
  refuseUnknown(rotation, rotationFields, within("secret.rotation", wrong), advice);
  if (rotation.everyDays === undefined) wrong("secret.rotation.everyDays", "is missing");
  const everyDays = parseInteger(rotation.everyDays, "secret.rotation.everyDays", [1, 365], 30, wrong);
  const { administrator } = rotation;
  if (administrator === undefined) return { secretId, rotation: { everyDays } };
  const field = "secret.rotation.administrator";
  const administratorId = parseReference(administrator, field, referenceFields, wrong, advice);
  return { secretId, rotation: { everyDays, administratorId } };
}

/** The name or the ARN, or "" after a complaint. */
function parseReference(
  value: unknown,
  field: string,
  known: Readonly<Record<string, true>>,
  wrong: Complain,
  advice: UnknownFieldAdvice,
): string {
  if (!isRecord(value)) {
    wrong(field, 'must be an object like { secretName: "looker/sales" }');
    return "";
  }
  refuseUnknown(value, known, within(field, wrong), advice);
  const { secretName, secretArn, encryptionKeyArn } = value;
  if (
    encryptionKeyArn !== undefined &&
    !(typeof encryptionKeyArn === "string" && keyArnShape.test(encryptionKeyArn))
  )
    wrong(`${field}.encryptionKeyArn`, "must be the ARN of a KMS key (not of an alias)");
  if ((secretName === undefined) === (secretArn === undefined))
    wrong(field, "needs either secretName or secretArn");
  else if (secretArn !== undefined) {
    if (typeof secretArn === "string" && secretArnShape.test(secretArn)) return secretArn;
    wrong(`${field}.secretArn`, "must be a full secret ARN, ending in - and six characters");
  } else if (typeof secretName === "string" && /^[\w/+=.@-]{1,512}$/.test(secretName)) return secretName;
  else if (String(secretName).startsWith("arn:"))
    wrong(`${field}.secretName`, "is an ARN: write it as secretArn");
  else wrong(`${field}.secretName`, "must be 1 to 512 of letters, digits and /_+=.@-");
  return "";
}
