/** What `revoke` and `freeze` have in common: ending leases in one or several scopes, and the last word on it. */
import { setTimeout as sleep } from "node:timers/promises";
import { TokenBrokerError } from "../errors.ts";
import type { Broker } from "./broker.ts";
import type { Filter } from "./filter.ts";
import { follow } from "./follow.ts";
import { exitCodeOfSignal, interruptible } from "./interruption.ts";
import type { Frozen } from "./listing.ts";
import type { Values } from "./options.ts";
import { type Ending, exitCodeOf, outcomeLine, outcomeOf, sum } from "./outcome.ts";
import { inEach, noteFailures, succeeded } from "./targets.ts";
import type { Terminal } from "./terminal.ts";
import { span, wholeSeconds } from "./time.ts";

export interface EndLeases {
  readonly broker: Broker;
  readonly scopes: readonly string[];
  readonly filter: Filter;
  /** Begins it in one scope. */
  begin(scope: string, signal: AbortSignal): Promise<Begun>;
}

export interface Begun {
  readonly revoked: number;
  readonly pending: number;
  readonly frozen?: Frozen;
}

export async function endLeases(io: Terminal, values: Values, job: EndLeases): Promise<number> {
  const { broker, scopes, filter, begin } = job;
  const waitMs = wholeSeconds("wait", values.wait ?? "60") * 1_000;
  return await interruptible(async (signal, interrupted) => {
    const begun = Date.now();
    const latest = new Map<string, Ending>();
    const frozen = new Map<string, Frozen>();
    const show = () => {
      const { revoked, pending } = sum([...latest.values()]);
      io.progress(`${pending} pending, ${revoked} revoked, for ${span((Date.now() - begun) / 1_000)}`);
    };
    const all = await inEach(scopes, async (scope) => {
      const first = await begin(scope, signal).catch(untold(signal));
      if (first.frozen) {
        frozen.set(scope, first.frozen);
        if (!values.json)
          io.print(`${io.paint("yellow", "frozen")}   ${scope}: nothing of it is served any more\n`);
      }
      return await follow({
        ...{ broker, scope, filter, first, waitMs, signal },
        onProgress(ending) {
          latest.set(scope, ending);
          show();
        },
        sleep: (milliseconds, until) => sleep(milliseconds, undefined, { signal: until }),
        now: Date.now,
      });
    });
    const endings = succeeded(all);
    const total = sum(endings.map(({ value }) => value));
    if (values.json) io.print(`${JSON.stringify(report(all, total, frozen), null, 2)}\n`);
    else if (scopes.length > 1)
      for (const { scope, value } of endings) io.print(outcomeLine(value, scope, io.paint));
    const failed = noteFailures(io, values, all);
    if (!values.json) io.print(lastLine(io, scopes, endings.length, total));
    const stopped = interrupted();
    return stopped ? exitCodeOfSignal(stopped) : failed || exitCodeOf(total);
  });
}

/** The request may have reached the broker, whatever became of its answer. */
const untold =
  (signal: AbortSignal) =>
  (error: unknown): never => {
    if (!signal.aborted) throw error;
    throw new TokenBrokerError(
      "aborted",
      "Stopped before the broker had answered: it may have been done all the same.",
      {
        hint: "`looker-token leases` shows what there is.",
      },
    );
  };

function lastLine(io: Terminal, scopes: readonly string[], answered: number, total: Ending): string {
  const [scope = ""] = scopes;
  if (scopes.length === 1) return outcomeLine(total, scope, io.paint);
  if (answered === scopes.length) return outcomeLine(total, `${scopes.length} scopes`, io.paint);
  // Of a scope that gave no answer nothing is known to be dead.
  const unknown = `${scopes.length - answered} of ${scopes.length} scopes gave no answer`;
  return `${io.paint("yellow", "pending")}  ${unknown}: ask again for those\n`;
}

type Settled = Awaited<ReturnType<typeof inEach<Ending>>>;

function report(all: Settled, total: Ending, frozen: ReadonlyMap<string, Frozen>): object {
  const unanswered = succeeded(all).length < all.length;
  return {
    outcome: unanswered ? "pending" : outcomeOf(total),
    ...total,
    scopes: all.map((each) =>
      "value" in each
        ? {
            scope: each.scope,
            ...(frozen.has(each.scope) ? { frozen: frozen.get(each.scope) } : {}),
            outcome: outcomeOf(each.value),
            ...each.value,
          }
        : { scope: each.scope, error: { code: each.failure.code, message: each.failure.message } },
    ),
  };
}
