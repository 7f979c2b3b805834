/**
 * One login under a slot's lock: secret, control items, attempt written ahead, `/login`, seal, store. Whatever happens,
 * the lock is given back and the token is in the slot, ended at Looker, or counted as a possible orphan.
 *
 *   lock taken                                      lock.until             deadline
 *   │ secret, controls, attempt │ /login │ seal, store (tried until) │ /logout, release │
 */

import {
  type AttemptOutcome,
  beginAttempt,
  type Credential,
  endAttempt,
  knowsNewerVersion,
  type LoginPlan,
  planLogin,
  type SecretControl,
} from "../domain/control.ts";
import { sha256Of } from "../domain/digest.ts";
import { configurationDigest, type Lease, loginTimeoutMs, lookerGraceMs } from "../domain/lease.ts";
import type { Scope } from "../domain/scope.ts";
import { lockMs, type Mint, type Slot, type Step } from "../domain/slot.ts";
import { type FailedMint, type MintFailure, releaseMint, storeMinted } from "../domain/slot-mint.ts";
import { commit } from "./commit.ts";
import { endTokens, type LogOutPorts, logoutNeedsMs, noteEnd, timeForLogout } from "./log-out.ts";
import {
  type ClientSecret,
  type ClientSecrets,
  type SealIdentity,
  type SlotKey,
  sealIdentity,
  Unavailable,
  Unreadable,
  UnusableSecret,
} from "./ports.ts";
import { type AuditFields, count } from "./record.ts";

export interface MintPorts extends LogOutPorts {
  readonly secrets: ClientSecrets;
}

/** Of an invocation, what must be left to take the lock: the lock's life, and then one logout. */
export const mintNeedsMs = lockMs + logoutNeedsMs;
/** Of the lock's life, what must be left to begin a login: its time-out, and this much for the store. */
const storeNeedsMs = 2_000;
/** Of an invocation, what is left to read the stored lease and answer with it. */
const answerNeedsMs = 2_000;
/** A lease with less real life than this is of no use to anyone. */
const shortestLifeMs = 30_000;
/** A rejected or shared failure is looked at again after this: a new version of the secret may be there. */
const recheckMs = 10_000;
/** Looker tokens live for an hour by default. A bound for arithmetic, not for trust: a token is tracked for as long as it lives. */
const longestLifeSeconds = 366 * 86_400;

export interface MintJob {
  readonly scope: Scope;
  readonly key: SlotKey;
  readonly lock: Mint;
  readonly deadline: number;
  readonly audit: AuditFields;
}

/** What is known when the login begins. */
interface LoginJob extends MintJob {
  readonly credential: Credential;
  /** As read after the lock: a freeze that came later makes the lease one of an older epoch. */
  readonly epoch: number;
  /** This version of the secret has not worked at this Looker before. */
  readonly writtenAhead: boolean;
}

/** `settled`: the lock is given back, and no token is in hand. Anything else is released. */
type MintResult = "settled" | Omit<FailedMint, "digest">;

const failed = (failure: MintFailure | undefined, noTokenLeft = true): MintResult => ({
  failure,
  noTokenLeft,
});

export async function mint(ports: MintPorts, job: MintJob): Promise<void> {
  let result: MintResult;
  try {
    result = await logInAndStore(ports, job);
  } catch (error) {
    // Nothing that throws holds a token. It is shared with a back-off, and a lease that is still good is served all the same.
    result = failed(failureOf(error, job.audit));
  }
  if (result !== "settled") await giveBack(ports, job, result);
}

async function giveBack(
  ports: MintPorts,
  { key, lock, scope, deadline, audit }: MintJob,
  result: Exclude<MintResult, "settled">,
): Promise<void> {
  const { failure, inHand } = result;
  if (failure) audit.mint_failure = failure.code;
  const failedMint: FailedMint = { ...result, digest: configurationDigest(scope) };
  const release = (slot: Slot, now: number) => releaseMint(slot, lock.owner, failedMint, now);
  try {
    const outcome = await commit(ports.table.slots, key, release, {
      ...ports,
      deadline,
      mustLand: inHand !== undefined,
    });
    if (outcome === "untracked" && inHand?.ended === false) count(audit, "possible_orphans");
  } catch (error) {
    if (inHand?.ended === false) count(audit, "possible_orphans");
    throw error;
  }
}

async function logInAndStore(ports: MintPorts, job: MintJob): Promise<MintResult> {
  const { clock, table, secrets } = ports;
  const { scope, audit, lock } = job;
  let secret = await secrets.current(scope.secretId);
  const { control, secretControl } = await table.readControls(scope.name, scope.secretId);
  // Whoever reads the slot next sees the freeze too, and says so.
  if (control.frozen) return failed(undefined);
  let credential = credentialOf(scope, secret);
  let plan = planLogin(secretControl, credential, clock.now());
  // Nor is an unproven version tried from an old copy: Looker would count a failure for a pair that has been replaced.
  if (
    plan.kind === "rejected" ||
    plan.kind === "denied" ||
    (plan.kind === "log_in" && plan.writeAhead) ||
    knowsNewerVersion(secretControl, secret.versionId, secret.readAt)
  ) {
    secret = await secrets.reread(scope.secretId);
    credential = credentialOf(scope, secret);
    plan = planLogin(secretControl, credential, clock.now());
  }
  audit.secret_version = secret.versionId;
  if (plan.kind !== "log_in") return failed(blocked(plan, clock.now(), audit));
  if (plan.writeAhead) {
    const begun = await writeAhead(ports, job, credential);
    if (begun.kind !== "log_in") return failed(blocked(begun, clock.now(), audit));
  }
  const login: LoginJob = { ...job, credential, epoch: control.epoch, writtenAhead: plan.writeAhead };
  // A slow store or secret has used up the lock: another may hold it by the time that Looker answers.
  if (clock.now() + loginTimeoutMs + storeNeedsMs > lock.until) {
    if (plan.writeAhead) await recordAttempt(ports, login, { kind: "not_tried" });
    return failed({ code: "busy", detail: "A dependency was too slow." });
  }
  return await logIn(ports, login, secret);
}

const credentialOf = ({ baseUrl }: Scope, { clientId, versionId }: ClientSecret): Credential => ({
  versionId,
  clientId,
  baseUrl,
});

type Blocked = Exclude<LoginPlan, { kind: "log_in" }>;

function blocked(plan: Blocked, now: number, audit: AuditFields): MintFailure {
  audit.reason = `secret_${plan.kind}`;
  if (plan.kind !== "denied") count(audit, "lockouts_avoided");
  switch (plan.kind) {
    case "denied":
      return {
        code: "looker_rejected_credentials",
        detail:
          "An operator has denied the client id of the scope's secret. Store a new pair in Secrets Manager.",
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
      // Usually another instance is proving this version at this moment; if that one died, its attempt still counts.
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

const rejectedDetail =
  "Looker answered 404 to the scope's client id and secret. An operator should check the pair in Secrets Manager and the " +
  "scope's lookerUrl. The broker retries a rejected version at most once every six minutes, and a new version at once.";

/** Writes `trying` before the login, on the condition that nobody else's stands. */
async function writeAhead(
  { table, clock, ids }: MintPorts,
  { scope, lock, deadline }: MintJob,
  credential: Credential,
): Promise<LoginPlan> {
  return await commit(
    table.secretControls,
    scope.secretId,
    (row, now): Step<SecretControl, LoginPlan> => {
      const next = beginAttempt(row, credential, lock.owner, now);
      if (!next) return { outcome: planLogin(row, credential, now) };
      const outcome: LoginPlan = { kind: "log_in", writeAhead: true };
      return next === row ? { outcome } : { next, outcome };
    },
    { clock, ids, deadline },
  );
}

async function recordAttempt(
  { table, clock, ids }: MintPorts,
  { scope, lock, credential }: LoginJob,
  outcome: AttemptOutcome,
  deadline = lock.until,
) {
  await commit(
    table.secretControls,
    scope.secretId,
    (row, now) => ({ next: endAttempt(row, credential, lock.owner, outcome, now), outcome: undefined }),
    { clock, ids, deadline, mustLand: true },
  );
}

async function logIn(ports: MintPorts, job: LoginJob, secret: ClientSecret): Promise<MintResult> {
  const { clock, ids, looker } = ports;
  const { scope, audit } = job;
  const askedAt = clock.now();
  // Before the answer: a request that is cut off here has tried too.
  count(audit, "login_attempts");
  const answer = await looker.login(scope.baseUrl, secret);
  if (answer.kind === "token") {
    count(audit, "logins");
    // Not before: of a pair that was stored the wrong way round, this is the secret.
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
      await recordAttempt(ports, job, { kind: "rejected" });
      return failed({
        code: "looker_rejected_credentials",
        detail: rejectedDetail,
        until: clock.now() + recheckMs,
      });
    case "throttled": {
      const until = clock.now() + Math.min(Math.max(answer.retryAfterSeconds ?? 30, 1), 300) * 1_000;
      await recordAttempt(ports, job, { kind: "throttled", until });
      return failed({ code: "looker_unavailable", detail: "Looker asked for fewer logins.", until });
    }
    case "unreached":
      await recordAttempt(ports, job, { kind: "not_tried" });
      return failed({
        code: "looker_unavailable",
        detail:
          "The broker cannot reach Looker. An operator should check the scope's lookerUrl and its certificate.",
      });
    case "failed": {
      const { reason, unusableToken, tokenLost = false } = answer;
      const ended =
        unusableToken === undefined ? !tokenLost : await endUnusable(ports, job, secret, unusableToken);
      if (!ended) count(audit, "possible_orphans");
      return failed({ code: "looker_unavailable", detail: failedDetail(reason) }, ended);
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
 * That this version works is true whatever becomes of the token. Without it every other caller is refused until the attempt
 * that was written ahead runs out, so it is tried until little more than the answer fits into the invocation.
 */
async function recordWorked(ports: MintPorts, job: LoginJob): Promise<void> {
  if (!job.writtenAhead) return;
  // Not to the very end: the caller has a token to be served.
  await recordAttempt(ports, job, { kind: "worked" }, job.deadline - answerNeedsMs).catch(() => {
    job.audit.reason = "attempt_not_recorded";
  });
}

interface FreshToken {
  readonly leaseId: string;
  readonly token: string;
  /** Undefined where Looker did not say. */
  readonly lookerEndsAt?: number;
}

/** From here on the token is in the records, whatever becomes of it and of this request. */
function noteMint(
  { scope, audit, credential }: LoginJob,
  { leaseId, token, lookerEndsAt }: FreshToken,
): void {
  audit.mints ??= [];
  audit.mints.push({
    scope: scope.name,
    lease_id: leaseId,
    client_id: credential.clientId,
    token_sha256: sha256Of(token),
    ...(lookerEndsAt === undefined ? {} : { token_ends_at: lookerEndsAt + lookerGraceMs }),
  });
}

/** A token that cannot be served is nobody's lease; it gets an id all the same, so that its end is on record. */
async function endUnusable(
  ports: MintPorts,
  job: LoginJob,
  { clientId }: ClientSecret,
  token: string,
): Promise<boolean> {
  const fresh: FreshToken = { leaseId: ports.ids.next(), token };
  count(job.audit, "logins");
  job.audit.client_id = clientId;
  noteMint(job, fresh);
  return await endInHand(ports, job, fresh);
}

/** Seals and stores a fresh token by the lock's end, or ends it. Never throws: it holds a token. */
async function keep(
  ports: MintPorts,
  job: LoginJob,
  fresh: FreshToken & { lookerEndsAt: number },
): Promise<MintResult> {
  const { clock, ids, table } = ports;
  const { scope, key, lock, audit, credential } = job;
  const { leaseId } = fresh;
  let lease: Lease | undefined;
  try {
    const named = { leaseId, baseUrl: scope.baseUrl, clientId: credential.clientId };
    const sealed = await sealBy(ports, lock.until, fresh.token, sealIdentity(key, named));
    lease = {
      ...named,
      sealed,
      tokenSha256: sha256Of(fresh.token),
      issuedAt: lock.since,
      endsAt: Math.min(lock.since + scope.leaseSeconds * 1_000, fresh.lookerEndsAt),
      lookerEndsAt: fresh.lookerEndsAt,
      epoch: job.epoch,
      digest: configurationDigest(scope),
    };
    const step = stepFor(job, lease, lease.endsAt - clock.now() >= shortestLifeMs);
    const outcome = await commit(table.slots, key, step, {
      clock,
      ids,
      deadline: lock.until,
      mustLand: true,
    });
    if (outcome === "fenced")
      await endTokens(ports, job, [{ ...lease, since: lock.since, attempts: 0, retryAt: 0 }]);
    else if (outcome !== "stored" && !(await endInHand(ports, job, fresh))) count(audit, "possible_orphans");
    return "settled";
  } catch (error) {
    // Neither stored nor tracked, as far as is known. A lease that turns out dead heals by a stale report; an orphan does not.
    const ended = await endInHand(ports, job, fresh);
    if (!lease && !ended) count(audit, "possible_orphans");
    return {
      failure: failureOf(error, audit),
      noTokenLeft: ended,
      inHand: lease && { token: lease, ended },
    };
  }
}

/** A token that is too short to serve goes the way of one that a revocation overtook: tracked first, then ended. */
function stepFor({ lock, audit }: LoginJob, lease: Lease, longEnough: boolean) {
  if (longEnough) return (slot: Slot, now: number) => storeMinted(slot, lock.owner, lease, now);
  audit.reason = "token_too_short";
  const failure: MintFailure = {
    code: "looker_unavailable",
    detail: "Looker's token has less than 30 seconds to live.",
  };
  audit.mint_failure = failure.code;
  const failedMint: FailedMint = {
    digest: lease.digest,
    failure,
    noTokenLeft: false,
    inHand: { token: lease, ended: false },
  };
  return (slot: Slot, now: number) => releaseMint(slot, lock.owner, failedMint, now);
}

/** KMS may be away for a moment. @throws what KMS said last, when the time is up */
async function sealBy(
  { clock, sealer }: MintPorts,
  until: number,
  token: string,
  identity: SealIdentity,
): Promise<Uint8Array> {
  for (let pause = 50; ; pause = Math.min(2 * pause, 500)) {
    try {
      return await sealer.seal(token, identity);
    } catch (error) {
      if (!(error instanceof Unavailable) || clock.now() + pause >= until) throw error;
      await clock.sleep(pause);
    }
  }
}

/** Ends a token that no row shows, for as long as there is time. @returns whether Looker confirmed its end. */
async function endInHand(
  { clock, looker }: MintPorts,
  job: LoginJob,
  { leaseId, token }: FreshToken,
): Promise<boolean> {
  const { scope, deadline, credential } = job;
  for (;;) {
    const outcome = await looker.logout(scope.baseUrl, token);
    if (outcome === "ended") {
      noteEnd(job, { leaseId, clientId: credential.clientId });
      return true;
    }
    if (outcome === "not_tried" || !timeForLogout(clock, deadline - 1_000)) return false;
    await clock.sleep(1_000);
  }
}

/** What a thrown error means to those who share the slot. */
function failureOf(error: unknown, audit: AuditFields): MintFailure {
  if (error instanceof UnusableSecret) {
    audit.reason = `secret_${error.reason}`;
    return {
      code: "looker_rejected_credentials",
      detail: `The scope's secret cannot be used (${error.reason}). An operator should check it in Secrets Manager.`,
    };
  }
  if (error instanceof Unavailable) audit.reason = error.reason;
  else {
    // A mistake in the deployment, such as a permission or a key that is gone: the record names it.
    audit.reason = "mint_failed";
    if (error instanceof Unreadable) count(audit, "unreadable");
    const { name } = error as { name?: unknown };
    if (typeof name === "string" && /^[A-Za-z]{1,64}$/.test(name)) audit.error = name;
  }
  return { code: "busy" };
}
