/** Secrets, their versions and the labels on them, as Secrets Manager moves them. */
import { randomInt, randomUUID } from "node:crypto";
import { ServiceError } from "./json-protocol.ts";
import { type RotationRules, type RotationWindow, windowAfter } from "./rotation-rules.ts";

export type SecretContent = { SecretString: string } | { SecretBinary: string };

export interface SecretVersion {
  id: string;
  /** None in a version that a rotation has begun and not filled. */
  content?: SecretContent;
  createdAt: number;
}

/** Times are epoch seconds. */
export interface SecretRotation {
  enabled: boolean;
  functionArn: string;
  rules?: RotationRules;
  lastRotatedAt?: number;
  window?: RotationWindow;
  /** The rotation that has not come to its end. */
  attempt?: RotationAttempt;
}

export interface RotationAttempt {
  readonly versionId: string;
  readonly failures: number;
  /** None while its steps run. */
  readonly retryAt?: number;
}

export interface StoredSecret {
  arn: string;
  name: string;
  description?: string;
  kmsKeyId?: string;
  createdAt: number;
  changedAt: number;
  deletedAt?: number;
  versions: Map<string, SecretVersion>;
  /** A label is on one version at most. */
  labels: Map<string, string>;
  rotation?: SecretRotation;
}

const SUFFIX_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const COMPLETE_ARN = /^(arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:)(.+)-[A-Za-z0-9]{6}$/;

export type SecretStore = ReturnType<typeof createSecretStore>;

/** `arnPrefix`: arn:aws:secretsmanager:REGION:ACCOUNT:secret: */
export function createSecretStore(arnPrefix: string, nowSeconds: () => number) {
  /** Not by name, because secrets of two accounts may have the same. */
  const byArn = new Map<string, StoredSecret>();

  function create(name: string, arn = `${arnPrefix}${name}-${suffix()}`): StoredSecret {
    const at = nowSeconds();
    const secret = { arn, name, createdAt: at, changedAt: at, versions: new Map(), labels: new Map() };
    byArn.set(arn, secret);
    return secret;
  }

  /**
   * By name, ARN, or ARN without the six characters; but of an ARN that ends in a hyphen and six characters AWS takes
   * these for the suffix, so that the partial ARN of `looker-broker` finds nothing.
   * https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
   */
  function find(secretId: string): StoredSecret | undefined {
    const all = [...byArn.values()];
    if (!secretId.startsWith("arn:"))
      return all.find(({ name, arn }) => name === secretId && arn.startsWith(arnPrefix));
    const exact = byArn.get(secretId);
    if (exact || COMPLETE_ARN.test(secretId)) return exact;
    return all.find(({ arn }) => arn.slice(0, -"-XXXXXX".length) === secretId);
  }

  function addVersion(
    secret: StoredSecret,
    content: SecretContent,
    labels: string[] = ["AWSCURRENT"],
    id: string = randomUUID(),
  ): SecretVersion {
    const existing = secret.versions.get(id);
    if (existing?.content) {
      // A retry. Its labels may have moved on meanwhile, and stay where they are.
      if (JSON.stringify(existing.content) === JSON.stringify(content)) return existing;
      throw new ServiceError(
        "ResourceExistsException",
        `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    }
    const version = { id, content, createdAt: nowSeconds() };
    // The first version is current, whatever else it is.
    const all = new Set(secret.labels.has("AWSCURRENT") ? labels : [...labels, "AWSCURRENT"]);
    secret.versions.set(id, version);
    for (const label of all) moveLabel(secret, label, id);
    if (all.has("AWSCURRENT")) supersedeRotation(secret, all.has("AWSPENDING"));
    return version;
  }

  /**
   * A new current value ends the rotation under way: "Secrets Manager removes the AWSPENDING label to allow future rotations to
   * succeed", https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html (RotationAbandoned). Recorded
   * on AWS by LocalStack's test_update_secret_version_stages_current_pending. Dates are counted from it: "a valid rotation",
   * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
   */
  function supersedeRotation(secret: StoredSecret, keepsPending: boolean): void {
    if (!keepsPending) moveLabel(secret, "AWSPENDING", undefined);
    if (!secret.rotation) return;
    if (secret.rotation.attempt?.versionId !== secret.labels.get("AWSCURRENT"))
      delete secret.rotation.attempt;
    scheduleNext(secret.rotation, nowSeconds());
  }

  /** Before its function runs: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html */
  function addPending(secret: StoredSecret, id: string, content?: SecretContent): void {
    secret.versions.set(id, { id, createdAt: nowSeconds(), ...(content && { content }) });
    moveLabel(secret, "AWSPENDING", id);
  }

  function moveLabel(secret: StoredSecret, label: string, versionId: string | undefined): void {
    const before = secret.labels.get(label);
    if (versionId === undefined) secret.labels.delete(label);
    else secret.labels.set(label, versionId);
    if (label === "AWSCURRENT" && before !== undefined && before !== versionId) {
      secret.labels.set("AWSPREVIOUS", before);
    }
    // Nothing is left of a version without value and label.
    const left = before === undefined ? undefined : secret.versions.get(before);
    if (left && !left.content && labelsOf(secret, left.id).length === 0) secret.versions.delete(left.id);
    secret.changedAt = nowSeconds();
  }

  return {
    create,
    find,
    all: () => [...byArn.values()],
    addVersion,
    addPending,
    moveLabel,
    remove: (secret: StoredSecret) => void byArn.delete(secret.arn),
    /** For the process that runs this: creates what is missing, and makes the value current. */
    put(nameOrArn: string, content: SecretContent): { arn: string; versionId: string } {
      const [, , nameInArn] = COMPLETE_ARN.exec(nameOrArn) ?? [];
      const secret = find(nameOrArn) ?? create(nameInArn ?? nameOrArn, nameInArn ? nameOrArn : undefined);
      return { arn: secret.arn, versionId: addVersion(secret, content).id };
    },
  };
}

/** Has rotation rules count from `fromSeconds`. */
export function scheduleNext(rotation: SecretRotation, fromSeconds: number): void {
  const window = rotation.rules && windowAfter(rotation.rules, fromSeconds);
  if (window) rotation.window = window;
}

/** The version of a rotation that is not at its end, also after a cancellation. */
export function pendingVersionOf({ labels }: StoredSecret): string | undefined {
  const pending = labels.get("AWSPENDING");
  return pending === labels.get("AWSCURRENT") ? undefined : pending;
}

export function labelsOf(secret: StoredSecret, versionId: string): string[] {
  return [...secret.labels]
    .filter(([, id]) => id === versionId)
    .map(([label]) => label)
    .sort();
}

function suffix(): string {
  return Array.from({ length: 6 }, () => SUFFIX_CHARACTERS[randomInt(SUFFIX_CHARACTERS.length)]).join("");
}
