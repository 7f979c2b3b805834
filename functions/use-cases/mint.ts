/**
 * One login under a slot's lock: secret, control items, attempt written ahead, `/login`, seal, store. Whatever happens,
 * the lock is given back and the token is in the slot, ended, or counted as a possible orphan.
 */

import {
  type AttemptOutcome,
  beginAttempt,
  endAttempt,
  knowsNewerVersion,
  type LoginPlan,
  planLogin,
  type SecretControl,
} from "../domain/control.ts";
import { sha256Of } from "../domain/digest.ts";
import { configurationDigest, type Lease, loginTimeoutMs } from "../domain/lease.ts";
import type { Scope } from "../domain/scope.ts";
import { type Mint, type MintFailure, releaseMint, type Step, storeMinted } from "../domain/slot.ts";
import { commit } from "./commit.ts";
import { endTokens, type LogOutPorts } from "./log-out.ts";
import {
  type CallerSlotKey,
  type ClientSecret,
  type ClientSecrets,
  sealIdentity,
  Unavailable,
  Unreadable,
  UnusableSecret,
} from "./ports.ts";
import { type AuditFields, count } from "./record.ts";

export interface MintPorts extends LogOutPorts {
  readonly secrets: ClientSecrets;
}

/** What an invocation must have left to begin: the lock's life, and the time to store or to give it back. */
export const mintNeedsMs = 18_000;
/** A lease with less real life than this is of no use to anyone. */
const shortestLifeMs = 30_000;
/** A rejected or shared failure is looked at again after this: a new version of the secret may be there. */
const recheckMs = 10_000;
/** Looker tokens live for an hour by default. A bound for arithmetic, not for trust: a token is tracked for as long as it lives. */
const longestLifeSeconds = 366 * 86_400;

export interface MintJob {
  readonly scope: Scope;
  readonly key: CallerSlotKey;
  readonly lock: Mint;
  readonly deadline: number;
  readonly audit: AuditFields;
}

/** What a release needs to know, however the attempt ended. */
interface AttemptJob extends MintJob {
  readonly progress: { tokenMade: boolean };
}

/** What is known when the login begins. */
interface LoginJob extends AttemptJob {
  /** As read after the lock: a freeze that came later makes the lease one of an older epoch. */
  readonly epoch: number;
  /** This version of the secret has not worked before; its attempt is written ahead. */
  readonly firstUse: boolean;
}

export async function mint(ports: MintPorts, request: MintJob): Promise<void> {
  const job: AttemptJob = { ...request, progress: { tokenMade: false } };
  let result: MintResult;
  try {
    result = await logInAndStore(ports, job);
  } catch (error) {
    // Whatever it was, it is shared with a back-off, and a lease that is still good is served all the same.
    await release(ports, job, failureOf(error, job.audit));
    return;
  }
  if (result !== "stored") await release(ports, job, result);
}

async function release(ports: MintPorts, job: AttemptJob, failure: MintFailure | undefined): Promise<void> {
  if (failure) job.audit.mint_failure = failure.code;
  await commit(
    ports.table.slots,
    job.key,
    (slot, now) => releaseMint(slot, job.lock.owner, failure, now, job.progress.tokenMade),
    {
      ...ports,
      deadline: job.deadline,
    },
  );
}

/** `stored` has given the lock back; a failure is to be shared; undefined is neither. */
type MintResult = "stored" | MintFailure | undefined;

async function logInAndStore(ports: MintPorts, job: AttemptJob): Promise<MintResult> {
  const { clock, table, secrets } = ports;
  const { scope, audit } = job;
  let secret = await secrets.current(scope.secretId);
  const { control, secretControl } = await table.readControls(scope.name, scope.secretId);
  // Whoever reads the slot next sees the freeze too, and says so.
  if (control.frozen) return undefined;
  let plan = planLogin(secretControl, secret, clock.now());
  if (
    plan.kind === "rejected" ||
    plan.kind === "denied" ||
    knowsNewerVersion(secretControl, secret.versionId, secret.readAt)
  ) {
    secret = await secrets.reread(scope.secretId);
    plan = planLogin(secretControl, secret, clock.now());
  }
  audit.secret_version = secret.versionId;
  if (plan.kind !== "log_in") return blocked(plan, clock.now(), audit);
  if (plan.writeAhead) {
    const begun = await writeAhead(ports, job, secret);
    if (begun.kind !== "log_in") return blocked(begun, clock.now(), audit);
  }
  // A slow store or secret has used up the lock: another may hold it by the time that Looker answers.
  if (clock.now() + loginTimeoutMs > job.lock.until) {
    if (plan.writeAhead) await recordAttempt(ports, job, secret, { kind: "not_tried" });
    return { code: "busy", detail: "A dependency was too slow." };
  }
  return await logIn(ports, { ...job, epoch: control.epoch, firstUse: plan.writeAhead }, secret);
}

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
  "scope's lookerUrl. A version that was rejected is tried once in six minutes; a new version is tried at once.";

/** Writes `trying` before the login, on the condition that nobody else's stands. */
async function writeAhead(
  { table, clock, ids }: MintPorts,
  { scope, lock, deadline }: MintJob,
  secret: ClientSecret,
): Promise<LoginPlan> {
  return await commit(
    table.secretControls,
    scope.secretId,
    (row, now): Step<SecretControl, LoginPlan> => {
      const next = beginAttempt(row, secret, lock.owner, now);
      if (!next) return { outcome: planLogin(row, secret, now) };
      const outcome: LoginPlan = { kind: "log_in", writeAhead: true };
      return next === row ? { outcome } : { next, outcome };
    },
    { clock, ids, deadline },
  );
}

async function recordAttempt(
  { table, clock, ids }: MintPorts,
  { scope, lock, deadline }: MintJob,
  secret: ClientSecret,
  outcome: AttemptOutcome,
) {
  await commit(
    table.secretControls,
    scope.secretId,
    (row, now) => ({ next: endAttempt(row, secret, lock.owner, outcome, now), outcome: undefined }),
    { clock, ids, deadline, mustLand: true },
  );
}

async function logIn(ports: MintPorts, job: LoginJob, secret: ClientSecret): Promise<MintResult> {
  const { clock, looker } = ports;
  const { scope, audit } = job;
  const askedAt = clock.now();
  job.progress.tokenMade = true;
  const answer = await looker.login(scope.baseUrl, secret);
  if (answer.kind === "token") {
    count(audit, "logins");
    // Not before: of a pair that was stored the wrong way round, this is the secret.
    audit.client_id = secret.clientId;
    const lookerEndsAt = askedAt + Math.min(answer.expiresInSeconds, longestLifeSeconds) * 1_000;
    return await keep(ports, job, secret, { token: answer.accessToken, lookerEndsAt });
  }
  audit.reason = `login_${answer.kind}${"reason" in answer ? `_${answer.reason}` : ""}`;
  job.progress.tokenMade = answer.kind === "unknown";
  switch (answer.kind) {
    case "rejected":
      await recordAttempt(ports, job, secret, { kind: "rejected" });
      return { code: "looker_rejected_credentials", detail: rejectedDetail, until: clock.now() + recheckMs };
    case "throttled": {
      const until = clock.now() + Math.min(Math.max(answer.retryAfterSeconds ?? 30, 1), 300) * 1_000;
      await recordAttempt(ports, job, secret, { kind: "throttled", until });
      return { code: "looker_unavailable", detail: "Looker asked for fewer logins.", until };
    }
    case "unreached":
      await recordAttempt(ports, job, secret, { kind: "not_tried" });
      return { code: "looker_unavailable", detail: "Looker cannot be reached from the broker." };
    case "failed":
      return {
        code: "looker_unavailable",
        detail: "Looker, or what stands before it, answered the login with an error.",
      };
    case "unknown":
      count(audit, "possible_orphans");
      return { code: "looker_unavailable", detail: "Looker did not answer the login in time." };
  }
}

/** Seals and stores a fresh token; ends it where it must not be served. */
async function keep(
  ports: MintPorts,
  job: LoginJob,
  secret: ClientSecret,
  fresh: { token: string; lookerEndsAt: number },
): Promise<MintResult> {
  const { clock, ids, table, sealer, looker } = ports;
  const { scope, key, lock, audit, deadline } = job;
  const leaseId = ids.next();
  audit.minted_lease_id = leaseId;
  const endNow = async () => {
    if ((await looker.logout(scope.baseUrl, fresh.token)) === "ended") {
      job.progress.tokenMade = false;
      count(audit, "logouts");
    } else count(audit, "possible_orphans");
  };
  // Noted first of all: that this version works is true whatever becomes of the token. Its loss costs one back-off.
  if (job.firstUse)
    await recordAttempt(ports, job, secret, { kind: "worked" }).catch(() => {
      audit.reason = "attempt_not_recorded";
    });
  let sealed: Uint8Array;
  try {
    const named = { leaseId, baseUrl: scope.baseUrl, clientId: secret.clientId };
    sealed = await sealer.seal(fresh.token, sealIdentity(key, named));
  } catch (error) {
    await endNow();
    throw error;
  }
  const lease: Lease = {
    leaseId,
    sealed,
    tokenSha256: sha256Of(fresh.token),
    baseUrl: scope.baseUrl,
    clientId: secret.clientId,
    issuedAt: lock.since,
    endsAt: Math.min(lock.since + scope.leaseSeconds * 1_000, fresh.lookerEndsAt),
    lookerEndsAt: fresh.lookerEndsAt,
    epoch: job.epoch,
    digest: configurationDigest(scope),
  };
  const tooShort = lease.endsAt - clock.now() < shortestLifeMs;
  let outcome: "stored" | "fenced" | "untracked";
  try {
    // A token that is too short to serve goes the way of one that a revocation overtook: tracked first, then ended.
    const owner = tooShort ? `${lock.owner}#short` : lock.owner;
    outcome = await commit(table.slots, key, (slot, now) => storeMinted(slot, owner, lease, now), {
      clock,
      ids,
      deadline,
      mustLand: true,
    });
  } catch (error) {
    // A row that cannot be read was not written: the token is nobody's.
    if (error instanceof Unreadable) await endNow();
    // Otherwise perhaps it is stored, and must not be ended here; perhaps nobody holds it: the known window.
    else count(audit, "possible_orphans");
    throw error;
  }
  if (outcome === "untracked") await endNow();
  else if (outcome === "fenced")
    await endTokens(ports, job, [{ ...lease, since: lock.since, attempts: 0, retryAt: 0 }]);
  if (!tooShort) return "stored";
  audit.reason = "token_too_short";
  return { code: "looker_unavailable", detail: "Looker's token has less than 30 seconds to live." };
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
    const { name } = error as { name?: unknown };
    if (typeof name === "string" && /^[A-Za-z]{1,64}$/.test(name)) audit.error = name;
  }
  return { code: "busy" };
}
