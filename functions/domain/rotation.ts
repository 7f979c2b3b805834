/**
 * The memory of a secret's rotation: the invocation at work, the pair under way, and the old pairs waiting for their end. Pure.
 *
 *   queued ──▶ moved ──(a day)──▶ denied ──(nothing left of it)──▶ deleted ──▶ forgotten
 *     ▲          │                  │ (by an operator: five minutes) ▲
 *     └──────────┴── current again ─┘
 */
import { clockSkewMs } from "./lease.ts";

/** `rotation` of `secret#<canonical id>` / `#control`. */
export interface Rotation {
  readonly lock?: RotationLock | undefined;
  readonly created?: CreatedPair | undefined;
  readonly retiring: readonly RetiringPair[];
}

/** Held by the one invocation with the right to change pairs and stages of the secret. */
export interface RotationLock {
  readonly owner: string;
  /** The end of the invocation. By then nothing of it is under way. */
  readonly until: number;
}

/** A new pair, written ahead. The next run tidies up after a killed one. */
export interface CreatedPair {
  readonly versionId: string;
  readonly userId: string;
  /** When the pair was about to be made. */
  readonly at: number;
  /** Looker's ids of the earlier pairs. */
  readonly before: readonly string[];
  /** Looker's id of the new pair. Undefined until Looker's answer is noted. */
  readonly pairId?: string | undefined;
}

/** A pair with a successor. It works until it is denied. */
export interface RetiringPair {
  readonly clientId: string;
  /** Looker's id of its account. */
  readonly userId: string;
  readonly versionId: string;
  readonly queuedAt: number;
  /** Since when another pair is current. Undefined while this one is. */
  readonly movedAt?: number | undefined;
  readonly denied?: { readonly at: number; readonly by: "operator" | "rotation" } | undefined;
  /** When Looker confirmed it. */
  readonly deletedAt?: number | undefined;
}

export const noRotation: Rotation = { retiring: [] };

/** Frequent rotations wait for the pairs before them: the row stays small. */
export const maxRetiring = 10;

const dayMs = 86_400_000;
/** How long an old pair stays usable, for a rollback. */
export const rollbackMs = dayMs;
/** A leaked pair logs a thief in until it is deleted. Callers with its tokens get this much time. */
export const operatorDenialMs = 300_000;
/**
 * From its denial on until nobody can be at a login with the pair any more: longer than an invocation of any function that read
 * the control item before.
 */
export const denialSettlesMs = 120_000;
/** Longer than instances keep a secret in memory (five minutes). Until then a login with the pair is refused unsent. */
export const secretForgottenMs = 600_000;
/** A retirement takes a day and some minutes. */
const unretiredAfterMs = 2 * dayMs;

export type Locking = "taken" | "taken_over" | "held";

/** A lock runs out when its run was killed. Perhaps this run left a token at Looker. */
export function takeLock(
  rotation: Rotation,
  lock: RotationLock,
  now: number,
): { next?: Rotation; outcome: Locking } {
  const held = rotation.lock;
  if (held?.owner === lock.owner) return { outcome: "taken" };
  if (held && now < held.until + clockSkewMs) return { outcome: "held" };
  return { next: { ...rotation, lock }, outcome: held ? "taken_over" : "taken" };
}

export function releaseLock(rotation: Rotation, owner: string): Rotation | undefined {
  return rotation.lock?.owner === owner ? { ...rotation, lock: undefined } : undefined;
}

export const isKnown = ({ retiring }: Rotation, clientId: string): boolean =>
  retiring.some((pair) => pair.clientId === clientId);

export const hasRoom = ({ retiring }: Rotation, pairs = 1): boolean => retiring.length + pairs <= maxRetiring;

/**
 * To be done before the stage moves. A current pair is not retired, and a forgotten one would stay for ever.
 * @param denied by an operator, before the rotation
 */
export function queuePair(
  rotation: Rotation,
  { clientId, userId, versionId }: Pick<RetiringPair, "clientId" | "userId" | "versionId">,
  denied: boolean,
  now: number,
): Rotation | undefined {
  if (isKnown(rotation, clientId) || !hasRoom(rotation)) return undefined;
  const pair: RetiringPair = {
    ...{ clientId, userId, versionId, queuedAt: now },
    ...(denied && { denied: { at: now, by: "operator" } }),
  };
  return { ...rotation, retiring: [...rotation.retiring, pair] };
}

/** After a rollback a pair in use is allowed again, unless an operator denied it. */
export function settleStages(rotation: Rotation, inUse: ReadonlySet<string>, now: number): Rotation {
  return {
    ...rotation,
    retiring: rotation.retiring.map((pair) => {
      if (pair.deletedAt !== undefined) return pair;
      if (!inUse.has(pair.clientId)) return { ...pair, movedAt: pair.movedAt ?? now };
      return {
        ...pair,
        movedAt: undefined,
        denied: pair.denied?.by === "operator" ? pair.denied : undefined,
      };
    }),
  };
}

export type Retirement =
  | "wait"
  | "deny"
  /** Only if no token of it is left. */
  | "delete_if_unused"
  | "delete"
  | "forget";

/** @param currentWorks whether Looker accepted the current pair. If not, the old one may be needed */
export function nextRetirement(pair: RetiringPair, currentWorks: boolean, now: number): Retirement {
  const { movedAt, denied, deletedAt } = pair;
  if (deletedAt !== undefined) return now >= deletedAt + secretForgottenMs ? "forget" : "wait";
  if (movedAt === undefined) return "wait";
  if (denied?.by === "operator") return now >= denied.at + operatorDenialMs ? "delete" : "wait";
  if (!currentWorks) return "wait";
  if (denied) return now >= denied.at + denialSettlesMs ? "delete_if_unused" : "wait";
  return now >= movedAt + rollbackMs ? "deny" : "wait";
}

/** Denies the due pairs, and forgets those whose deletion is long over. */
export function advanceRetirement(rotation: Rotation, currentWorks: boolean, now: number): Rotation {
  const retiring = rotation.retiring.flatMap((pair): RetiringPair[] => {
    const next = nextRetirement(pair, currentWorks, now);
    if (next === "forget") return [];
    return [next === "deny" ? { ...pair, denied: { at: now, by: "rotation" } } : pair];
  });
  return { ...rotation, retiring };
}

export function noteDeleted(rotation: Rotation, clientId: string, now: number): Rotation {
  return withPair(rotation, clientId, (pair) => ({ ...pair, deletedAt: pair.deletedAt ?? now }));
}

export const isDeniedByRotation = ({ retiring }: Rotation, clientId: string): boolean =>
  retiring.some((pair) => pair.clientId === clientId && pair.denied !== undefined);

/** An operator denies a waiting pair. Undefined if there is nothing to note. */
export function denyRetiring(rotation: Rotation, clientId: string, now: number): Rotation | undefined {
  const pair = rotation.retiring.find((each) => each.clientId === clientId);
  if (!pair || pair.denied?.by === "operator" || pair.deletedAt !== undefined) return undefined;
  return withPair(rotation, clientId, (each) => ({ ...each, denied: { at: now, by: "operator" } }));
}

/**
 * Whether the rotation has given the pair up. A pair that an operator denied is given up before its deletion may be under way. After
 * its day for a rollback, the rotation may have denied it first.
 */
export function isRetired({ retiring }: Rotation, clientId: string, now: number): boolean {
  const pair = retiring.find((each) => each.clientId === clientId);
  if (!pair?.denied) return pair?.deletedAt !== undefined;
  if (pair.denied.by === "rotation" || pair.deletedAt !== undefined) return true;
  if (pair.movedAt === undefined) return false;
  return now >= Math.min(pair.movedAt + rollbackMs, pair.denied.at + operatorDenialMs - denialSettlesMs);
}

/** An operator's denial of a waiting pair is taken back. */
export const allowRetiring = (rotation: Rotation, clientId: string): Rotation =>
  withPair(rotation, clientId, (pair) => ({ ...pair, denied: undefined }));

/** Pairs whose deletion is long overdue. */
export const unretired = ({ retiring }: Rotation, now: number): number =>
  retiring.filter(
    ({ movedAt, deletedAt }) =>
      deletedAt === undefined && movedAt !== undefined && now > movedAt + unretiredAfterMs,
  ).length;

function withPair(
  rotation: Rotation,
  clientId: string,
  change: (pair: RetiringPair) => RetiringPair,
): Rotation {
  return {
    ...rotation,
    retiring: rotation.retiring.map((pair) => (pair.clientId === clientId ? change(pair) : pair)),
  };
}
