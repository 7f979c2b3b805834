/**
 * From `pending`, or from a lost answer, to the truth. The first request is not simply repeated: a caller may have got a
 * new lease in the meantime, and that would be ended, too. The leases that were meant are followed one by one.
 */
import { TokenBrokerError } from "@looker-token-broker/client/broker";
import type { Broker } from "./broker.ts";
import { clockSkewMs, type Filter, matches } from "./filter.ts";
import { type ListedLease, listingOf } from "./listing.ts";
import type { Ending } from "./outcome.ts";

export interface Follow {
  readonly broker: Broker;
  readonly scope: string;
  readonly filter: Filter;
  /** What the broker answered to the revocation; where that was lost, the leases that it was meant for. */
  readonly first:
    | { readonly revoked: number; readonly pending: number }
    | { readonly lost: readonly ListedLease[] };
  readonly waitMs: number;
  readonly signal: AbortSignal;
  onProgress(ending: Ending): void;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Milliseconds since some moment, for `waitMs`. */
  monotonic(): number;
}

const everyMs = 2_000;
/** Logouts that are asked for again in each round; the broker's sweeper tries all of them, with growing pauses. */
const askedAgain = 10;
const budgetMs = 10_000;

export async function follow(job: Follow): Promise<Ending> {
  const { first, waitMs, signal, sleep, monotonic } = job;
  const begun = monotonic();
  let { ending, tracked } = beginning(first);
  // Of a lost answer nothing is known before the first look.
  let looks = ending.answerLost ? 0 : 1;
  let looked = false;
  for (; open(ending) > 0 && !signal.aborted; looks++) {
    if (monotonic() - begun >= waitMs && looks > 0) break;
    job.onProgress(ending);
    try {
      if (tracked && looked)
        await askAgain(job, tracked, (state) => {
          ending = { ...ending, revoked: ending.revoked + 1, [state]: ending[state] - 1 };
        });
      ({ tracked, ending } = await look(job, tracked, ending));
      looked = true;
    } catch (error) {
      // What is known stays true. What is refused will be refused again; all else may pass.
      if (!(error instanceof TokenBrokerError)) throw error;
      if (!error.retryable && error.code !== "timed_out") return ending;
    }
    const leftMs = begun + waitMs - monotonic();
    if (open(ending) > 0 && leftMs > 0) await sleep(Math.min(everyMs, leftMs), signal).catch(() => {});
  }
  return ending;
}

const open = ({ pending, unknown }: Ending) => pending + unknown;

/** The listed leases that are waited for, by what names them before and after their login. */
type Tracked = Map<string, ListedLease>;

const keyOf = ({ unique_id, issued_at }: ListedLease) => `${unique_id} ${issued_at}`;

function beginning(first: Follow["first"]): { ending: Ending; tracked: Tracked | undefined } {
  const none = { revoked: 0, pending: 0, expired: 0, gone: 0, unknown: 0 };
  if (!("lost" in first)) {
    const { revoked, pending } = first;
    return { ending: { ...none, revoked, pending }, tracked: undefined };
  }
  const tracked: Tracked = new Map(first.lost.map((lease) => [keyOf(lease), lease]));
  return { ending: { ...none, unknown: tracked.size, answerLost: true }, tracked };
}

async function askAgain(
  { broker, scope, signal, first }: Follow,
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
      budgetMs,
    });
    if (answer.revoked === 0) continue;
    tracked.delete(key);
    onConfirmed(isUnknown(lease, first) ? "unknown" : "pending");
  }
}

async function look(
  job: Follow,
  before: Tracked | undefined,
  ending: Ending,
): Promise<{ tracked: Tracked; ending: Ending }> {
  const { broker, filter, first } = job;
  const listed = await matchingIn(job);
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
  const gone = Math.max(0, open(ending) - pending - unknown - revoked - expired - served);
  return {
    tracked,
    ending: {
      ...ending,
      revoked: ending.revoked + revoked,
      expired: ending.expired + expired,
      gone: ending.gone + gone,
      pending,
      unknown,
    },
  };
}

async function matchingIn({ broker, scope, filter, signal }: Follow): Promise<ListedLease[]> {
  const { leases } = await listingOf(broker, scope, { signal, budgetMs });
  return leases.filter((lease) => matches(lease, filter));
}

/** Rows that the broker itself cannot read match whatever is asked, and are in no list. */
async function unreadableIn(job: Follow, listed: readonly ListedLease[]): Promise<number> {
  const { broker, scope, filter, signal } = job;
  const { matched }: { matched: number } = await broker.ask({
    method: "DELETE",
    path: `/scopes/${scope}/leases`,
    query: { ...filter, dry_run: "true" },
    signal,
    budgetMs,
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
function isUnknown({ state }: ListedLease, first: Follow["first"]): boolean {
  return "lost" in first && state !== "pending";
}
