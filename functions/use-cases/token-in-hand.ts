/**
 * A fresh token in hand: sealed and stored by the lock's end, or ended at Looker. A process that is alive never lets it go.
 */
import { sha256Of } from "../domain/digest.ts";
import type { MintFailure } from "../domain/failures.ts";
import { configurationDigest, type Lease, lookerGraceMs } from "../domain/lease.ts";
import type { Slot } from "../domain/slot.ts";
import { type FailedMint, releaseMint, storeMinted } from "../domain/slot-mint.ts";
import { commit } from "./commit.ts";
import { endTokens, noteEnd, timeForLogout } from "./end-tokens.ts";
import { failureOf, type LoginJob, type MintPorts, type MintResult } from "./mint-job.ts";
import { type ClientSecret, type SealIdentity, sealIdentity, Unavailable } from "./ports.ts";
import { type AuditFields, count } from "./record.ts";

/** Looker's default life of a token, for an answer that does not tell it: https://cloud.google.com/looker/docs/api-auth */
const assumedLifeMs = 3_600_000;
/** A lease with less real life than this is of no use to anyone. */
const shortestLifeMs = 30_000;

export interface FreshToken {
  readonly leaseId: string;
  readonly token: string;
  /** Undefined where Looker did not say. */
  readonly lookerEndsAt?: number;
}

/** From here on the token is in the records, whatever becomes of it and of this request. */
export function noteMint(
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

/**
 * Ends a token that cannot be served. It gets a lease id all the same, so that its end is on record, and so that its row tracks
 * it until Looker confirms its end.
 */
export async function endUnusable(
  ports: MintPorts,
  job: LoginJob,
  { clientId }: ClientSecret,
  token: string,
): Promise<Pick<FailedMint, "noTokenLeft" | "inHand">> {
  const fresh: FreshToken = { leaseId: ports.ids.next(), token };
  count(job.audit, "logins");
  job.audit.client_id = clientId;
  noteMint(job, fresh);
  const lookerEndsAt = ports.clock.now() + assumedLifeMs;
  const lease = await leaseOf(ports, job, { ...fresh, lookerEndsAt }).catch(() => undefined);
  return await endOrHandOver(ports, job, fresh, lease);
}

/** Seals and stores a fresh token by the lock's end, or ends it. Never throws: it holds a token. */
export async function keep(
  ports: MintPorts,
  job: LoginJob,
  fresh: FreshToken & { lookerEndsAt: number },
): Promise<MintResult> {
  const { clock, ids, table } = ports;
  const { key, lock, audit } = job;
  let lease: Lease | undefined;
  try {
    lease = await leaseOf(ports, job, fresh);
    const failure = lease.endsAt - clock.now() >= shortestLifeMs ? undefined : tooShort(audit);
    const step = stepFor(job, lease, failure);
    const outcome = await commit(table.slots, key, step, {
      clock,
      ids,
      deadline: lock.until,
      mustLand: true,
    });
    if (outcome === "fenced")
      await endTokens(ports, job, [{ ...lease, since: lock.since, attempts: 0, retryAt: 0 }]);
    else if (outcome !== "stored" && !(await endInHand(ports, job, fresh))) count(audit, "possible_orphans");
    return { settled: true, failure };
  } catch (error) {
    // Neither stored nor tracked, as far as is known. A lease that turns out dead heals by a stale report; an orphan does not.
    const left = await endOrHandOver(ports, job, fresh, lease);
    return { failure: failureOf(error, audit), ...left };
  }
}

/** Ends the token now, or leaves it to the release of the lock, which tracks it in the row. */
async function endOrHandOver(
  ports: MintPorts,
  job: LoginJob,
  fresh: FreshToken,
  lease: Lease | undefined,
): Promise<Pick<FailedMint, "noTokenLeft" | "inHand">> {
  const ended = await endInHand(ports, job, fresh);
  if (!lease && !ended) count(job.audit, "possible_orphans");
  return { noTokenLeft: ended, inHand: lease && { token: lease, ended } };
}

/** The token, sealed for its row. @throws if KMS does not seal it by the lock's end */
async function leaseOf(
  ports: MintPorts,
  { scope, key, lock, epoch, credential }: LoginJob,
  { leaseId, token, lookerEndsAt }: FreshToken & { lookerEndsAt: number },
): Promise<Lease> {
  const named = { leaseId, baseUrl: scope.baseUrl, clientId: credential.clientId };
  return {
    ...named,
    sealed: await sealBy(ports, lock.until, token, sealIdentity(key, named)),
    tokenSha256: sha256Of(token),
    issuedAt: lock.since,
    endsAt: Math.min(lock.since + scope.leaseSeconds * 1_000, lookerEndsAt),
    lookerEndsAt,
    epoch,
    digest: configurationDigest(scope),
  };
}

/** A token that is too short to serve goes the way of one that a revocation overtook: tracked first, then ended. */
function stepFor({ lock, session }: LoginJob, lease: Lease, failure: MintFailure | undefined) {
  if (!failure) return (slot: Slot, now: number) => storeMinted(slot, lock.owner, lease, now);
  const failedMint: FailedMint = {
    digest: lease.digest,
    failure: session ? undefined : failure,
    noTokenLeft: false,
    inHand: { token: lease, ended: false },
  };
  return (slot: Slot, now: number) => releaseMint(slot, lock.owner, failedMint, now);
}

function tooShort(audit: AuditFields): MintFailure {
  audit.reason = "token_too_short";
  return { code: "looker_unavailable", detail: "Looker's token has less than 30 seconds to live." };
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
