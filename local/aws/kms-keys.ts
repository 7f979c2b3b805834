/** Which key a KeyId means, and whether it may be used. */
import { randomBytes } from "node:crypto";
import { ServiceError } from "./json-protocol.ts";
import { fingerprint } from "./kms-ciphertext.ts";

export interface KmsKey {
  /** arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab */
  arn: string;
  /** alias/looker-token-broker */
  aliases?: string[];
}

export type KeyState = "Enabled" | "Disabled" | "PendingDeletion";

export interface HeldKey {
  arn: string;
  aliases: string[];
  state: KeyState;
  material: Buffer;
  createdAt: number;
}

export function createKeys() {
  const keys = new Map<string, HeldKey>();

  function add({ arn, aliases = [] }: KmsKey): void {
    if (!/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(arn))
      throw new Error(`Not the ARN of a KMS key: ${arn}`);
    const bad = aliases.find((alias) => !/^alias\/[\w/-]+$/.test(alias));
    if (bad !== undefined) throw new Error(`Not a KMS alias: ${bad}`);
    const held = keys.get(arn);
    if (held) held.aliases.push(...aliases);
    // Key material of this process only: what another run sealed is unreadable, as its table is gone too.
    else
      keys.set(arn, {
        arn,
        aliases,
        state: "Enabled",
        material: randomBytes(32),
        createdAt: Date.now() / 1000,
      });
  }

  /** Id, ARN, alias or alias ARN: https://docs.aws.amazon.com/kms/latest/developerguide/find-cmk-id-arn.html */
  function find(keyId: string): HeldKey {
    if (keyId.length === 0 || keyId.length > 2048) {
      throw new ServiceError(
        "ValidationException",
        "1 validation error detected: Value at 'keyId' failed to satisfy constraint: Member must have length between 1 and 2048",
      );
    }
    const found = [...keys.values()].find((key) => {
      const arnPrefix = key.arn.slice(0, key.arn.indexOf(":key/") + 1);
      const id = key.arn.slice(key.arn.indexOf("/") + 1);
      return (
        keyId === key.arn ||
        keyId === id ||
        key.aliases.some((alias) => keyId === alias || keyId === arnPrefix + alias)
      );
    });
    if (!found) throw new ServiceError("NotFoundException", notFound(keyId));
    return found;
  }

  function notFound(keyId: string): string {
    const [first] = keys.keys();
    const arnPrefix = first?.slice(0, first.indexOf(":key/") + 1) ?? "";
    if (/^(arn:.*:)?alias\//.test(keyId)) {
      return `Alias ${keyId.startsWith("arn:") ? keyId : arnPrefix + keyId} is not found.`;
    }
    if (keyId.startsWith("arn:")) return `Key '${keyId}' does not exist`;
    const isId = /^(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(keyId);
    return isId ? `Key '${arnPrefix}key/${keyId}' does not exist` : `Invalid keyId ${keyId}`;
  }

  function setState(arn: string, state: KeyState): void {
    const key = keys.get(arn);
    if (!key) throw new Error(`No such KMS key here: ${arn}`);
    key.state = state;
  }

  function byFingerprint(hex: string | undefined): HeldKey | undefined {
    return [...keys.values()].find((key) => fingerprint(key.arn).toString("hex") === hex);
  }

  return { add, find, byFingerprint, setState };
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
export function requireEnabled(key: HeldKey): HeldKey {
  if (key.state === "Disabled") throw new ServiceError("DisabledException", `${key.arn} is disabled.`);
  if (key.state !== "Enabled")
    throw new ServiceError("KMSInvalidStateException", `${key.arn} is pending deletion.`);
  return key;
}
