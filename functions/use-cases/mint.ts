/**
 * One login under a slot's lock: secret, control items, attempt written ahead, `/login`, seal, store. On every path
 * the lock is given back and the token is in the slot, ended at Looker, or counted as a possible orphan.
 *
 *   lock taken                                      lock.until             deadline
 *   │ secret, controls, attempt │ /login │ seal, store (tried until) │ /logout, release │
 */

import { type Credential, knowsNewerVersion, type LoginPlan, planLogin } from "../domain/control.ts";
import type { MintFailure, Refusal } from "../domain/failures.ts";
import { configurationDigest, loginTimeoutMs } from "../domain/lease.ts";
import type { Scope } from "../domain/scope.ts";
import { lockMs, type Slot } from "../domain/slot.ts";
import { dropUnwanted, type FailedMint, releaseMint, type Unwanted } from "../domain/slot-mint.ts";
import { type Blocked, type LoginAttempt, recordAttempt, throttledUntil, writeAhead } from "./attempt.ts";
import { commit } from "./commit.ts";
import { logoutNeedsMs } from "./end-tokens.ts";
import {
  failureOf,
  type LoginJob,
  type MintJob,
  type MintPorts,
  type MintResult,
  type Settled,
} from "./mint-job.ts";
import { type ClientSecret, Unavailable } from "./ports.ts";
import { type AuditFields, count } from "./record.ts";
import { settleSession } from "./session-login.ts";
import { endUnusable, keep, noteMint } from "./token-in-hand.ts";

/** The lock is taken only with this much of the invocation left: the lock's life, and then one logout. */
export const mintNeedsMs = lockMs + logoutNeedsMs;
/** A login begins only if the lock lasts for the login's time-out, and this much longer for the store. */
const storeNeedsMs = 2_000;
/** Kept free at the end of an invocation, to read the stored lease and answer with it. */
const answerNeedsMs = 2_000;
/** A rejected or shared failure is looked at again after this time, because a new version of the secret may be there. */
const recheckMs = 10_000;
/** Looker tokens live for an hour by default. A bound for arithmetic, not for trust: a token is tracked for as long as it lives. */
const longestLifeSeconds = 366 * 86_400;

const failed = (failure: MintFailure | undefined, noTokenLeft = true): MintResult => ({
  failure,
  noTokenLeft,
});

/** @returns after a session's failed login, the refusal for all sessions of its caller, from the caller's budget */
export async function mint(ports: MintPorts, job: MintJob): Promise<Refusal | undefined> {
  let result: MintResult;
  try {
    result = await logInAndStore(ports, job);
  } catch (error) {
    // No step throws with a token in hand. The failure is shared with a back-off, and a good lease is served all the same.
    result = failed(failureOf(error, job.audit));
  }
  const { failure } = result;
  if (failure) job.audit.mint_failure = failure.code;
  const settle = () => settleSession(ports, job, { failure, noTokenLeft: result.noTokenLeft ?? false });
  if (result.settled) return await settle();
  // A token in hand comes first. Otherwise the failure does, or the next one with the lock would try again.
  if (!result.inHand) {
    const refusal = await settle();
    await giveBack(ports, job, result);
    return refusal;
  }
  try {
    await giveBack(ports, job, result);
  } finally {
    await settle();
  }
  return undefined;
}

async function giveBack(
  ports: MintPorts,
  { key, lock, scope, session, deadline, audit }: MintJob,
  result: Exclude<MintResult, Settled>,
): Promise<void> {
  const { inHand } = result;
  const failure = session ? undefined : result.failure;
  const failedMint: FailedMint = { ...result, failure, digest: configurationDigest(scope) };
  const release = (slot: Slot, now: number) => releaseMint(slot, lock.owner, failedMint, now);
  try {
    const outcome = await commit(ports.table.slots, key, release, {
      ...ports,
      deadline,
      mustLand: inHand !== undefined,
    });
    if (outcome === "untracked") count(audit, "possible_orphans");
  } catch (error) {
    if (inHand?.ended === false) count(audit, "possible_orphans");
    throw error;
  }
}

async function logInAndStore(ports: MintPorts, job: MintJob): Promise<MintResult> {
  const { clock, table, secrets } = ports;
  const { scope, audit, lock, session } = job;
  const unwanted = session?.unwanted;
  if (unwanted && !(await drop(ports, job, unwanted))) return failed(undefined);
  let secret = await secrets.current(scope.secretId);
  const { control, secretControl } = await table.readControls(scope.name, scope.secretId);
  // The next reader of the slot sees the freeze too, and says so.
  if (control.frozen) return failed(undefined);
  let credential = credentialOf(scope, secret);
  let plan = planLogin(secretControl, credential, clock.now());
  // Only a proven version is taken from a copy. Looker would count a failure for a replaced pair, and a version that blocks
  // logins must not go on blocking them once it is replaced.
  const isOutdated = knowsNewerVersion(secretControl, secret.versionId, secret.readAt);
  if (!isProven(plan) || isOutdated) {
    secret = await secrets.reread(scope.secretId, isOutdated ? secret.readAt : undefined);
    credential = credentialOf(scope, secret);
    plan = planLogin(secretControl, credential, clock.now());
  }
  audit.secret_version = secret.versionId;
  if (plan.kind !== "log_in") return failed(blocked(plan, clock.now(), audit));
  if (plan.writeAhead) {
    const against = await writeAhead(ports, attemptOf({ ...job, credential }), job.deadline);
    if (against) return failed(blocked(against, clock.now(), audit));
  }
  const login: LoginJob = { ...job, credential, epoch: control.epoch, writtenAhead: plan.writeAhead };
  // A slow store or secret has used up the lock: another may hold it by the time Looker answers.
  if (clock.now() + loginTimeoutMs + storeNeedsMs > lock.until) {
    if (plan.writeAhead) await recordAttempt(ports, attemptOf(login), { kind: "not_tried" }, lock.until);
    return failed({ code: "busy", detail: "A dependency was too slow." });
  }
  return await logIn(ports, login, secret);
}

/** @returns whether it is certain. A refusal by one session's row does not count against the others. */
async function drop(ports: MintPorts, { key, lock, audit }: MintJob, unwanted: Unwanted): Promise<boolean> {
  const step = (slot: Slot, now: number) => dropUnwanted(slot, unwanted, now);
  try {
    await commit(ports.table.slots, key, step, { ...ports, deadline: lock.until });
    return true;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    audit.reason = error.reason;
    return false;
  }
}

/** Looker's demand for fewer logins says nothing of the version, because another version would be refused as well. */
const isProven = (plan: LoginPlan): boolean =>
  plan.kind === "throttled" || (plan.kind === "log_in" && !plan.writeAhead);

const credentialOf = ({ baseUrl }: Scope, { clientId, versionId }: ClientSecret): Credential => ({
  versionId,
  clientId,
  baseUrl,
});

const attemptOf = ({
  scope,
  credential,
  lock,
}: Pick<LoginJob, "scope" | "credential" | "lock">): LoginAttempt => ({
  ...{ secretId: scope.secretId, credential, owner: lock.owner },
});

function blocked(plan: Blocked, now: number, audit: AuditFields): MintFailure {
  audit.reason = plan.kind === "denied" && plan.by === "rotation" ? "secret_retired" : `secret_${plan.kind}`;
  if (plan.kind !== "denied") count(audit, "lockouts_avoided");
  switch (plan.kind) {
    case "denied":
      return {
        code: "looker_rejected_credentials",
        detail: deniedDetails[plan.by],
        until: now + recheckMs,
      };
    case "rejected":
      return {
        code: "looker_rejected_credentials",
        detail: rejectedDetail,
        until: Math.min(plan.until, now + recheckMs),
      };
    case "throttled":
      return { code: "looker_unavailable", detail: "Looker asked for fewer logins.", until: plan.until };
    case "trying":
      // Usually another instance is proving this version at this moment. If this instance has died, its attempt still counts.
      return now - plan.since < 2 * loginTimeoutMs
        ? { code: "busy", until: now + 1_000 }
        : {
            code: "looker_unavailable",
            detail:
              "The first login with this version of the secret ended without an answer; Looker may have counted it, so the next waits for its lock-out to pass.",
            until: Math.min(plan.until, now + recheckMs),
          };
  }
}

const deniedDetails = {
  operator:
    "An operator has denied the client id of the scope's secret. An operator should store a new pair in Secrets Manager, or allow the client id again.",
  rotation:
    "The secret's rotation has retired the pair that the scope's secret holds again. The broker allows it within five minutes " +
    "if Looker still has it. Otherwise an operator should make the newest version of the secret current again.",
};

const rejectedDetail =
  "Looker answered 404 to the scope's client id and secret. An operator should check the pair in Secrets Manager and the " +
  "scope's lookerUrl. The broker retries a rejected version at most once every six minutes, and a new version at once.";

async function logIn(ports: MintPorts, job: LoginJob, secret: ClientSecret): Promise<MintResult> {
  const { clock, ids, looker } = ports;
  const { scope, audit, lock } = job;
  const attempt = attemptOf(job);
  const askedAt = clock.now();
  // Counted before the answer, because a request cut off here has tried too.
  count(audit, "login_attempts");
  const answer = await looker.login(scope.baseUrl, secret);
  if (answer.kind === "token") {
    count(audit, "logins");
    // Not before the login has worked: of a pair stored the wrong way round, this is the secret.
    audit.client_id = secret.clientId;
    const lookerEndsAt = askedAt + Math.min(answer.expiresInSeconds, longestLifeSeconds) * 1_000;
    const fresh = { leaseId: ids.next(), token: answer.accessToken, lookerEndsAt };
    audit.minted_lease_id = fresh.leaseId;
    noteMint(job, fresh);
    const [kept] = await Promise.all([keep(ports, job, fresh), recordWorked(ports, job)]);
    return kept;
  }
  audit.reason = `login_${answer.kind}${"reason" in answer ? `_${answer.reason}` : ""}`;
  switch (answer.kind) {
    case "rejected":
      await recordAttempt(ports, attempt, { kind: "rejected" }, lock.until);
      return failed({
        code: "looker_rejected_credentials",
        detail: rejectedDetail,
        until: clock.now() + recheckMs,
      });
    case "throttled": {
      const until = throttledUntil(answer.retryAfterSeconds, clock.now());
      await recordAttempt(ports, attempt, { kind: "throttled", until }, lock.until);
      return failed({ code: "looker_unavailable", detail: "Looker asked for fewer logins.", until });
    }
    case "unreached":
      await recordAttempt(ports, attempt, { kind: "not_tried" }, lock.until);
      return failed({
        code: "looker_unavailable",
        detail:
          "The broker cannot reach Looker. An operator should check the scope's lookerUrl and its certificate.",
      });
    case "failed": {
      const { reason, unusableToken, tokenLost = false } = answer;
      const failure: MintFailure = { code: "looker_unavailable", detail: failedDetail(reason) };
      if (unusableToken === undefined) {
        if (tokenLost) count(audit, "possible_orphans");
        return failed(failure, !tokenLost);
      }
      const left = await endUnusable(ports, job, secret, unusableToken);
      // Looker made a token and ended it, so the pair is right.
      if (left.noTokenLeft) await recordWorked(ports, job);
      return { failure, ...left };
    }
    case "unknown":
      count(audit, "possible_orphans");
      return failed({ code: "looker_unavailable", detail: unansweredDetail(answer.reason) }, false);
  }
}

const failedDetail = (reason: string): string =>
  reason === "status_403"
    ? "Looker answered the login with 403: the port or the path is wrong. An operator should check the scope's lookerUrl."
    : `Looker, or a proxy in front of it, answered the login with something that is no token (${reason}).`;

const unansweredDetail = (reason: string): string =>
  reason === "timeout" || reason === "status_504"
    ? "Looker did not answer the login in time."
    : `The connection to Looker, or a proxy in front of it, broke before the login was answered (${reason}).`;

/**
 * This version works, even if the token cannot be kept. Without this record every other caller is refused until the attempt
 * written ahead runs out. So the write is tried until little more than the answer fits into the invocation.
 */
async function recordWorked(ports: MintPorts, job: LoginJob): Promise<void> {
  if (!job.writtenAhead) return;
  // Not to the very end: the caller has a token to be served.
  await recordAttempt(ports, attemptOf(job), { kind: "worked" }, job.deadline - answerNeedsMs).catch(() => {
    job.audit.reason = "attempt_not_recorded";
  });
}
