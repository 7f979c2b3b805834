/** Secrets, their versions and the labels on them, as Secrets Manager moves them. */
import { randomInt, randomUUID } from "node:crypto";
import { ServiceError } from "./json-protocol.ts";

export type SecretContent = { SecretString: string } | { SecretBinary: string };

export interface SecretVersion {
  id: string;
  content: SecretContent;
  createdAt: number;
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
    if (existing) {
      // A retry. Its labels may have moved on meanwhile, and stay where they are.
      if (JSON.stringify(existing.content) === JSON.stringify(content)) return existing;
      throw new ServiceError(
        "ResourceExistsException",
        `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    }
    const version = { id, content, createdAt: nowSeconds() };
    // The first version is current, whatever else it is.
    const all = secret.versions.size === 0 ? new Set([...labels, "AWSCURRENT"]) : new Set(labels);
    secret.versions.set(id, version);
    for (const label of all) moveLabel(secret, label, id);
    return version;
  }

  function moveLabel(secret: StoredSecret, label: string, versionId: string | undefined): void {
    const before = secret.labels.get(label);
    if (versionId === undefined) secret.labels.delete(label);
    else secret.labels.set(label, versionId);
    if (label === "AWSCURRENT" && before !== undefined && before !== versionId) {
      secret.labels.set("AWSPREVIOUS", before);
    }
    secret.changedAt = nowSeconds();
  }

  return {
    create,
    find,
    addVersion,
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

export function labelsOf(secret: StoredSecret, versionId: string): string[] {
  return [...secret.labels]
    .filter(([, id]) => id === versionId)
    .map(([label]) => label)
    .sort();
}

function suffix(): string {
  return Array.from({ length: 6 }, () => SUFFIX_CHARACTERS[randomInt(SUFFIX_CHARACTERS.length)]).join("");
}
