/** The outside of a rotation, as ports: the versions of a secret, and the pairs of an account. */
import type { LookerCredential, LookerUser } from "../domain/account.ts";
import type { Asked } from "./ports.ts";

/** A secret without its values. */
export interface DescribedSecret {
  readonly arn: string;
  readonly name: string;
  readonly rotationEnabled: boolean;
  readonly rotationFunctionArn?: string | undefined;
  /** Epoch milliseconds, as all times here. */
  readonly lastRotatedAt?: number | undefined;
  readonly nextRotationAt?: number | undefined;
  /** Version id → its stages. A version without a stage is not in it. */
  readonly stages: ReadonlyMap<string, readonly string[]>;
}

export type Stage = "AWSCURRENT" | "AWSPENDING";

/** The value of one version. */
export interface StoredPair {
  readonly versionId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Other fields of the secret. The next version keeps them. */
  readonly others: Readonly<Record<string, unknown>>;
}

export interface NewVersion {
  readonly versionId: string;
  readonly pair: Omit<StoredPair, "versionId">;
  /** Of the event: Secrets Manager checks it where a rotation works across accounts. */
  readonly rotationToken?: string | undefined;
}

/** Secrets Manager. Each method throws `UnusableSecret`, or `Unavailable` when the change may or may not have been made. */
export interface SecretVersions {
  describe(secretId: string): Promise<DescribedSecret>;
  /** Undefined where the version, or the stage, has no value. Never from memory. */
  read(
    secretId: string,
    which: { versionId: string; stage?: never } | { versionId?: never; stage: Stage },
  ): Promise<StoredPair | undefined>;
  /** Stores a pending version. @returns false if the version has another value */
  putPending(secretId: string, version: NewVersion): Promise<boolean>;
  /** @param to absent: the stage goes away. @returns false if the stage is not where it was */
  moveStage(secretId: string, stage: Stage, from: string, to?: string): Promise<boolean>;
}

export interface CreatedCredential extends LookerCredential {
  readonly clientSecret: string;
}

/** The pairs of any account, with the token of somebody who may manage them. No method throws. */
export interface LookerPairs {
  /** `GET /users/credential/api3/{client_id}`. */
  ownerOf(baseUrl: string, token: string, clientId: string): Promise<Asked<LookerUser>>;
  /** `GET /users/{id}/credentials_api3`. */
  list(baseUrl: string, token: string, userId: string): Promise<Asked<readonly LookerCredential[]>>;
  /** `POST /users/{id}/credentials_api3`, sent once. */
  create(baseUrl: string, token: string, userId: string): Promise<Asked<CreatedCredential>>;
  /** `PATCH …/{pair id}`: the free text that Looker shows with the pair. */
  mark(
    baseUrl: string,
    token: string,
    pair: { userId: string; pairId: string; purpose: string },
  ): Promise<Asked<LookerCredential>>;
  /** `DELETE …/{pair id}`. */
  remove(baseUrl: string, token: string, pair: { userId: string; pairId: string }): Promise<Asked<undefined>>;
}
