/** The outside of the use cases, as ports: nouns, implemented in adapters/, and in memory by tests. */
import type { LookerAccount, LookerRole, LookerUser } from "../domain/account.ts";
import type { AccountCheck } from "../domain/account-check.ts";
import type { ScopeControl, SecretControl, Versioned } from "../domain/control.ts";
import type { SessionBudget } from "../domain/session-budget.ts";
import type { Slot } from "../domain/slot.ts";

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** Fresh, unguessable names: write ids, lock owners, lease ids. */
export interface Ids {
  next(): string;
}

/** A caller in a scope. */
export interface CallerKey {
  readonly scope: string;
  readonly account: string;
  /** The caller's immutable IAM id. */
  readonly uniqueId: string;
}

/** A slot's identity: the parts of its key. */
export interface SlotKey extends CallerKey {
  /** Absent for the shared slot, the one of all processes of the caller without a session. */
  readonly session?: string | undefined;
}

/**
 * A dependency did not answer, or answered that it cannot now. A write with this failure may or may not have taken
 * effect.
 */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  readonly dependency: "dynamodb" | "kms" | "secretsmanager";
  constructor(dependency: Unavailable["dependency"], options?: { cause?: unknown }) {
    super(`${dependency} is not available`, options);
    this.dependency = dependency;
  }
  /** For the audit record. */
  get reason(): `${Unavailable["dependency"]}_unavailable` {
    return `${this.dependency}_unavailable`;
  }
}

/** Rows of one kind under conditional writes. Reads are strongly consistent. */
export interface Rows<Key, Row extends Versioned> {
  read(key: Key): Promise<Row>;
  /**
   * Writes the row only if the stored version is `expectedVersion`. With 0, it writes only if no row is stored.
   * @returns whether the condition held. @throws {Unavailable} when the write may or may not have happened.
   */
  write(key: Key, row: Row, expectedVersion: number): Promise<boolean>;
}

export interface SlotTable {
  readonly slots: Rows<SlotKey, Slot>;
  readonly scopeControls: Rows<string, ScopeControl>;
  readonly secretControls: Rows<string, SecretControl>;
  readonly sessionBudgets: Rows<CallerKey, SessionBudget>;
  /** One round trip: the hot path. */
  readForIssue(key: SlotKey): Promise<{ slot: Slot; control: ScopeControl }>;
  /** One round trip, after the lock. */
  readControls(
    scope: string,
    secretId: string,
  ): Promise<{ control: ScopeControl; secretControl: SecretControl }>;
  /** The shared slot and all sessions of one caller, page by page, and nobody else's. Strongly consistent. */
  queryOwnSlots(caller: CallerKey, after?: string): Promise<SlotPage>;
}

/** A slot with the key it was read under. */
export interface KeyedSlot {
  readonly key: SlotKey;
  readonly slot: Slot;
}

export interface SlotPage {
  /** In the order of their keys: a caller's shared slot, then its sessions. */
  readonly entries: readonly KeyedSlot[];
  /** Edited rows, and rows written by a newer version. They are never served, and the other rows are handled as usual. */
  readonly unreadable: number;
  /** Where to go on in this partition. Undefined at its end. */
  readonly next: string | undefined;
}

/** `dueAt`: epoch milliseconds. */
export type DueRow = { readonly dueAt: number } & (
  | { kind: "slot"; key: SlotKey }
  | { kind: "scope"; scope: string }
);

/** The table with the queries of operators and the sweeper. */
export interface BrokerTable extends SlotTable {
  /** By scope. */
  readonly accountChecks: Rows<string, AccountCheck>;
  /** Everything in a scope is in this many partitions. */
  readonly slotPartitions: number;
  /** Strongly consistent, because no index is trusted for revocation. */
  querySlots(
    scope: string,
    partition: number,
    options?: { account?: string | undefined; after?: string | undefined; limit?: number | undefined },
  ): Promise<SlotPage>;
  /**
   * Rows due by `now`, page by page, the longest due first within a shard of the index. The index is eventually consistent: each
   * row is read again.
   */
  queryDue(now: number): AsyncIterable<readonly DueRow[]>;
}

/**
 * The context of a sealed token. `table`, `scope`, `account`, `caller` and `session` come from the row's key, the rest from
 * the row. The seal is bound to all of them, so an edited or swapped row cannot be unsealed.
 */
export interface SealContext {
  readonly table: string;
  readonly scope: string;
  readonly account: string;
  readonly caller: string;
  /** `-` for the shared slot, because no session can have this name. */
  readonly session: string;
  readonly lease_id: string;
  readonly base_url: string;
  readonly client_id: string;
}

/** All but the table. The adapter adds the table. */
export type SealIdentity = Omit<SealContext, "table">;

/** An edited or swapped row or ciphertext, or a row written by a newer version. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** The context for a token of this slot. Sealing and unsealing take it from here, because both need the same one. */
export function sealIdentity(
  { scope, account, uniqueId, session = "-" }: SlotKey,
  { leaseId, baseUrl, clientId }: { leaseId: string; baseUrl: string; clientId: string },
): SealIdentity {
  return {
    ...{ scope, account, caller: uniqueId, session },
    ...{ lease_id: leaseId, base_url: baseUrl, client_id: clientId },
  };
}

/** Times one remote call. */
export type TimeCall = <Result>(call: () => Promise<Result>) => Promise<Result>;

/** A port with a cache. Only the port itself can tell a cached answer from a remote call. */
export interface Remembering<Port> {
  /** The same port with the same cache. `time` runs each remote call, and nothing else. */
  timedBy?(time: TimeCall): Port;
}

export interface Sealer extends Remembering<Sealer> {
  seal(token: string, context: SealIdentity): Promise<Uint8Array>;
  /** @throws {Unreadable} when the row was edited or swapped, {@link Unavailable} when KMS cannot be asked. */
  unseal(sealed: Uint8Array, context: SealIdentity): Promise<string>;
}

export interface ClientSecret {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly versionId: string;
  /** When it was read from Secrets Manager. */
  readonly readAt: number;
}

/** The secret is missing, denied, or not the JSON it should be. `reason` names the case, and never holds the secret's content. */
export class UnusableSecret extends Error {
  override readonly name = "UnusableSecret";
  readonly reason: "not_found" | "access_denied" | "malformed" | "deleted";
  constructor(reason: UnusableSecret["reason"], options?: { cause?: unknown }) {
    super(`the client secret cannot be used: ${reason}`, options);
    this.reason = reason;
  }
}

export interface ClientSecrets extends Remembering<ClientSecrets> {
  /** At most five minutes old. */
  current(secretId: string): Promise<ClientSecret>;
  /**
   * Read anew, but not more often than every ten seconds.
   * @param outdatedAt a copy that was read by then is of no use, however young it is
   */
  reread(secretId: string, outdatedAt?: number): Promise<ClientSecret>;
}

/** `reason` is from a fixed vocabulary: an error code of Node's, `status_` and a number, or a word of the adapter's. */
export type LoginOutcome =
  | { kind: "token"; accessToken: string; expiresInSeconds: number }
  /** Looker's own JSON 404 (or 400, 401): wrong credentials, a wrong URL, or a lock-out. */
  | { kind: "rejected" }
  | { kind: "throttled"; retryAfterSeconds: number | undefined }
  /** The login certainly did not reach Looker: connection refused, no such host, a failed certificate or handshake. */
  | { kind: "unreached"; reason: string }
  /**
   * A clear answer other than a login. `unusableToken`: the answer names a token that cannot be served and can be ended.
   * `tokenLost`: a token seems to have been made, and the answer does not show it.
   */
  | { kind: "failed"; reason: string; unusableToken?: string | undefined; tokenLost?: boolean | undefined }
  /** The login was sent and not answered. Looker may have made a token that nobody holds now. */
  | { kind: "unknown"; reason: string };

export type LogoutOutcome =
  /** Looker confirmed the token dead. */
  | "ended"
  /** A clear answer without this confirmation. */
  | "unconfirmed"
  /** Looker, or a proxy in front of it, is not well: 429 or 5xx. */
  | "failed"
  /** The logout was sent, and no whole answer came. */
  | "timed_out"
  /** There was no connection. */
  | "unreached"
  /** Nothing was sent. */
  | "not_tried";

export interface Looker {
  /** One attempt. Never throws. */
  login(baseUrl: string, credentials: { clientId: string; clientSecret: string }): Promise<LoginOutcome>;
  /** Never throws. */
  logout(baseUrl: string, token: string): Promise<LogoutOutcome>;
}

/** The answer to a question about users and their pairs. */
export type Asked<Value> =
  | { readonly kind: "ok"; readonly value: Value }
  /** Looker's own JSON error: 403 and 404 for a missing permission or thing, 409 and 422 for an input that it refuses. */
  | { readonly kind: "refused"; readonly status: number }
  /** Certainly not done. `reason` as of {@link LoginOutcome}. */
  | { readonly kind: "failed"; readonly reason: string }
  /** Sent, and no whole answer came. A change may have been made. */
  | { readonly kind: "unknown"; readonly reason: string };

/** The token's own account. No method throws. */
export interface LookerUsers {
  /** `GET /user`. */
  me(baseUrl: string, token: string): Promise<Asked<LookerUser>>;
  /** `GET /users/{id}`. */
  account(baseUrl: string, token: string, userId: string): Promise<Asked<LookerAccount>>;
  /** `GET /users/{id}/roles`. */
  roles(baseUrl: string, token: string, userId: string): Promise<Asked<readonly LookerRole[]>>;
}
