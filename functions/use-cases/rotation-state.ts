/** The rotation's part of a secret's control item, changed by the one invocation with its lock. */
import type { SecretControl } from "../domain/control.ts";
import { type Locking, noRotation, type Rotation, releaseLock, takeLock } from "../domain/rotation.ts";
import type { Step } from "../domain/slot.ts";
import { commit } from "./commit.ts";
import { Unavailable } from "./ports.ts";
import { count } from "./record.ts";
import { RotationFailure, type RotationJob, type RotationPorts } from "./rotation-job.ts";
import { type Wait, waitForOther } from "./wait-for-other.ts";

type Work<Result> = () => Promise<Result>;

/**
 * Secrets Manager repeats a step, and may run it twice at once. Until the lock runs out, calls of a killed run may still take
 * effect, so nobody else begins.
 * @param waitUntil the last moment to take the lock if another run has it. Absent: there is no wait
 * @throws {RotationFailure} `locked`
 */
export async function withLock<Result>(
  ports: RotationPorts,
  job: RotationJob,
  work: Work<Result>,
  waitUntil = Number.NEGATIVE_INFINITY,
): Promise<Result> {
  const { owner, audit } = job;
  const wait: Wait = { owner, waitedMs: 0 };
  let locking = await take(ports, job);
  while (locking === "held") {
    if (!(await waitForOther(ports.clock, wait, { longestPauseMs, deadline: waitUntil })))
      throw new RotationFailure("locked");
    audit.wait_ms = wait.waitedMs;
    locking = await take(ports, job);
  }
  // The run before was killed, and perhaps it held a token.
  if (locking === "taken_over") count(audit, "possible_orphans");
  try {
    return await work();
  } finally {
    await release(ports, job);
  }
}

const longestPauseMs = 1_000;

async function take(ports: RotationPorts, { secret, owner, deadline }: RotationJob): Promise<Locking> {
  const lock = { owner, until: deadline + invocationEndsMs };
  const step = (control: SecretControl, now: number): Step<SecretControl, Locking> => {
    const { next, outcome } = takeLock(control.rotation ?? noRotation, lock, now);
    return { next: next && { ...control, rotation: next }, outcome };
  };
  return await commit(ports.table.secretControls, secret.secretId, step, { ...ports, deadline });
}

/** Kept free at the end of an invocation, for its last write and its record. */
export const invocationEndsMs = 3_000;

/** Without this, the lock runs out. */
async function release(ports: RotationPorts, { secret, owner, deadline }: RotationJob): Promise<void> {
  const give = (control: SecretControl) => {
    const next = control.rotation && releaseLock(control.rotation, owner);
    return { next: next && { ...control, rotation: next }, outcome: undefined };
  };
  try {
    await commit(ports.table.secretControls, secret.secretId, give, { ...ports, deadline });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
  }
}

/**
 * Changes the control item under the lock.
 * @param change gives undefined if there is nothing to write
 * @throws {RotationFailure} `locked` if the lock is not this invocation's any more
 */
export async function changeControl(
  ports: RotationPorts,
  { secret, owner, deadline }: RotationJob,
  change: (control: SecretControl, rotation: Rotation, now: number) => SecretControl | undefined,
): Promise<SecretControl> {
  const step = (control: SecretControl, now: number): Step<SecretControl, SecretControl | undefined> => {
    const rotation = control.rotation ?? noRotation;
    if (rotation.lock?.owner !== owner) return { outcome: undefined };
    const next = change(control, rotation, now);
    return { next, outcome: next ?? control };
  };
  const changed = await commit(ports.table.secretControls, secret.secretId, step, { ...ports, deadline });
  if (!changed) throw new RotationFailure("locked");
  return changed;
}

export async function changeRotation(
  ports: RotationPorts,
  job: RotationJob,
  change: (rotation: Rotation, now: number) => Rotation | undefined,
): Promise<void> {
  await changeControl(ports, job, (control, before, now) => {
    const rotation = change(before, now);
    return rotation && { ...control, rotation };
  });
}
