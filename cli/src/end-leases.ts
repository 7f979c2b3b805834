/** What `revoke` and `freeze` have in common: ending leases in one or several scopes, and the last line about it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Broker } from "./broker.ts";
import { failureOf, noteFailure } from "./failure.ts";
import { type Filter, matches } from "./filter.ts";
import { type FollowJob, follow } from "./follow.ts";
import { exitCodeOfSignal, interruptible } from "./interruption.ts";
import { type Frozen, type ListedLease, listingOf } from "./listing.ts";
import { LostAnswer } from "./lost-answer.ts";
import type { OptionValues } from "./options.ts";
import {
  counts,
  exitCodeOf,
  outcomeLine,
  outcomeOf,
  outcomeWord,
  type RevocationCounts,
  type RevocationResult,
  sum,
} from "./outcome.ts";
import { failed, inEachScope, noteFailures, type ScopeResult, scopesJson, succeeded } from "./targets.ts";
import type { Terminal } from "./terminal.ts";
import { span, wholeSeconds } from "./time.ts";

export interface EndLeasesJob {
  readonly broker: Broker;
  readonly scopes: readonly string[];
  /** What each scope's list said before; a scope is missing where that may not be seen. */
  readonly before: ReadonlyMap<string, readonly ListedLease[]>;
  readonly filter: Filter;
  /** Begins it in one scope. Throws {@link LostAnswer} where it may have begun. */
  begin(scope: string, signal: AbortSignal): Promise<Begun>;
  /** After a lost answer: makes certain of what is no lease, or throws. */
  settle(scope: string, lost: LostAnswer, signal: AbortSignal): Promise<{ readonly frozen?: Frozen }>;
}

interface Begun extends RevocationCounts {
  readonly frozen?: Frozen;
}

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

export async function endLeases(io: Terminal, values: OptionValues, job: EndLeasesJob): Promise<number> {
  const { broker, scopes, filter } = job;
  const waitMs = wholeSeconds("wait", values.wait ?? "60") * 1_000;
  return await interruptible(async (signal, interrupted) => {
    const monotonic = () => performance.now();
    const begun = monotonic();
    const latest = new Map<string, RevocationResult>();
    const frozen = new Map<string, Frozen>();
    const show = () => {
      const { revoked, pending, unknown } = sum([...latest.values()]);
      const open = [`${pending} pending`, ...(unknown > 0 ? [`${unknown} unknown`] : [])].join(", ");
      if (!values.json)
        io.progress(`${open}, ${revoked} revoked, for ${span((monotonic() - begun) / 1_000)}`);
    };
    const all = await inEachScope(scopes, async (scope) => {
      const first = await beginIn(io, values, job, scope, signal);
      if (first.frozen) {
        frozen.set(scope, first.frozen);
        if (!values.json)
          io.print(`${io.paint("yellow", "frozen")}   ${scope}: nothing of it is served any more\n`);
      }
      return await follow({
        ...{ broker, scope, filter, first, waitMs, signal, monotonic },
        onProgress(result) {
          latest.set(scope, result);
          show();
        },
        sleep: (milliseconds, until) => sleep(milliseconds, undefined, { signal: until }),
      });
    });
    const total = sum(succeeded(all).map(({ value }) => value));
    if (values.json) io.print(`${JSON.stringify(report(all, total, frozen), null, 2)}\n`);
    else if (scopes.length > 1)
      for (const { scope, value } of succeeded(all)) io.print(outcomeLine(value, scope, io.paint));
    const failure = noteFailures(io, values, all);
    if (!values.json) io.print(lastLine(io, all, total));
    const stopped = interrupted();
    return stopped ? exitCodeOfSignal(stopped) : failure || exitCodeOf(total);
  });
}

type First = FollowJob["first"] & { readonly frozen?: Frozen };

async function beginIn(
  io: Terminal,
  values: OptionValues,
  { begin, settle, before, filter }: EndLeasesJob,
  scope: string,
  signal: AbortSignal,
): Promise<First> {
  try {
    return await begin(scope, signal);
  } catch (error) {
    const listed = before.get(scope);
    if (!(error instanceof LostAnswer) || signal.aborted || !listed) throw error;
    if (!values.json) noteFailure(io, values, { ...failureOf(error), scope, hint: "Its list will tell." });
    const { frozen } = await settle(scope, error, signal);
    return { lost: listed.filter((lease) => matches(lease, filter)), ...(frozen ? { frozen } : {}) };
  }
}

function lastLine(
  { paint }: Terminal,
  all: readonly ScopeResult<RevocationResult>[],
  total: RevocationResult,
): string {
  const [first] = all;
  // Of one scope that failed its error says it all.
  if (all.length === 1) return first && "value" in first ? outcomeLine(first.value, first.scope, paint) : "";
  const failures = failed(all);
  if (failures.length === 0) return outcomeLine(total, `${all.length} scopes`, paint);
  const named = failures.map(({ scope, failure }) => `${scope} (${failure.code})`).join(", ");
  const others = Object.entries(counts(total)).flatMap(([name, count]) =>
    count > 0 ? [`${count} ${name}`] : [],
  );
  const text = [`${failures.length} of ${all.length} scopes: ${named}`, ...others].join("; ");
  return `${outcomeWord("unknown", paint)}  ${text}\n`;
}

function report(
  all: readonly ScopeResult<RevocationResult>[],
  total: RevocationResult,
  frozen: ReadonlyMap<string, Frozen>,
): object {
  return {
    outcome: failed(all).length > 0 ? "unknown" : outcomeOf(total),
    ...counts(total),
    scopes: scopesJson(
      all,
      (result, scope) => ({
        ...(frozen.has(scope) ? { frozen: frozen.get(scope) } : {}),
        outcome: outcomeOf(result),
        ...counts(result),
        ...(result.answerLost ? { answer_lost: true } : {}),
      }),
      { outcome: "unknown" },
    ),
  };
}
