/** Ending leases, from the first request to the truth. Commands and the console share it: it prints nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Broker } from "./broker.ts";
import type { Denial } from "./denial.ts";
import { type Filter, matches } from "./filter.ts";
import { type FollowJob, follow } from "./follow.ts";
import { type Frozen, type ListedLease, listingOf } from "./listing.ts";
import { LostAnswer } from "./lost-answer.ts";
import type { RevocationCounts, RevocationResult } from "./outcome.ts";
import { inEachScope, type ScopeResult, succeeded } from "./targets.ts";

export interface Ending {
  readonly broker: Broker;
  readonly scopes: readonly string[];
  /** What each scope's list said before; a scope is missing where that may not be seen. */
  readonly before: ReadonlyMap<string, readonly ListedLease[]>;
  readonly filter: Filter;
  /** Begins it in one scope. Throws {@link LostAnswer} where it may have begun. */
  begin(scope: string, signal: AbortSignal): Promise<Begun>;
  /** After a lost answer: makes certain of what is no lease, or throws. */
  settle(scope: string, lost: LostAnswer, signal: AbortSignal): Promise<BeyondLeases>;
}

/** What the first request did besides. */
interface BeyondLeases {
  readonly frozen?: Frozen;
  readonly denial?: Denial;
}

interface Begun extends RevocationCounts, BeyondLeases {}

export interface EndingWatch {
  /** How long pending leases are followed. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  onEvent(event: EndingEvent): void;
}

export type EndingEvent =
  /** The scope's list is asked in its place. */
  | { readonly kind: "answer_lost"; readonly scope: string; readonly lost: LostAnswer }
  | { readonly kind: "frozen"; readonly scope: string; readonly frozen: Frozen }
  | { readonly kind: "progress"; readonly scope: string; readonly result: RevocationResult };

export interface Ended extends RevocationResult, BeyondLeases {}

/** A list that is slow must not hold up what is urgent. */
const listedWithinMs = 5_000;

/** The leases of each scope; without those of a scope whose list cannot be had, since ending them needs it not. */
export async function leasesBefore(
  broker: Broker,
  scopes: readonly string[],
): Promise<Map<string, readonly ListedLease[]>> {
  const all = await inEachScope(scopes, (scope) => listingOf(broker, scope, { timeoutMs: listedWithinMs }));
  return new Map(succeeded(all).map(({ scope, value }) => [scope, value.leases]));
}

export async function endLeases(ending: Ending, watch: EndingWatch): Promise<ScopeResult<Ended>[]> {
  const { broker, scopes, filter } = ending;
  const { waitMs, signal, onEvent } = watch;
  return await inEachScope(scopes, async (scope) => {
    const first = await beginIn(ending, watch, scope);
    const { frozen, denial } = first;
    if (frozen) onEvent({ kind: "frozen", scope, frozen });
    const result = await follow({
      ...{ broker, scope, filter, first, waitMs, signal },
      monotonic: () => performance.now(),
      onProgress: (progress) => onEvent({ kind: "progress", scope, result: progress }),
      sleep: (milliseconds, until) => sleep(milliseconds, undefined, { signal: until }),
    });
    return { ...result, ...(frozen ? { frozen } : {}), ...(denial ? { denial } : {}) };
  });
}

type First = FollowJob["first"] & BeyondLeases;

async function beginIn(
  { begin, settle, before, filter }: Ending,
  { signal, onEvent }: EndingWatch,
  scope: string,
): Promise<First> {
  try {
    return await begin(scope, signal);
  } catch (error) {
    const listed = before.get(scope);
    if (!(error instanceof LostAnswer) || signal.aborted || !listed) throw error;
    onEvent({ kind: "answer_lost", scope, lost: error });
    const beyond = await settle(scope, error, signal);
    return { lost: listed.filter((lease) => matches(lease, filter)), ...beyond };
  }
}
