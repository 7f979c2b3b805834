/**
 * The step createSecret: a new pair of the account, stored as the pending version. It is written ahead, made, noted, marked and
 * stored. A run killed in between leaves at most one pair, and the next run knows it.
 */
import type { LookerCredential } from "../domain/account.ts";
import { isDeniedByOperator } from "../domain/control.ts";
import { leftOverPairs, purposeOf } from "../domain/left-over-pairs.ts";
import { type CreatedPair, hasRoom, isKnown, noRotation, queuePair } from "../domain/rotation.ts";
import { currentPair, serviceAccount, withAdministrator } from "./administrator.ts";
import { UnusableSecret } from "./ports.ts";
import {
  RotationFailure,
  type RotationJob,
  type RotationPorts,
  type RotationReason,
} from "./rotation-job.ts";
import type { Conversation } from "./rotation-login.ts";
import type { StoredPair } from "./rotation-ports.ts";
import { changeControl, changeRotation } from "./rotation-state.ts";

/** Of one account. Their ids are written ahead, and the row stays small. */
const maxPairs = 50;

export interface PendingVersion {
  readonly versionId: string;
  readonly secretArn: string;
  /** The broker's name, for readers of a pair's purpose at Looker. */
  readonly broker: string;
  readonly rotationToken?: string | undefined;
}

/** The new pair, as records show it. */
export interface MadePair {
  readonly clientId: string;
  readonly userId: string;
  /** Pairs of an earlier run or of other people. Nothing tells them apart. */
  readonly ambiguous: number;
}

export async function createPair(
  ports: RotationPorts,
  job: RotationJob,
  version: PendingVersion,
): Promise<MadePair> {
  const { secretId } = job.secret;
  const current = await currentPair(ports, secretId);
  const pending = await pendingPair(ports, secretId, version.versionId);
  return await withAdministrator(ports, job, current, async (looker) => {
    const { id: userId } = await serviceAccount(ports, job, looker, current);
    const run: Run = { ports, job, version, looker, userId, current };
    return pending ? await adopt(run, pending) : await make(run);
  });
}

interface Run {
  readonly ports: RotationPorts;
  readonly job: RotationJob;
  readonly version: PendingVersion;
  readonly looker: Conversation;
  readonly userId: string;
  readonly current: StoredPair;
}

/** Undefined without a value. @throws {RotationFailure} for a value of another shape, because the broker stores pairs alone */
export async function pendingPair(
  { versions }: Pick<RotationPorts, "versions">,
  secretId: string,
  versionId: string,
): Promise<StoredPair | undefined> {
  try {
    return await versions.read(secretId, { versionId });
  } catch (error) {
    if (!(error instanceof UnusableSecret)) throw error;
    throw new RotationFailure(error.reason === "malformed" ? "foreign_pending" : "secret_malformed", {
      detail: error.reason,
    });
  }
}

/** An earlier run has stored a pair. It must be the broker's own, and still be there: otherwise no later step can succeed. */
async function adopt(run: Run, { clientId }: StoredPair): Promise<MadePair> {
  const { ports, job, version, userId } = run;
  const { versionId, secretArn, broker } = version;
  const listed = await listPairs(run);
  const { created } = (await ports.table.secretControls.read(job.secret.secretId)).rotation ?? noRotation;
  const noted = created?.versionId === versionId ? created : undefined;
  const pair = listed.find((each) => each.clientId === clientId);
  if (!pair) {
    if (noted?.pairId === undefined) throw new RotationFailure("foreign_pending");
    await ports.versions.moveStage(job.secret.secretId, "AWSPENDING", versionId);
    throw new RotationFailure("pending_pair_gone");
  }
  if (noted?.pairId !== pair.id && pair.purpose !== purposeOf(broker, secretArn, versionId))
    throw new RotationFailure("foreign_pending");
  const replaces = run.current.clientId;
  if (noted?.pairId !== pair.id || noted.replaces !== replaces) {
    const before = listed.flatMap(({ id }) => (id === pair.id ? [] : [id]));
    await note(run, (at) => ({ versionId, userId, replaces, at, before, pairId: pair.id }));
  }
  return { clientId, userId, ambiguous: 0 };
}

async function make(run: Run): Promise<MadePair> {
  const { ports, job, version, looker, userId, current } = run;
  const { versionId, secretArn, broker } = version;
  const { kept, ambiguous } = await tidyUp(run);
  if (kept.length >= maxPairs) throw new RotationFailure("too_many_pairs", { detail: "account" });
  const before = kept.map(({ id }) => id);
  await note(run, (at) => ({ versionId, userId, replaces: current.clientId, at, before }));
  const pair = await looker.ask(async (baseUrl, token) => {
    const answer = await ports.pairs.create(baseUrl, token, userId);
    // No pair was made. A pair by somebody else must not look like it.
    if (answer.kind === "refused" || answer.kind === "failed") await note(run, () => undefined);
    return answer;
  }, refusedPair);
  await note(run, (_, created) => created && { ...created, pairId: pair.id });
  const purpose = purposeOf(broker, secretArn, versionId);
  await looker.ask(async (baseUrl, token) => {
    const marked = await ports.pairs.mark(baseUrl, token, { userId, pairId: pair.id, purpose });
    // The mark is for people. The control item knows the pair without it, also at an older Looker without purposes.
    return marked.kind === "unknown" ? marked : { kind: "ok", value: pair };
  });
  const { clientId, clientSecret } = pair;
  const stored = await ports.versions.putPending(job.secret.secretId, {
    versionId,
    pair: { clientId, clientSecret, others: current.others },
    rotationToken: version.rotationToken,
  });
  if (!stored) {
    // Another run was at it all the same. Its pair counts, and the next try finds it. The note stays: it says that the version is
    // the broker's, even if the stored pair is gone by then.
    await remove(run, pair);
    throw new RotationFailure("locked");
  }
  return { clientId, userId, ambiguous };
}

const refusedPair = (status: number): RotationReason => {
  if (status === 409 || status === 422) return "too_many_pairs";
  return status === 403 || status === 404 ? "needs_administrator" : "looker_unavailable";
};

/** Ends the left-over pairs of an earlier run. @returns the other pairs */
async function tidyUp(run: Run): Promise<{ kept: readonly LookerCredential[]; ambiguous: number }> {
  const { ports, job, version, userId, current } = run;
  const listed = await listPairs(run);
  const control = await ports.table.secretControls.read(job.secret.secretId);
  const rotation = control.rotation ?? noRotation;
  if (!isKnown(rotation, current.clientId) && !hasRoom(rotation))
    throw new RotationFailure("too_many_pairs", { detail: "retiring" });
  const created = rotation.created?.userId === userId ? rotation.created : undefined;
  const isTaken = (clientId: string) => clientId === current.clientId || isKnown(rotation, clientId);
  const left = leftOverPairs(listed, { ...version, created, isTaken });
  for (const pair of left.remove) await remove(run, pair);
  if (left.retire.length > 0)
    await changeControl(ports, job, (row, before, now) => ({
      ...row,
      rotation: left.retire.reduce((queued, { pair: { clientId }, versionId }) => {
        // One place stays free for the current pair.
        if (!hasRoom(queued, 2)) return queued;
        const denied = isDeniedByOperator(row, clientId);
        return queuePair(queued, { clientId, userId, versionId }, denied, now) ?? queued;
      }, before),
    }));
  return {
    kept: listed.filter((pair) => !left.remove.includes(pair)),
    ambiguous: left.ambiguous.length,
  };
}

/** A list that hides the account's current pair may hide others too. */
async function listPairs({ ports, looker, userId, current }: Run): Promise<readonly LookerCredential[]> {
  const listed = await looker.ask((baseUrl, token) => ports.pairs.list(baseUrl, token, userId));
  if (listed.some(({ clientId }) => clientId === current.clientId)) return listed;
  throw new RotationFailure("needs_administrator", { detail: "hidden_pairs" });
}

/** Deletes a pair whose secret nobody has. */
async function remove(run: Run, { id: pairId }: { readonly id: string }): Promise<void> {
  await removePair(run, { userId: run.userId, pairId });
}

/** @throws {RotationFailure} without Looker's confirmation */
export async function removePair(
  { ports, looker }: Pick<Run, "ports" | "looker">,
  pair: { userId: string; pairId: string },
): Promise<void> {
  try {
    await looker.ask((baseUrl, token) => ports.pairs.remove(baseUrl, token, pair));
  } catch (error) {
    if (!(error instanceof RotationFailure)) throw error;
    // A deletion whose answer was lost says 404 at its second try: the list tells it from a missing right.
    const left = await looker.ask((baseUrl, token) => ports.pairs.list(baseUrl, token, pair.userId));
    if (left.some(({ id }) => id === pair.pairId)) throw error;
  }
}

async function note(
  { ports, job }: Run,
  next: (now: number, created: CreatedPair | undefined) => CreatedPair | undefined,
): Promise<void> {
  await changeRotation(ports, job, (rotation, now) => ({
    ...rotation,
    created: next(now, rotation.created),
  }));
}
