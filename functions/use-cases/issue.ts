/** Gives a caller its token: serves the lease, or waits for another request's login, or logs in under the slot's lock. */

import type { ScopeControl } from "../domain/control.ts";
import { sha256Of } from "../domain/digest.ts";
import type { Refusal } from "../domain/failures.ts";
import { configurationDigest, lookerGraceMs, type TrackedToken } from "../domain/lease.ts";
import { Problem } from "../domain/problem.ts";
import type { Scope } from "../domain/scope.ts";
import type { SessionBudget, SpentLogin } from "../domain/session-budget.ts";
import { type Ask, addName, decide, type Slot } from "../domain/slot.ts";
import { type LockOutcome, releaseMint, takeLock } from "../domain/slot-mint.ts";
import { commit } from "./commit.ts";
import { mint, mintNeedsMs } from "./mint.ts";
import type { MintPorts, SessionMint } from "./mint-job.ts";
import { type SlotKey, sealIdentity, Unavailable, Unreadable } from "./ports.ts";
import { type AuditFields, count, noteNamed } from "./record.ts";
import { readBudget, spendOnSession } from "./session-login.ts";
import { type Wait, waitForOther } from "./wait-for-other.ts";

/** A login's end is noticed soon after. */
const longestPauseMs = 150;
/** Long waits belong to the client: a waiting function is a held instance. */
const longestWaitMs = 3_000;

export interface IssueRequest {
  readonly scope: Scope;
  readonly key: SlotKey;
  /** Path-less: the name that the caller has now. */
  readonly callerArn: string;
  readonly minTtlSeconds: number;
  readonly staleLeaseId?: string | undefined;
  /** Epoch milliseconds: the invocation must have answered by then. */
  readonly deadline: number;
  readonly audit: AuditFields;
}

export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly leaseId: string;
  readonly baseUrl: string;
}

/** A request's work so far, and the work it may still do. */
interface Progress extends Wait {
  /** One for the request, so that a lock whose answer was lost is recognised. */
  readonly owner: string;
  /** One login a request: true until a login begins, or until a write of the lock has an unknown outcome. */
  mayMint: boolean;
  unreadableLeaseId?: string;
  /** Of a session: its caller's budget has no login left for it. */
  refusal?: Refusal | undefined;
}

export async function issueToken(ports: MintPorts, request: IssueRequest): Promise<IssuedToken> {
  const { clock, ids, table } = ports;
  const { key, audit } = request;
  noteNamed(audit, "stale_lease_id", request.staleLeaseId);
  const progress: Progress = { owner: ids.next(), waitedMs: 0, mayMint: true };
  for (;;) {
    const { slot, control } = await table.readForIssue(key);
    const now = clock.now();
    const decision = decide(slot, control, askOf(request, progress, now), now);
    switch (decision.kind) {
      case "serve": {
        const token = await serve(ports, request, decision.lease);
        if (token) {
          noteGivenOut(audit, decision.lease, progress);
          return token;
        }
        // Somebody edited the row. It is reported, never served, and replaced under the usual budget.
        progress.unreadableLeaseId = decision.lease.leaseId;
        break;
      }
      case "refuse":
        throw problemOf(decision);
      case "wait":
        await waitForLogin(ports, request, progress);
        break;
      case "add_name":
        await commit(table.slots, key, (row) => addName(row, request.callerArn), {
          ...ports,
          ...request,
          start: slot,
        });
        break;
      case "mint":
        await logInUnderLock(ports, request, progress, { slot, control });
    }
  }
}

const askOf = (
  { scope, key, callerArn, minTtlSeconds, staleLeaseId, deadline }: IssueRequest,
  { mayMint, unreadableLeaseId, refusal }: Progress,
  now: number,
): Ask => ({
  callerArn,
  minTtlMs: minTtlSeconds * 1_000,
  staleLeaseId,
  unreadableLeaseId,
  digest: configurationDigest(scope),
  mintsPerTenMinutes: key.session === undefined ? scope.mintsPerTenMinutes : undefined,
  refusal,
  mayMint: mayMint && deadline - now >= mintNeedsMs,
});

function problemOf({ code, detail, retryAfterMs }: Refusal): Problem {
  const retryAfterSeconds =
    retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return new Problem(code, { detail, retryAfterSeconds });
}

async function waitForLogin(
  { clock }: MintPorts,
  { deadline, audit }: IssueRequest,
  progress: Progress,
): Promise<void> {
  const limits = { longestPauseMs, longestWaitMs, deadline: deadline - 1_000 };
  if (!(await waitForOther(clock, progress, limits))) throw new Problem("busy", { retryAfterSeconds: 1 });
  audit.wait_ms = progress.waitedMs;
}

async function logInUnderLock(
  ports: MintPorts,
  request: IssueRequest,
  progress: Progress,
  { slot, control }: { slot: Slot; control: ScopeControl },
): Promise<void> {
  const { scope, key, deadline, audit } = request;
  // Nothing is written where the budget says no: a caller that goes on asking costs reads alone.
  const asked = key.session === undefined ? undefined : await readBudget(ports, request);
  if (asked?.kind === "refuse") {
    progress.refusal = asked;
    return;
  }
  const take = (row: Slot, now: number) =>
    takeLock(row, control, askOf(request, progress, now), progress.owner, now);
  let lock: LockOutcome;
  try {
    lock = await commit(ports.table.slots, key, take, { ...ports, start: slot, deadline });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    // Perhaps the lock is taken, perhaps not. A good lease is still served, and a login is left to a later request.
    progress.mayMint = false;
    return;
  }
  if (lock.kind === "changed") return;
  progress.mayMint = false;
  if (lock.possibleOrphan) count(audit, "possible_orphans");
  const session = asked && (await countSession(ports, request, progress, asked.budget));
  if (progress.refusal) return;
  progress.refusal = await mint(ports, { scope, key, lock: lock.mint, session, deadline, audit });
}

/** Under the session's lock, which is given back where the login is not counted. */
async function countSession(
  ports: MintPorts,
  request: IssueRequest,
  progress: Progress,
  budget: SessionBudget,
): Promise<SessionMint | undefined> {
  const { staleLeaseId } = request;
  const { owner, unreadableLeaseId } = progress;
  let spent: SpentLogin | Refusal | undefined;
  try {
    spent = await spendOnSession(ports, request, owner, budget);
  } finally {
    if (spent?.kind !== "spent") await giveLockBack(ports, request, owner);
  }
  if (spent.kind === "refuse") {
    progress.refusal = spent;
    return undefined;
  }
  if (staleLeaseId === undefined && unreadableLeaseId === undefined) return { spent };
  return { spent, unwanted: { digest: configurationDigest(request.scope), staleLeaseId, unreadableLeaseId } };
}

async function giveLockBack(
  ports: MintPorts,
  { scope, key, deadline }: IssueRequest,
  owner: string,
): Promise<void> {
  const nothingMade = { digest: configurationDigest(scope), noTokenLeft: true };
  try {
    await commit(ports.table.slots, key, (slot, now) => releaseMint(slot, owner, nothingMade, now), {
      ...ports,
      deadline,
    });
  } catch (error) {
    // The lock runs out by itself, and a good lease is still served meanwhile.
    if (!(error instanceof Unavailable)) throw error;
  }
}

/** Unseals the lease. Returns undefined if its row was edited or swapped. */
async function serve(
  ports: MintPorts,
  { key, deadline, audit }: IssueRequest,
  lease: TrackedToken,
): Promise<IssuedToken | undefined> {
  let accessToken: string;
  try {
    accessToken = await ports.sealer.unseal(lease.sealed, sealIdentity(key, lease));
    // The hash is not under the seal. The record must name the token that is handed out.
    if (sha256Of(accessToken) !== lease.tokenSha256) throw new Unreadable();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    count(audit, "unreadable");
    accessToken = "";
  }
  const now = ports.clock.now();
  const expiresInSeconds = Math.floor((lease.endsAt - now) / 1_000);
  // Suspended on the way, or kept waiting by KMS: the lease was fit to be served when it was read, but is not any more.
  if (now > deadline || (accessToken && expiresInSeconds < 1))
    throw new Problem("busy", { retryAfterSeconds: 1, reason: "timed_out" });
  return accessToken
    ? { accessToken, expiresInSeconds, leaseId: lease.leaseId, baseUrl: lease.baseUrl }
    : undefined;
}

/** Noted once the caller certainly gets the token, because a record must not name a holder without one. */
function noteGivenOut(audit: AuditFields, lease: TrackedToken, { waitedMs }: Progress): void {
  const ownLogin = audit.minted_lease_id === lease.leaseId;
  audit.outcome = ownLogin ? "minted" : waitedMs > 0 ? "waited" : "hit";
  audit.lease_id = lease.leaseId;
  audit.token_sha256 = lease.tokenSha256;
  audit.client_id = lease.clientId;
  audit.lease_ends_at = lease.endsAt;
  audit.token_ends_at = lease.lookerEndsAt + lookerGraceMs;
}
