/**
 * Old pairs come to their end: denied a day after their replacement, and deleted when nothing is left of them. Looker is asked
 * nothing before a deletion is due.
 */
import { isProven, type SecretControl } from "../domain/control.ts";
import { clockSkewMs, lookerLifeIsOver } from "../domain/lease.ts";
import {
  advanceRetirement,
  nextRetirement,
  noRotation,
  noteDeleted,
  type RetiringPair,
  settleStages,
  unretired,
} from "../domain/rotation.ts";
import { prune, type Slot } from "../domain/slot.ts";
import { currentPair, withAdministrator } from "./administrator.ts";
import { removePair } from "./create-pair.ts";
import { forEachParallel } from "./pool.ts";
import { UnusableSecret } from "./ports.ts";
import { type AuditFields, count, type RotationNote } from "./record.ts";
import { selectSlots } from "./revoke-slots.ts";
import { noteRotation } from "./rotate-secret.ts";
import {
  asRotationFailure,
  type RotatingSecret,
  RotationFailure,
  type RotationJob,
  type RotationPorts,
} from "./rotation-job.ts";
import type { Conversation } from "./rotation-login.ts";
import type { DescribedSecret, StoredPair } from "./rotation-ports.ts";
import { changeControl, changeRotation, withLock } from "./rotation-state.ts";

const dayMs = 86_400_000;
/** Secrets Manager rotates in a window of a day, and tries again. */
const overdueAfterMs = 2 * dayMs;
/** Looked after at once. A Looker that hangs uses up the time of its own secrets alone. */
const parallelLookers = 8;

/**
 * For one secret. A step of its rotation waits for longer than this, and than the lock of a killed pass. A Looker that hangs keeps
 * other secrets waiting no longer either.
 */
const passMs = 60_000;

export interface RetireJob {
  readonly secrets: Iterable<RotatingSecret>;
  readonly deadline: number;
  readonly audit: AuditFields;
}

/** One failing secret keeps no other waiting. @throws an unforeseen error, after the last secret */
export async function retirePairs(
  ports: RotationPorts,
  { secrets, deadline, audit }: RetireJob,
): Promise<void> {
  audit.overdue = 0;
  audit.unretired = 0;
  let unforeseen: RotationFailure | undefined;
  const lookAfterOne = async (secret: RotatingSecret) => {
    try {
      const ends = Math.min(deadline, ports.clock.now() + passMs);
      await lookAfter(ports, { secret, owner: ports.ids.next(), deadline: ends, audit });
    } catch (error) {
      const failure = asRotationFailure(error);
      // A step of its rotation is at work. The next run is soon.
      if (failure.reason === "locked") return;
      count(audit, "rotation_failures");
      const { reason } = failure;
      audit.reason = reason;
      noteRotation(audit, { step: "retire", secret: secret.secretId, outcome: "failed", reason });
      if (reason === "internal") unforeseen ??= failure;
    }
  };
  // One after the other at each Looker: two failed logins of an administrator at once would be one too many.
  const byLooker = Map.groupBy(secrets, ({ baseUrl }) => baseUrl);
  await forEachParallel(byLooker.values(), parallelLookers, async (group) => {
    for (const secret of group) await lookAfterOne(secret);
  });
  audit.outcome = "retired";
  if (unforeseen) throw unforeseen;
}

async function lookAfter(ports: RotationPorts, job: RotationJob): Promise<void> {
  const { clock, table, versions } = ports;
  const { secret, audit } = job;
  const { rotation = noRotation } = await table.secretControls.read(secret.secretId);
  audit.unretired = (audit.unretired ?? 0) + unretired(rotation, clock.now());
  try {
    const described = await versions.describe(secret.secretId);
    if (isOverdue(described, secret.everyDays, clock.now())) audit.overdue = (audit.overdue ?? 0) + 1;
  } catch (error) {
    if (!(error instanceof UnusableSecret)) throw error;
    throw new RotationFailure("secret_malformed", { detail: error.reason });
  }
  if (rotation.retiring.length > 0) await withLock(ports, job, () => retire(ports, job));
}

/** Before the first rotation, the day planned by Secrets Manager counts. */
export function isOverdue(
  { rotationEnabled, lastRotatedAt, nextRotationAt }: DescribedSecret,
  everyDays: number,
  now: number,
): boolean {
  if (!rotationEnabled) return true;
  const plannedAt = lastRotatedAt === undefined ? nextRotationAt : lastRotatedAt + everyDays * dayMs;
  return plannedAt !== undefined && now > plannedAt + overdueAfterMs;
}

async function retire(ports: RotationPorts, job: RotationJob): Promise<void> {
  const { clock } = ports;
  const { secretId, baseUrl } = job.secret;
  const current = await currentPair(ports, secretId);
  const inUse = new Set([current.clientId, ...(await pendingClientId(ports, secretId))]);
  const works = (control: SecretControl) => isProven(control, { ...current, baseUrl });
  let notes: RotationNote[] = [];
  const control = await changeControl(ports, job, (row, before, now) => {
    const rotation = advanceRetirement(settleStages(before, inUse, now), works(row), now);
    notes = changesOf(secretId, before.retiring, rotation.retiring);
    return sameText(before, rotation) ? undefined : { ...row, rotation };
  });
  for (const note of notes) noteRotation(job.audit, note);
  const { retiring } = control.rotation ?? noRotation;
  const due = retiring.flatMap((pair) => {
    const next = nextRetirement(pair, works(control), clock.now());
    return next === "delete" || next === "delete_if_unused" ? [{ pair, next }] : [];
  });
  const mayBeUsed = due.flatMap(({ pair, next }) => (next === "delete_if_unused" ? [pair] : []));
  const used = await clientIdsInUse(ports, job, mayBeUsed);
  const unused = due.flatMap(({ pair, next }) =>
    next === "delete" || !used.has(pair.clientId) ? [pair] : [],
  );
  if (unused.length === 0) return;
  await withAdministrator(ports, job, current, async (looker) => {
    let failure: unknown;
    // One pair that cannot be deleted keeps no other from its end.
    for (const pair of unused)
      await deletePair(ports, job, looker, { pair, current }).catch((error: unknown) => {
        failure ??= error;
      });
    if (failure !== undefined) throw failure;
  });
}

async function pendingClientId({ versions }: RotationPorts, secretId: string): Promise<readonly string[]> {
  try {
    const pending = await versions.read(secretId, { stage: "AWSPENDING" });
    return pending ? [pending.clientId] : [];
  } catch (error) {
    if (error instanceof UnusableSecret) return [];
    throw error;
  }
}

const sameText = (one: object, other: object) => JSON.stringify(one) === JSON.stringify(other);

/** Changes of pairs, for records. */
function changesOf(
  secret: string,
  before: readonly RetiringPair[],
  after: readonly RetiringPair[],
): RotationNote[] {
  return before.flatMap((pair): RotationNote[] => {
    const now = after.find(({ clientId }) => clientId === pair.clientId);
    const outcome = !now
      ? "forgotten"
      : now.denied && !pair.denied
        ? "denied"
        : pair.denied && !now.denied
          ? "allowed"
          : undefined;
    return outcome ? [{ step: "retire", secret, outcome, ...shown(pair) }] : [];
  });
}

const shown = ({ versionId, clientId, userId }: RetiringPair) => ({
  ...{ version: versionId, client_id: clientId, user_id: userId },
});

/**
 * Pairs with a token left in any scope of this Looker. A lock from before the denial may hide one, and so may an unreadable row.
 */
async function clientIdsInUse(
  { table, clock }: RotationPorts,
  { secret, audit }: RotationJob,
  pairs: readonly RetiringPair[],
): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  if (pairs.length === 0) return used;
  let unreadable = 0;
  const all = { from: 0, to: table.slotPartitions };
  for (const scope of secret.scopes) {
    const slots = selectSlots(table, { scope, filter: {} }, all, (rows) => {
      unreadable += rows;
    });
    for await (const { slot } of slots)
      for (const pair of pairs) if (mayHold(slot, pair, clock.now())) used.add(pair.clientId);
  }
  if (unreadable === 0) return used;
  count(audit, "unreadable", unreadable);
  return new Set(pairs.map(({ clientId }) => clientId));
}

function mayHold(slot: Slot, { clientId, denied }: RetiringPair, now: number): boolean {
  const { lease, superseded, outbox, mint } = prune(slot, now);
  const tokens = [...(lease ? [lease] : []), ...superseded, ...outbox];
  return (
    tokens.some((token) => token.clientId === clientId && !lookerLifeIsOver(token, now)) ||
    (mint !== undefined && mint.since <= (denied?.at ?? now) + clockSkewMs)
  );
}

async function deletePair(
  ports: RotationPorts,
  job: RotationJob,
  looker: Conversation,
  { pair, current }: { pair: RetiringPair; current: StoredPair },
): Promise<void> {
  const { clientId, userId } = pair;
  const listed = await looker.ask((baseUrl, token) => ports.pairs.list(baseUrl, token, userId));
  const found = listed.find((each) => each.clientId === clientId);
  // Somebody may have moved the stage back in between. A missing pair needs no such look.
  if (found && (await currentPair(ports, job.secret.secretId)).clientId !== current.clientId)
    throw new RotationFailure("locked", { detail: "the stage has moved" });
  if (found) await removePair({ ports, looker }, { userId, pairId: found.id });
  else if (!listed.some((each) => each.clientId === current.clientId))
    await proveGone(ports, job, looker, clientId);
  await changeRotation(ports, job, (rotation, now) => noteDeleted(rotation, clientId, now));
  noteRotation(job.audit, {
    ...{ step: "retire", secret: job.secret.secretId, outcome: "deleted" },
    ...shown(pair),
  });
}

/** A list without the current pair is of another account, or it hides pairs. Then an administrator must not find the pair. */
async function proveGone(
  { pairs }: RotationPorts,
  { secret }: RotationJob,
  looker: Conversation,
  clientId: string,
): Promise<void> {
  const isGone =
    secret.administratorId !== undefined &&
    (await looker.ask(async (baseUrl, token) => {
      const owner = await pairs.ownerOf(baseUrl, token, clientId);
      if (owner.kind === "ok") return { kind: "ok", value: false };
      return owner.kind === "refused" && owner.status === 404 ? { kind: "ok", value: true } : owner;
    }));
  if (!isGone) throw new RotationFailure("needs_administrator", { detail: "hidden_pairs" });
}
