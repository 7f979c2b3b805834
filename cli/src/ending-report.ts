/** The words of `revoke` and `freeze` while leases end, and the last line about them. */
import { deniedText } from "./denial.ts";
import { type Ended, type Ending, type EndingEvent, endLeases } from "./end-leases.ts";
import { failureOf, noteFailure } from "./failure.ts";
import { exitCodeOfSignal, interruptible } from "./interruption.ts";
import type { OptionValues } from "./options.ts";
import {
  counts,
  exitCodeOf,
  outcomeLine,
  outcomeOf,
  outcomeWord,
  type RevocationResult,
  sum,
} from "./outcome.ts";
import { failed, noteFailures, type ScopeResult, scopesJson, succeeded } from "./targets.ts";
import type { Terminal } from "./terminal.ts";
import { span, wholeSeconds } from "./time.ts";

/** Ends the leases, and tells about it. @returns the exit code. */
export async function endAndReport(io: Terminal, values: OptionValues, ending: Ending): Promise<number> {
  const waitMs = wholeSeconds("wait", values.wait ?? "60") * 1_000;
  return await interruptible(async (signal, interrupted) => {
    const onEvent = values.json ? () => {} : narrator(io, values);
    const all = await endLeases(ending, { waitMs, signal, onEvent });
    const total = sum(succeeded(all).map(({ value }) => value));
    if (values.json) io.print(`${JSON.stringify(report(all, total), null, 2)}\n`);
    else if (all.length > 1)
      for (const { scope, value } of succeeded(all)) io.print(outcomeLine(value, scope, io.paint));
    const failure = noteFailures(io, values, all);
    if (!values.json) {
      io.print(deniedText(succeeded(all).map(({ value }) => value.denial)));
      io.print(lastLine(io, all, total));
    }
    const stopped = interrupted();
    return stopped ? exitCodeOfSignal(stopped) : failure || exitCodeOf(total);
  });
}

function narrator(io: Terminal, values: OptionValues): (event: EndingEvent) => void {
  const begun = performance.now();
  const latest = new Map<string, RevocationResult>();
  return (event) => {
    const { scope } = event;
    if (event.kind === "answer_lost")
      noteFailure(io, values, {
        ...failureOf(event.lost),
        scope,
        hint: "The scope's list shows the outcome.",
      });
    else if (event.kind === "frozen")
      io.print(`${io.paint("yellow", "frozen")}   ${scope}: callers get no lease of it\n`);
    else {
      latest.set(scope, event.result);
      const { revoked, pending, unknown } = sum([...latest.values()]);
      const open = [`${pending} pending`, ...(unknown > 0 ? [`${unknown} unknown`] : [])].join(", ");
      io.progress(`${open}, ${revoked} revoked, for ${span((performance.now() - begun) / 1_000)}`);
    }
  };
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

function report(all: readonly ScopeResult<Ended>[], total: RevocationResult): object {
  return {
    outcome: failed(all).length > 0 ? "unknown" : outcomeOf(total),
    ...counts(total),
    scopes: scopesJson(
      all,
      ({ frozen, denial, ...result }) => ({
        ...(frozen ? { frozen } : {}),
        ...(denial ? { denial } : {}),
        outcome: outcomeOf(result),
        ...counts(result),
        ...(result.answerLost ? { answer_lost: true } : {}),
      }),
      { outcome: "unknown" },
    ),
  };
}
