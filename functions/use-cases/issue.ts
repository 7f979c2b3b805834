/** Giving a caller its token: serve the lease, or wait for the one who is at it, or log in under the slot's lock. */

import { sha256Of } from "../domain/digest.ts";
import { configurationDigest, type Lease, lookerGraceMs } from "../domain/lease.ts";
import { Problem } from "../domain/problem.ts";
import type { Scope } from "../domain/scope.ts";
import { type Ask, decide, type Slot, takeLock } from "../domain/slot.ts";
import { commit } from "./commit.ts";
import { type MintPorts, mint, mintNeedsMs } from "./mint.ts";
import { type CallerSlotKey, sealIdentity, Unavailable, Unreadable } from "./ports.ts";
import { type AuditFields, count, noteNamed } from "./record.ts";

/** Long waits belong to the client: a waiting function is a held instance. */
const longestWaitMs = 3_000;
const firstWaitMs = 100;

export interface IssueRequest {
  readonly scope: Scope;
  readonly key: CallerSlotKey;
  readonly minTtlSeconds: number;
  readonly staleLeaseId?: string | undefined;
  /** Epoch milliseconds by which the invocation must have answered. */
  readonly deadline: number;
  readonly audit: AuditFields;
}

export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly leaseId: string;
  readonly baseUrl: string;
}

export async function issueToken(ports: MintPorts, request: IssueRequest): Promise<IssuedToken> {
  const { clock, ids, table } = ports;
  const { scope, key, audit, deadline } = request;
  noteNamed(audit, "stale_lease_id", request.staleLeaseId);
  const owner = ids.next();
  const digest = configurationDigest(scope);
  let waited = 0;
  let minted = false;
  let lockFailed = false;
  let unreadableLeaseId: string | undefined;
  for (;;) {
    const { slot, control } = await table.readForIssue(key);
    const now = clock.now();
    const ask: Ask = {
      callerArn: key.callerArn,
      minTtlMs: request.minTtlSeconds * 1_000,
      staleLeaseId: request.staleLeaseId,
      unreadableLeaseId,
      digest,
      mintsPerTenMinutes: scope.mintsPerTenMinutes,
      mayMint: !minted && !lockFailed && deadline - now >= mintNeedsMs,
    };
    const decision = decide(slot, control, ask, now);
    switch (decision.kind) {
      case "serve": {
        const answer = await serve(ports, request, decision.lease);
        // Suspended on the way, or kept waiting by KMS: what was fit to be served when it was read is not any more.
        if (clock.now() > deadline || (answer && answer.expiresInSeconds < 1))
          throw new Problem("busy", { retryAfterSeconds: 1, reason: "timed_out" });
        if (answer) {
          const ownLogin = audit.minted_lease_id === decision.lease.leaseId;
          Object.assign(audit, givenOut(decision.lease));
          audit.outcome = ownLogin ? "minted" : waited > 0 ? "waited" : "hit";
          return answer;
        }
        // Somebody edited the row. It is reported, never served, and replaced under the usual budget.
        unreadableLeaseId = decision.lease.leaseId;
        break;
      }
      case "refuse":
        throw new Problem(decision.code, {
          ...(decision.detail === undefined ? {} : { detail: decision.detail }),
          ...(decision.retryAfterMs === undefined
            ? {}
            : { retryAfterSeconds: Math.max(1, Math.ceil(decision.retryAfterMs / 1_000)) }),
        });
      case "wait": {
        const pause = nextPause(waited, owner);
        if (waited + pause > longestWaitMs || now + pause + 1_000 > deadline)
          throw new Problem("busy", { retryAfterSeconds: 1 });
        await clock.sleep(pause);
        waited += pause;
        audit.wait_ms = waited;
        break;
      }
      case "mint": {
        const take = (row: Slot, at: number) => takeLock(row, control, ask, owner, at);
        const lock = await commit(table.slots, key, take, { clock, ids, start: slot, deadline }).catch(
          (error: unknown) => {
            if (!(error instanceof Unavailable)) throw error;
            return undefined;
          },
        );
        if (!lock) {
          // Perhaps it is taken, perhaps not. A lease that is still good is served; a login is left to a later request.
          lockFailed = true;
          break;
        }
        if (lock.kind === "changed") break;
        minted = true;
        if (lock.possibleOrphan) count(audit, "possible_orphans");
        await mint(ports, { scope, key, lock: lock.mint, deadline, audit });
      }
    }
  }
}

/** Unseals the lease; undefined if its row was edited or swapped. */
async function serve(
  ports: MintPorts,
  { key, audit }: IssueRequest,
  lease: Lease,
): Promise<IssuedToken | undefined> {
  try {
    const accessToken = await ports.sealer.unseal(lease.sealed, sealIdentity(key, lease));
    // Not under the seal. What the record says was handed out must be what is handed out.
    if (sha256Of(accessToken) !== lease.tokenSha256) throw new Unreadable("token_sha256");
    const expiresInSeconds = Math.floor((lease.endsAt - ports.clock.now()) / 1_000);
    return { accessToken, expiresInSeconds, leaseId: lease.leaseId, baseUrl: lease.baseUrl };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    count(audit, "unreadable");
    return undefined;
  }
}

/** Noted once it is certain that the caller gets it: a record must not name a holder who has nothing. */
function givenOut(lease: Lease): AuditFields {
  return {
    lease_id: lease.leaseId,
    token_sha256: lease.tokenSha256,
    client_id: lease.clientId,
    lease_ends_at: lease.endsAt,
    token_ends_at: lease.lookerEndsAt + lookerGraceMs,
  };
}

/** 100 ms growing to 150, so that a login's end is noticed soon after; spread by the owner's id so that a crowd does not come back at once. */
function nextPause(waited: number, owner: string): number {
  const spread = 0.75 + (owner.charCodeAt(0) % 16) / 32;
  return Math.round(Math.min(firstWaitMs + waited / 8, 150) * spread);
}
