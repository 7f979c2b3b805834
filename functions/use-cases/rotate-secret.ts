/**
 * The four steps of Secrets Manager's rotation. Each may be repeated, run twice at once, or be killed at any point.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
import { announceVersion, isDenied, isDeniedByOperator, isProven } from "../domain/control.ts";
import { isKnown, noRotation, queuePair, settleStages } from "../domain/rotation.ts";
import { currentPair, serviceAccount, withAdministrator } from "./administrator.ts";
import { createPair, pendingPair } from "./create-pair.ts";
import { UnusableSecret } from "./ports.ts";
import { type AuditFields, count, type RotationNote, type RotationStep } from "./record.ts";
import {
  asRotationFailure,
  type RotatingSecret,
  RotationFailure,
  type RotationJob,
  type RotationPorts,
} from "./rotation-job.ts";
import { withLogin } from "./rotation-login.ts";
import type { DescribedSecret } from "./rotation-ports.ts";
import { changeControl, withLock } from "./rotation-state.ts";

/** Secrets Manager's event. It proves nothing, because others may invoke the function too. */
export interface StepRequest {
  readonly step: RotationStep;
  /** Name or ARN. */
  readonly secretId: string;
  readonly versionId: string;
  readonly rotationToken?: string | undefined;
}

export interface RotateJob {
  readonly broker: string;
  /** This function's own ARN, without a version. */
  readonly functionArn: string;
  readonly secrets: ReadonlyMap<string, RotatingSecret>;
  readonly deadline: number;
  readonly audit: AuditFields;
}

/**
 * A step waits for another run as long as its own work still fits behind: a login, four questions to Looker, a logout and a few
 * calls to AWS, each with its time-out. The wait is longer than this work and than a pass of the retirement, so only a killed run
 * makes a step fail.
 */
const stepNeedsMs = 45_000;

/** @throws {RotationFailure} for Secrets Manager to try again */
export async function rotateSecret(
  ports: RotationPorts,
  request: StepRequest,
  job: RotateJob,
): Promise<RotationNote> {
  const { audit } = job;
  const known = { step: request.step, version: request.versionId };
  const found: { secret?: string } = {};
  try {
    const note = { ...known, ...(await carryOut(ports, request, job, found)) };
    noteRotation(audit, note);
    audit.outcome = "rotated";
    return note;
  } catch (error) {
    const failure = asRotationFailure(error);
    count(audit, "rotation_failures");
    audit.reason = failure.reason;
    noteRotation(audit, { ...known, ...found, outcome: "failed", reason: failure.reason });
    throw failure;
  }
}

export function noteRotation(audit: AuditFields, note: RotationNote): void {
  audit.rotations ??= [];
  audit.rotations.push(note);
}

type Result = Omit<RotationNote, "step" | "version">;

async function carryOut(
  ports: RotationPorts,
  request: StepRequest,
  rotate: RotateJob,
  found: { secret?: string },
): Promise<Result> {
  const { step, versionId, rotationToken } = request;
  const { broker, deadline, audit } = rotate;
  const { secret, isCurrent } = await confirm(ports, request, rotate, found);
  const done: Result = { secret: secret.secretId, outcome: "done" };
  const isDone = (isCurrent: boolean) => isCurrent && step !== "finishSecret";
  // Nothing is to be set at Looker: the pair works from its creation on.
  if (step === "setSecret" || isDone(isCurrent)) return done;
  const run: RotationJob = { secret, owner: ports.ids.next(), deadline, audit };
  const work = async (): Promise<Result> => {
    // Another run of the step may have ended in between.
    const { secretArn, isCurrent } = await confirm(ports, request, rotate, found);
    if (isDone(isCurrent)) return done;
    switch (step) {
      case "createSecret": {
        const version = { versionId, secretArn, broker, rotationToken };
        const { clientId, userId, ambiguous } = await createPair(ports, run, version);
        return {
          ...{ ...done, client_id: clientId, user_id: userId },
          ...(ambiguous > 0 && { reason: "ambiguous_pairs", pairs: ambiguous }),
        };
      }
      case "testSecret":
        return { ...done, ...(await testPair(ports, run, versionId)) };
      case "finishSecret":
        return { ...done, ...(await makeCurrent(ports, run, versionId, isCurrent)) };
    }
  };
  return await withLock(ports, run, work, deadline - stepNeedsMs);
}

/** Asks Secrets Manager, because the event proves nothing. @throws {RotationFailure} */
async function confirm(
  ports: RotationPorts,
  { secretId, versionId }: StepRequest,
  { functionArn, secrets }: RotateJob,
  found: { secret?: string },
): Promise<{ secret: RotatingSecret; secretArn: string; isCurrent: boolean }> {
  const described = await describe(ports, secretId);
  const secret = secrets.get(described.name);
  if (!secret || !described.rotationEnabled) throw new RotationFailure("not_rotating");
  found.secret = secret.secretId;
  if (described.rotationFunctionArn !== functionArn) throw new RotationFailure("foreign_function");
  const stages = described.stages.get(versionId) ?? [];
  const isCurrent = stages.includes("AWSCURRENT");
  if (!isCurrent && !stages.includes("AWSPENDING")) throw new RotationFailure("unknown_version");
  return { secret, secretArn: described.arn, isCurrent };
}

async function describe({ versions }: RotationPorts, secretId: string): Promise<DescribedSecret> {
  try {
    return await versions.describe(secretId);
  } catch (error) {
    if (!(error instanceof UnusableSecret)) throw error;
    throw new RotationFailure("not_rotating", { detail: error.reason });
  }
}

/**
 * A new schedule is tested without a new pair: its version has no value, or a copy of the current one, as AWS does not say. The
 * administrator finds the account, and so the configuration is right.
 */
async function testPair(ports: RotationPorts, job: RotationJob, versionId: string): Promise<Partial<Result>> {
  const { secretId } = job.secret;
  const pair = await pendingPair(ports, secretId, versionId);
  const current = await currentPair(ports, secretId);
  if (!pair || pair.clientId === current.clientId) {
    const account = await withAdministrator(ports, job, current, (looker) =>
      serviceAccount(ports, job, looker, current),
    );
    return { user_id: account.id };
  }
  const { created } = (await ports.table.secretControls.read(secretId)).rotation ?? noRotation;
  if (created?.versionId !== versionId) throw new RotationFailure("foreign_pending");
  const as = { secretId, pair, rejected: "pending_rejected" } as const;
  const user = await withLogin(ports, job, as, (looker) =>
    looker.ask(
      (baseUrl, token) => ports.users.me(baseUrl, token),
      () => "looker_unavailable",
    ),
  );
  if (user.id !== created.userId) throw new RotationFailure("another_user");
  return { client_id: pair.clientId, user_id: user.id };
}

async function makeCurrent(
  ports: RotationPorts,
  job: RotationJob,
  versionId: string,
  isCurrent: boolean,
): Promise<Partial<Result>> {
  const { secretId, baseUrl } = job.secret;
  if (!isCurrent) await moveCurrent(ports, job, versionId);
  const current = await currentPair(ports, secretId);
  const { clientId } = current;
  const changed = await changeControl(ports, job, (control, before, now) => {
    const { created } = before;
    const rotation = {
      ...settleStages(before, new Set([clientId]), now),
      created: created?.versionId === versionId ? undefined : created,
    };
    // Instances with the old version read again before their next login.
    return { ...(announceVersion(control, { versionId, baseUrl }, now) ?? control), rotation };
  });
  // Of a pair stored the wrong way round, the client id is the secret. Only a pair that has logged in is recorded.
  return isProven(changed, { versionId: current.versionId, baseUrl }) ? { client_id: clientId } : {};
}

async function moveCurrent(ports: RotationPorts, job: RotationJob, versionId: string): Promise<void> {
  const { secretId, baseUrl } = job.secret;
  const pending = await pendingPair(ports, secretId, versionId);
  const current = await currentPair(ports, secretId);
  // A forgotten pair would stay for ever, and an untested one may be wrong.
  await changeControl(ports, job, (control, rotation, now) => {
    const { created } = rotation;
    if (!pending || created?.versionId !== versionId) throw new RotationFailure("foreign_pending");
    // A current pair that is denied would refuse all callers.
    if (!isProven(control, { versionId, baseUrl }) || isDenied(control, pending.clientId))
      throw new RotationFailure("pending_rejected");
    const { clientId } = current;
    const isWaiting = isKnown(rotation, clientId);
    // Stored by hand since: perhaps of another account, or the wrong way round. The next createSecret looks at it.
    if (!isWaiting && clientId !== created.replaces) throw stageMoved();
    const old = { clientId, userId: created.userId, versionId: current.versionId };
    const queued = queuePair(rotation, old, isDeniedByOperator(control, clientId), now);
    if (!queued && !isWaiting) throw new RotationFailure("too_many_pairs", { detail: "retiring" });
    return queued && { ...control, rotation: queued };
  });
  if (!(await ports.versions.moveStage(secretId, "AWSCURRENT", current.versionId, versionId)))
    throw stageMoved();
}

const stageMoved = () => new RotationFailure("locked", { detail: "the stage has moved" });
