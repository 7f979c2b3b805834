/**
 * Rows ↔ DynamoDB items: keys, attribute names, derived attributes. Reading is strict: what cannot be read is not served.
 */
import { createHash } from "node:crypto";
import type { Attempt, ScopeControl, SecretControl } from "../domain/control.ts";
import type { Failure } from "../domain/failures.ts";
import type { OutboxToken, SupersededToken, TrackedToken } from "../domain/lease.ts";
import { isCallerArn } from "../domain/principal.ts";
import { isSessionName, type SessionBudget } from "../domain/session-budget.ts";
import { deletableAt, dueAt, type Mint, type Slot } from "../domain/slot.ts";
import type { CallerKey, DueRow, SlotKey } from "../use-cases/ports.ts";
import { readRotation, rotationItem } from "./rotation-item.ts";
import {
  checkSchema,
  head,
  type Item,
  type ItemKey,
  isSha256,
  list,
  number,
  numbers,
  optional,
  record,
  text,
  UnreadableRow,
  version,
} from "./row-values.ts";

/** A scope's slots are spread over this many partitions: "everything in a scope" is as many queries. */
export const slotPartitions = 16;
/** Partitions of the index of due rows. */
export const dueShards = 8;

const bucket = (text: string, buckets: number) =>
  createHash("sha256").update(text).digest().readUInt32BE(0) % buckets;

/** All rows of a caller are in one partition: the hash is of the caller alone. */
export function slotKey(key: SlotKey): ItemKey {
  const { pk, from } = ownSlotKeys(key);
  return { pk, sk: key.session === undefined ? from : `${from}#session#${key.session}` };
}

/**
 * The range of a caller's slots: its shared one and those of its sessions, whose names are of letters, digits and `._-`. An id
 * that is longer by a letter begins with the same text, and lies beyond `to`: `#` comes before all of them.
 */
export function ownSlotKeys({ scope, account, uniqueId }: CallerKey): {
  pk: string;
  from: string;
  to: string;
} {
  const name = `caller#${account}#${uniqueId}`;
  return {
    pk: slotPartitionKey(scope, bucket(name, slotPartitions)),
    from: name,
    to: `${name}#session#~`,
  };
}

export function sessionBudgetKey(caller: CallerKey): ItemKey {
  return { pk: ownSlotKeys(caller).pk, sk: `sessions#${caller.account}#${caller.uniqueId}` };
}
export const slotPartitionKey = (scope: string, partition: number) => `scope#${scope}#${partition}`;
export const scopeControlKey = (scope: string): ItemKey => ({ pk: `scope#${scope}`, sk: "#control" });
export const secretControlKey = (secretId: string): ItemKey => ({ pk: `secret#${secretId}`, sk: "#control" });

export function slotItem(key: SlotKey, slot: Slot, now: number): Item {
  const itemKey = slotKey(key);
  const dueTime = dueAt(slot);
  return {
    ...itemKey,
    ...head(slot),
    names: slot.names,
    lease: slot.lease && tokenItem(slot.lease),
    superseded: slot.superseded.map((token) => ({ ...tokenItem(token), replaced: token.replaced })),
    outbox: slot.outbox.map((token) => ({
      ...tokenItem(token),
      since: token.since,
      attempts: token.attempts,
      retry_at: token.retryAt,
    })),
    mint: slot.mint,
    failures: slot.failures,
    minted_at: slot.mintedAt,
    ...(dueTime === undefined ? {} : due(itemKey.sk, dueTime)),
    ttl: Math.ceil(deletableAt(slot, now) / 1_000),
  };
}

export function readSlot(item: Item): Slot {
  checkSchema(item);
  return {
    ...version(item),
    names: list(item.names, (name) => text(name, isCallerArn)),
    lease: optional(item.lease, readToken),
    superseded: list(item.superseded, readSupersededToken),
    outbox: list(item.outbox, readOutboxToken),
    mint: optional(item.mint, readMint),
    failures: list(item.failures, readFailure),
    mintedAt: Object.fromEntries(
      Object.entries(record(item.minted_at)).map(([digest, times]) => [digest, list(times, number)]),
    ),
  };
}

export function scopeControlItem(scope: string, { epoch, frozen, job, ...row }: ScopeControl): Item {
  const key = scopeControlKey(scope);
  return {
    ...key,
    ...head(row),
    epoch,
    frozen,
    ...(job
      ? { job: { epoch: job.epoch, at: job.at, next_partition: job.nextPartition }, ...due(key.pk, job.at) }
      : {}),
  };
}

export function readScopeControl(item: Item): ScopeControl {
  checkSchema(item);
  const frozen = optional(item.frozen, (value) => {
    const { by, at, reason } = record(value);
    return { by: text(by), at: number(at), reason: text(reason) };
  });
  const job = optional(item.job, (value) => {
    const { epoch, at, next_partition } = record(value);
    return { epoch: number(epoch), at: number(at), nextPartition: number(next_partition) };
  });
  return { ...version(item), epoch: number(item.epoch), frozen, job };
}

export const sessionBudgetItem = (caller: CallerKey, row: SessionBudget, now: number): Item => ({
  ...sessionBudgetKey(caller),
  ...head(row),
  minutes: row.minutes,
  failures: row.failures,
  probes: row.probes,
  settled: row.settled,
  ttl: Math.ceil(now / 1_000) + 86_400,
});

export function readSessionBudget(item: Item): SessionBudget {
  checkSchema(item);
  return {
    ...version(item),
    minutes: numbers(item.minutes),
    failures: list(item.failures, readFailure),
    probes: numbers(item.probes),
    settled: list(item.settled, (owner) => text(owner)),
  };
}

export const secretControlItem = (secretId: string, row: SecretControl): Item => ({
  ...secretControlKey(secretId),
  ...head(row),
  attempts: row.attempts.map(({ versionId, baseUrl, clientId, ...attempt }) => ({
    ...attempt,
    version_id: versionId,
    base_url: baseUrl,
    client_id: clientId,
  })),
  throttles: row.throttles.map(({ baseUrl, until }) => ({ base_url: baseUrl, until })),
  denied_client_ids: row.deniedClientIds,
  rotation: row.rotation && rotationItem(row.rotation),
});

export function readSecretControl(item: Item): SecretControl {
  checkSchema(item);
  return {
    ...version(item),
    attempts: list(item.attempts, readAttempt),
    throttles: list(item.throttles, (value) => {
      const { base_url, until } = record(value);
      return { baseUrl: text(base_url), until: number(until) };
    }),
    deniedClientIds: list(item.denied_client_ids, (id) => text(id)),
    rotation: optional(item.rotation, readRotation),
  };
}

function readAttempt(value: unknown): Attempt {
  const { version_id, base_url, state, owner, at, until, client_id } = record(value);
  if (state !== "trying" && state !== "worked" && state !== "rejected") throw new UnreadableRow("attempt");
  return {
    versionId: text(version_id),
    baseUrl: text(base_url),
    state,
    owner: text(owner),
    at: number(at),
    until: number(until),
    clientId: text(client_id),
  };
}

/** Attributes of the sparse index. Whole seconds, rounded up: a row is never looked at too early to act. */
const due = (name: string, at: number): Item => ({
  due_shard: dueShard(bucket(name, dueShards)),
  due_at: Math.ceil(at / 1_000),
});
export const dueShard = (shard: number) => `due#${shard}`;

/** What an entry of the index stands for; undefined for a key that no row of ours has. */
export function readDueKey(item: Item): DueRow | undefined {
  const [, scope, partition] = /^scope#([a-z0-9-]+)(?:#(\d+))?$/.exec(text(item.pk)) ?? [];
  if (scope === undefined) return undefined;
  // An edited time makes nothing late, and keeps nothing from being swept.
  const dueAt = Number.isSafeInteger(item.due_at) ? Number(item.due_at) * 1_000 : Number.POSITIVE_INFINITY;
  if (partition === undefined) return { kind: "scope", scope, dueAt };
  const key = readSlotKey(scope, item);
  return key && { kind: "slot", key, dueAt };
}

/** Undefined for a key that no slot has. */
export function readSlotKey(scope: string, item: Item): SlotKey | undefined {
  const [, account, uniqueId, session] =
    /^caller#(\d{12})#([A-Z0-9]+)(?:#session#(.+))?$/.exec(text(item.sk)) ?? [];
  if (!account || !uniqueId) return undefined;
  if (session === undefined) return { scope, account, uniqueId };
  return isSessionName(session) ? { scope, account, uniqueId, session } : undefined;
}

function tokenItem(token: TrackedToken): Item {
  return {
    lease_id: token.leaseId,
    sealed: token.sealed,
    base_url: token.baseUrl,
    client_id: token.clientId,
    issued_at: token.issuedAt,
    ends_at: token.endsAt,
    looker_ends_at: token.lookerEndsAt,
    epoch: token.epoch,
    token_sha256: token.tokenSha256,
    digest: token.digest,
  };
}

function readToken(value: unknown): TrackedToken {
  const item = record(value);
  const sealed = item.sealed;
  if (!(sealed instanceof Uint8Array)) throw new UnreadableRow("sealed");
  return {
    leaseId: text(item.lease_id),
    sealed,
    baseUrl: text(item.base_url),
    clientId: text(item.client_id),
    issuedAt: number(item.issued_at),
    endsAt: number(item.ends_at),
    lookerEndsAt: number(item.looker_ends_at),
    epoch: number(item.epoch),
    tokenSha256: text(item.token_sha256, isSha256),
    digest: text(item.digest),
  };
}

function readSupersededToken(value: unknown): SupersededToken {
  const { replaced } = record(value);
  if (typeof replaced !== "boolean") throw new UnreadableRow("superseded");
  return { ...readToken(value), replaced };
}

function readOutboxToken(value: unknown): OutboxToken {
  const { since, attempts, retry_at } = record(value);
  return { ...readToken(value), since: number(since), attempts: number(attempts), retryAt: number(retry_at) };
}

function readMint(value: unknown): Mint {
  const { owner, since, until, epoch, doomed } = record(value);
  if (typeof doomed !== "boolean") throw new UnreadableRow("mint");
  return { owner: text(owner), since: number(since), until: number(until), epoch: number(epoch), doomed };
}

const failureCodes = ["looker_rejected_credentials", "looker_unavailable", "busy"] as const;

function readFailure(value: unknown): Failure {
  const { digest, code, detail, at, until, count } = record(value);
  const known = failureCodes.find((name) => name === code);
  if (!known) throw new UnreadableRow("failure");
  return {
    digest: text(digest),
    code: known,
    detail: optional(detail, text),
    at: number(at),
    until: number(until),
    count: number(count),
  };
}
