/**
 * The two control items: a scope's (epoch, freeze) and a secret's (what is known of its versions). Pure.
 */
import { digestOf } from "./digest.ts";
import {
  allowRetiring,
  type Denier,
  denierOfRetiring,
  denyRetiring,
  isRetired,
  type Rotation,
} from "./rotation.ts";

/** Fields that every row carries for conditional writes. */
export interface Versioned {
  /** 0 for a row that is not there yet. */
  readonly version: number;
  /** Fresh for each write. If the condition fails on a row with my id, my lost answer was a success. */
  readonly writeId?: string | undefined;
}

/** `scope#<name>` / `#control`. */
export interface ScopeControl extends Versioned {
  /** Raised by freeze and by whole-scope revocation. */
  readonly epoch: number;
  readonly frozen?: Freeze | undefined;
  /** A whole-scope revocation that is not through all slots yet. */
  readonly job?: Job | undefined;
}

export interface Freeze {
  /** Path-less ARN of the operator. */
  readonly by: string;
  readonly at: number;
  readonly reason: string;
}

/** Ends everything of the scope that is older than `epoch`. A later job has a higher epoch and so includes it. */
export interface Job {
  readonly epoch: number;
  /** When the epoch was raised: for people, and for when the sweeper looks at it. No clock decides what is ended. */
  readonly at: number;
  /** Slot partitions below this are done. */
  readonly nextPartition: number;
}

/** One write: from here on nothing of an older epoch is served. The rest is carried out by any invocation with time. */
export function raiseEpoch(
  control: ScopeControl,
  now: number,
  frozen: Freeze | undefined,
): ScopeControl & { readonly job: Job } {
  const epoch = control.epoch + 1;
  return { ...control, epoch, frozen: frozen ?? control.frozen, job: { epoch, at: now, nextPartition: 0 } };
}

/** Notes that a partition is through; the last one ends the job. Undefined if a later job has taken its place. */
export function advanceJob(
  control: ScopeControl,
  job: Job,
  partitionsDone: number,
  partitions: number,
): ScopeControl | undefined {
  if (control.job?.epoch !== job.epoch || control.job.nextPartition >= partitionsDone) return undefined;
  return {
    ...control,
    job: partitionsDone >= partitions ? undefined : { ...control.job, nextPartition: partitionsDone },
  };
}

export const newScopeControl: ScopeControl = { version: 0, epoch: 0 };

/** What is known of one version of a client secret at one Looker: a pair may be right at one and wrong at another. */
export interface Attempt {
  readonly versionId: string;
  readonly baseUrl: string;
  readonly state: "trying" | "worked" | "rejected";
  /** Of the invocation that tried. */
  readonly owner: string;
  readonly at: number;
  /** No further attempt before this (`trying`, `rejected`). */
  readonly until: number;
  /** {@link digestOf}, for people: of a pair that was stored the wrong way round it is the secret's. */
  readonly clientId: string;
}

/** A Looker that asked for fewer logins. */
export interface Throttle {
  readonly baseUrl: string;
  readonly until: number;
}

/** `secret#<canonical id>`, shared by all scopes and callers that use the secret. */
export interface SecretControl extends Versioned {
  readonly attempts: readonly Attempt[];
  readonly throttles: readonly Throttle[];
  /** {@link digestOf}: what was pasted in a client id's place by mistake may be a secret, and is not kept. */
  readonly deniedClientIds: readonly string[];
  /** Absent for a secret that was never rotated. */
  readonly rotation?: Rotation | undefined;
}

export const newSecretControl: SecretControl = {
  version: 0,
  attempts: [],
  throttles: [],
  deniedClientIds: [],
};

/**
 * Longer than Looker's lock-out of five minutes. Looker locks a pair out after four failures in a row from one IP; one
 * attempt per back-off, by the whole fleet together, never gets there.
 */
export const attemptBackoffMs = 360_000;

/** Older ones are history. A secret does not see nine versions and Lookers in one back-off. */
const attemptsKept = 8;

/** A login that may be tried: a version of the client secret, as Secrets Manager names it, at one Looker. */
export interface Credential {
  readonly versionId: string;
  readonly clientId: string;
  readonly baseUrl: string;
}

export type LoginPlan =
  | { kind: "log_in"; writeAhead: boolean }
  | { kind: "throttled"; until: number }
  | { kind: "denied"; by: Denier }
  | { kind: "trying"; since: number; until: number }
  | { kind: "rejected"; until: number };

export interface LoginOptions {
  /** For the rotation of a denied pair. Nothing else brings a new one. */
  readonly evenDenied?: boolean;
}

/** The plan for a login at this moment. */
export function planLogin(
  control: SecretControl,
  credential: Credential,
  now: number,
  { evenDenied = false }: LoginOptions = {},
): LoginPlan {
  const by = evenDenied ? undefined : denierOf(control, credential.clientId);
  if (by) return { kind: "denied", by };
  const throttle = control.throttles.find(({ baseUrl }) => baseUrl === credential.baseUrl);
  if (throttle && throttle.until > now) return { kind: "throttled", until: throttle.until };
  const attempt = attemptOf(control, credential);
  if (attempt?.state === "worked") return { kind: "log_in", writeAhead: false };
  if (!attempt || attempt.until <= now) return { kind: "log_in", writeAhead: true };
  return attempt.state === "trying"
    ? { kind: "trying", since: attempt.at, until: attempt.until }
    : { kind: "rejected", until: attempt.until };
}

/** Whether another instance has met a version that is newer than the one read at `readAt`. */
export function knowsNewerVersion(control: SecretControl, versionId: string, readAt: number): boolean {
  return control.attempts.some((attempt) => attempt.versionId !== versionId && attempt.at > readAt);
}

/** Writes the attempt ahead; undefined if somebody else's stands or the plan is no longer to log in. */
export function beginAttempt(
  control: SecretControl,
  credential: Credential,
  owner: string,
  now: number,
  options: LoginOptions = {},
): SecretControl | undefined {
  if (attemptOf(control, credential)?.owner === owner) return control;
  if (planLogin(control, credential, now, options).kind !== "log_in") return undefined;
  return withAttempt(control, credential, { state: "trying", owner, at: now, until: now + attemptBackoffMs });
}

export type AttemptOutcome =
  | { kind: "worked" }
  | { kind: "rejected" }
  /** It certainly did not reach Looker: nothing was tried. */
  | { kind: "not_tried" }
  | { kind: "throttled"; until: number };

/**
 * Records how a login ended; undefined if there is nothing to write. A login whose end is unknown is not recorded: its
 * `trying` stands until it runs out, since Looker may have counted it.
 */
export function endAttempt(
  control: SecretControl,
  credential: Credential,
  owner: string,
  outcome: AttemptOutcome,
  now: number,
): SecretControl | undefined {
  const attempt = attemptOf(control, credential);
  const record = (state: "worked" | "rejected") =>
    withAttempt(control, credential, { state, owner, at: attempt?.at ?? now, until: now + attemptBackoffMs });
  switch (outcome.kind) {
    case "worked":
      return attempt?.state === "worked" ? undefined : record("worked");
    case "rejected":
      return attempt?.state === "rejected" && attempt.until > now ? undefined : record("rejected");
    case "not_tried":
      return attempt?.state === "trying" && attempt.owner === owner
        ? { ...control, attempts: control.attempts.filter((each) => each !== attempt) }
        : undefined;
    case "throttled": {
      const { baseUrl } = credential;
      const others = control.throttles.filter((each) => each.baseUrl !== baseUrl && each.until > now);
      const known = control.throttles.find((each) => each.baseUrl === baseUrl);
      return known && known.until >= outcome.until
        ? undefined
        : { ...control, throttles: [...others, { baseUrl, until: outcome.until }] };
    }
  }
}

/** Whether a login with this version has worked. */
export const isProven = (
  control: SecretControl,
  version: Pick<Credential, "versionId" | "baseUrl">,
): boolean => attemptOf(control, version)?.state === "worked";

/** A version became current: instances that read the secret before now look for it. Undefined if it never worked. */
export function announceVersion(
  control: SecretControl,
  version: Pick<Credential, "versionId" | "baseUrl">,
  now: number,
): SecretControl | undefined {
  const attempt = attemptOf(control, version);
  if (attempt?.state !== "worked") return undefined;
  const attempts = control.attempts.map((each) => (each === attempt ? { ...each, at: now } : each));
  return { ...control, attempts };
}

/** More than an operator denies in a lifetime. The row stays small. */
export const maxDeniedClientIds = 200;

/**
 * Records that an operator allows no login with this client id any more. Undefined if it is recorded, or if there is no room. A
 * waiting pair is deleted soon.
 */
export function denyClientId(
  control: SecretControl,
  clientId: string,
  now: number,
): SecretControl | undefined {
  const rotation = control.rotation && denyRetiring(control.rotation, clientId, now);
  const { deniedClientIds: denied } = control;
  const listed = isDeniedByOperator(control, clientId) || denied.length >= maxDeniedClientIds;
  if (listed && !rotation) return undefined;
  return {
    ...control,
    deniedClientIds: listed ? denied : [...denied, digestOf(clientId)],
    rotation: rotation ?? control.rotation,
  };
}

/** Takes an operator's denial back. `retired`: the rotation has given the pair up, and that stays. */
export function allowClientId(
  control: SecretControl,
  clientId: string,
  now: number,
): { next?: SecretControl; outcome: "allowed" | "not_denied" | "retired" } {
  const { rotation } = control;
  if (rotation && isRetired(rotation, clientId, now)) return { outcome: "retired" };
  if (!isDenied(control, clientId)) return { outcome: "not_denied" };
  const deniedClientIds = control.deniedClientIds.filter((denied) => denied !== digestOf(clientId));
  return {
    next: { ...control, deniedClientIds, rotation: rotation && allowRetiring(rotation, clientId) },
    outcome: "allowed",
  };
}

export const isDeniedByOperator = (control: SecretControl, clientId: string): boolean =>
  control.deniedClientIds.includes(digestOf(clientId));

/** The author of the client id's denial. An operator's denial counts first, because it stays. */
const denierOf = (control: SecretControl, clientId: string): Denier | undefined =>
  isDeniedByOperator(control, clientId)
    ? "operator"
    : control.rotation && denierOfRetiring(control.rotation, clientId);

export const isDenied = (control: SecretControl, clientId: string): boolean =>
  denierOf(control, clientId) !== undefined;

/** Whether Looker has taken it. A secret that was pasted in the place of a client id never worked as one. */
export const hasWorked = (control: SecretControl, clientId: string): boolean =>
  control.attempts.some((each) => each.state === "worked" && each.clientId === digestOf(clientId));

/** Whether the newest version of the secret that worked has this client id. */
export function isInUse(control: SecretControl, clientId: string): boolean {
  const [newest] = control.attempts.filter(({ state }) => state === "worked").toSorted((a, b) => b.at - a.at);
  return newest?.clientId === digestOf(clientId);
}

function attemptOf(
  control: SecretControl,
  { versionId, baseUrl }: Pick<Credential, "versionId" | "baseUrl">,
): Attempt | undefined {
  return control.attempts.find((each) => each.versionId === versionId && each.baseUrl === baseUrl);
}

function withAttempt(
  control: SecretControl,
  { versionId, baseUrl, clientId }: Credential,
  attempt: Pick<Attempt, "state" | "owner" | "at" | "until">,
): SecretControl {
  const others = control.attempts
    .filter((each) => each.versionId !== versionId || each.baseUrl !== baseUrl)
    .toSorted((a, b) => b.at - a.at)
    .slice(0, attemptsKept - 1);
  const own: Attempt = { versionId, baseUrl, clientId: digestOf(clientId), ...attempt };
  return { ...control, attempts: [...others, own] };
}
