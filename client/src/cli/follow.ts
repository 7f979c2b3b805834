/**
 * From `pending` to the truth. The first request is not simply repeated: a caller may have got a new lease in the meantime,
 * and that would be ended, too. The leases that were pending are followed one by one.
 */
import { TokenBrokerError } from "../errors.ts";
import type { Broker } from "./broker.ts";
import { type Filter, matches } from "./filter.ts";
import { type ListedLease, listingOf } from "./listing.ts";
import type { Ending } from "./outcome.ts";

export interface Follow {
  readonly broker: Broker;
  readonly scope: string;
  readonly filter: Filter;
  /** What the broker answered to the revocation. */
  readonly first: { readonly revoked: number; readonly pending: number };
  readonly waitMs: number;
  readonly signal: AbortSignal;
  onProgress(ending: Ending): void;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  now(): number;
}

const everyMs = 2_000;
/** Logouts that are asked for again in each round; the broker's sweeper tries all of them, with growing pauses. */
const askedAgain = 10;
const budgetMs = 10_000;

export async function follow(job: Follow): Promise<Ending> {
  const { first, waitMs, signal, sleep, now } = job;
  const begun = now();
  let ending: Ending = { revoked: first.revoked, pending: first.pending, expired: 0, gone: 0 };
  let tracked: Tracked | undefined;
  while (ending.pending > 0 && !signal.aborted && now() - begun < waitMs) {
    job.onProgress(ending);
    try {
      if (tracked)
        await askAgain(job, tracked, () => {
          ending = { ...ending, revoked: ending.revoked + 1, pending: ending.pending - 1 };
        });
      ({ tracked, ending } = await look(job, tracked, ending));
    } catch (error) {
      // What is known stays true. What is refused will be refused again; all else may pass.
      if (!(error instanceof TokenBrokerError)) throw error;
      if (!error.retryable && error.code !== "timed_out") return ending;
    }
    if (ending.pending > 0)
      await sleep(Math.max(0, Math.min(everyMs, begun + waitMs - now())), signal).catch(() => {});
  }
  return ending;
}

/** The listed leases that are waited for, by what names them before and after their login. */
type Tracked = Map<string, ListedLease>;

const keyOf = ({ unique_id, issued_at }: ListedLease) => `${unique_id} ${issued_at}`;

async function askAgain(
  { broker, scope, signal }: Follow,
  tracked: Tracked,
  onConfirmed: () => void,
): Promise<void> {
  const leases = [...tracked].filter(([, lease]) => lease.lease_id !== null).slice(0, askedAgain);
  for (const [key, { lease_id }] of leases) {
    const answer: { revoked: number } = await broker.ask({
      method: "DELETE",
      path: `/scopes/${scope}/leases`,
      query: { lease_id: lease_id ?? "" },
      signal,
      budgetMs,
    });
    if (answer.revoked === 0) continue;
    tracked.delete(key);
    onConfirmed();
  }
}

async function look(
  { broker, scope, filter, signal, now }: Follow,
  before: Tracked | undefined,
  ending: Ending,
): Promise<{ tracked: Tracked; ending: Ending }> {
  const more = { signal, budgetMs };
  const { leases } = await listingOf(broker, scope, more);
  const { matched }: { matched: number } = await broker.ask({
    method: "DELETE",
    path: `/scopes/${scope}/leases`,
    query: { ...filter, dry_run: "true" },
    ...more,
  });
  const listed = leases.filter((lease) => matches(lease, filter));
  const undead = new Map(
    listed.filter((lease) => isEnding(lease, filter)).map((lease) => [keyOf(lease), lease]),
  );
  const tracked: Tracked = new Map([...undead].filter(([key]) => before?.has(key) ?? true));
  // Rows that the broker itself cannot read match whatever is asked, and are in no listing.
  const pending = tracked.size + Math.max(0, matched - listed.length);

  let [revoked, expired, served] = [0, 0, 0];
  const given = new Set(listed.map(keyOf));
  for (const [key, { ends_at }] of before ?? []) {
    // A login that began only after the revocation has become a lease.
    if (given.has(key) && !undead.has(key)) served++;
    if (given.has(key) || ends_at === null) continue;
    // Before its end only Looker's confirmation takes a token off the list.
    if (now() < Date.parse(ends_at)) revoked++;
    else expired++;
  }
  const gone = Math.max(0, ending.pending - pending - revoked - expired - served);
  return {
    tracked,
    ending: {
      revoked: ending.revoked + revoked,
      expired: ending.expired + expired,
      gone: ending.gone + gone,
      pending,
    },
  };
}

/** After a revocation; a superseded lease only of a whole scope, whose job may not have come to it. */
function isEnding({ state }: ListedLease, { all }: Filter): boolean {
  return state === "pending" || state === "minting" || (state === "superseded" && all === "true");
}
