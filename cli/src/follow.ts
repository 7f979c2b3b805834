/**
 * From `pending`, or from a lost answer, to the truth. The first request is not simply repeated: a caller may have got a
 * new lease in the meantime, and that would be ended, too. The leases that were meant are followed one by one.
 */
import { TokenBrokerError } from "@looker-token-broker/client/broker";
import type { Broker } from "./broker.ts";
import { clockSkewMs, type Filter, matches } from "./filter.ts";
import { type ListedLease, listingOf } from "./listing.ts";
import type { RevocationCounts, RevocationResult } from "./outcome.ts";

export interface FollowJob {
  readonly broker: Broker;
  readonly scope: string;
  readonly filter: Filter;
  /** What the broker answered to the revocation; where that was lost, the leases that it was meant for. */
  readonly first: RevocationCounts | { readonly lost: readonly ListedLease[] };
  readonly waitMs: number;
  readonly signal: AbortSignal;
  onProgress(result: RevocationResult): void;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Milliseconds since some moment, for `waitMs`. */
  monotonic(): number;
}

const everyMs = 2_000;
/** Logouts that are asked for again in each round; the broker's sweeper tries all of them, with growing pauses. */
const askedAgain = 10;
const timeoutMs = 10_000;

export async function follow(job: FollowJob): Promise<RevocationResult> {
  const { first, waitMs, signal, sleep, monotonic } = job;
  const begun = monotonic();
  let { result, tracked } = startOf(first);
  // Of a lost answer nothing is known before the first look.
  let looks = result.answerLost ? 0 : 1;
  let looked = false;
  for (; open(result) > 0 && !signal.aborted; looks++) {
    if (monotonic() - begun >= waitMs && looks > 0) break;
    job.onProgress(result);
    try {
      if (tracked && looked)
        await askAgain(job, tracked, (state) => {
          result = { ...result, revoked: result.revoked + 1, [state]: result[state] - 1 };
        });
      ({ tracked, result } = await look(job, tracked, result));
      looked = true;
    } catch (error) {
      // What is known stays true. What is refused will be refused again; all else may pass.
      if (!(error instanceof TokenBrokerError)) throw error;
      if (!error.retryable && error.code !== "timed_out") return result;
    }
    const leftMs = begun + waitMs - monotonic();
    if (open(result) > 0 && leftMs > 0) await sleep(Math.min(everyMs, leftMs), signal).catch(() => {});
  }
  return result;
}

const open = ({ pending, unknown }: RevocationResult) => pending + unknown;

/** The listed leases that are waited for, by what names them before and after their login. */
type Tracked = Map<string, ListedLease>;

const keyOf = ({ unique_id, session, issued_at }: ListedLease) =>
  `${unique_id} ${session ?? ""} ${issued_at}`;

function startOf(first: FollowJob["first"]): { result: RevocationResult; tracked: Tracked | undefined } {
  const none = { revoked: 0, pending: 0, expired: 0, gone: 0, unknown: 0 };
  if (!("lost" in first)) {
    const { revoked, pending } = first;
    return { result: { ...none, revoked, pending }, tracked: undefined };
  }
  const tracked: Tracked = new Map(first.lost.map((lease) => [keyOf(lease), lease]));
  return { result: { ...none, unknown: tracked.size, answerLost: true }, tracked };
}

async function askAgain(
  { broker, scope, signal, first }: FollowJob,
  tracked: Tracked,
  onConfirmed: (was: "pending" | "unknown") => void,
): Promise<void> {
  const leases = [...tracked].filter(([, lease]) => lease.lease_id !== null).slice(0, askedAgain);
  for (const [key, lease] of leases) {
    // By its id it can be repeated: nothing else is meant.
    const answer: { revoked: number } = await broker.ask({
      method: "DELETE",
      path: `/scopes/${scope}/leases`,
      query: { lease_id: lease.lease_id ?? "" },
      signal,
      timeoutMs,
    });
    if (answer.revoked === 0) continue;
    tracked.delete(key);
    onConfirmed(isUnknown(lease, first) ? "unknown" : "pending");
  }
}

async function look(
  job: FollowJob,
  before: Tracked | undefined,
  result: RevocationResult,
): Promise<{ tracked: Tracked; result: RevocationResult }> {
  const { broker, filter, first } = job;
  const listed = await matchingIn(job, before);
  // The list is older than this by no more than Date is cut.
  const listedAt = broker.now() + 1_000;
  const unreadable = await unreadableIn(job, listed);
  const undead = new Map(
    listed
      .filter((lease) => "lost" in first || isEnding(lease, filter))
      .map((lease) => [keyOf(lease), lease]),
  );
  const tracked: Tracked = new Map([...undead].filter(([key]) => before?.has(key) ?? true));
  const unknown = [...tracked.values()].filter((lease) => isUnknown(lease, first)).length;
  const pending = tracked.size - unknown + unreadable;

  let [revoked, expired, served] = [0, 0, 0];
  const given = new Set(listed.map(keyOf));
  for (const [key, { token_ends_at }] of before ?? []) {
    // A login that began only after the revocation has become a lease.
    if (given.has(key) && !undead.has(key)) served++;
    if (given.has(key) || token_ends_at === null) continue;
    // Before its end, by whichever instance's clock, only Looker's confirmation takes a token off the list.
    if (listedAt + clockSkewMs <= Date.parse(token_ends_at)) revoked++;
    else expired++;
  }
  const gone = Math.max(0, open(result) - pending - unknown - revoked - expired - served);
  return {
    tracked,
    result: {
      ...result,
      revoked: result.revoked + revoked,
      expired: result.expired + expired,
      gone: result.gone + gone,
      pending,
      unknown,
    },
  };
}

/** An IAM user can be renamed meanwhile. Then the list has its leases under the new name. */
async function matchingIn(
  { broker, scope, filter, signal }: FollowJob,
  tracked?: Tracked,
): Promise<ListedLease[]> {
  const { leases } = await listingOf(broker, scope, { signal, timeoutMs });
  return leases.filter((lease) => matches(lease, filter) || tracked?.has(keyOf(lease)));
}

/** Rows that the broker itself cannot read match whatever is asked, and are in no list. */
async function unreadableIn(job: FollowJob, listed: readonly ListedLease[]): Promise<number> {
  const { broker, scope, filter, signal } = job;
  const { matched }: { matched: number } = await broker.ask({
    method: "DELETE",
    path: `/scopes/${scope}/leases`,
    query: { ...filter, dry_run: "true" },
    signal,
    timeoutMs,
  });
  if (matched <= listed.length) return 0;
  // Or a lease that began between the two: then a second list has it.
  const seen = new Set([...listed, ...(await matchingIn(job))].map(keyOf));
  return Math.max(0, matched - seen.size);
}

/** After a revocation; a superseded lease only of a whole scope, whose job may not have come to it. */
function isEnding({ state }: ListedLease, { all }: Filter): boolean {
  return state === "pending" || state === "minting" || (state === "superseded" && all === "true");
}

/** Whether the revocation came to it is told by an answer, or by its being pending. */
function isUnknown({ state }: ListedLease, first: FollowJob["first"]): boolean {
  return "lost" in first && state !== "pending";
}
