import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import fc from "fast-check";
import { captureOutput } from "../../support/canary.ts";
import { type Case, cases } from "./cases.ts";
import { type Invoke, loadEntries } from "./entries.ts";
import { judge } from "./judge.ts";
import { changeRows, makeFault, prepare } from "./world.ts";

export interface Verdict {
  readonly runs: number;
  /** The smallest event found with which something did not hold, and how to try it again; undefined if all did. */
  readonly failure: string | undefined;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** @param options.path of a failure that was printed before: tries that very event */
export async function check(options: {
  runs: number;
  seed: number;
  path?: string | undefined;
}): Promise<Verdict> {
  const { runs, seed, path } = options;
  const invoke = await loadEntries();
  const unhandled: unknown[] = [];
  process.on("unhandledRejection", (reason) => unhandled.push(reason));
  const statuses: Record<string, number> = {};
  const output = captureOutput({ passOn: false });
  const attempt = async (tried: Case) => {
    await prepare(invoke, tried.state);
    changeRows(tried.rowChanges);
    makeFault(tried.fault);
    output.take();
    const { answer, thrown } = await outcomeOf(invoke, tried);
    // A rejection is called unhandled once the microtasks are done.
    await setImmediate();
    const wrong = judge(tried, { answer, thrown, written: output.take(), unhandled: unhandled.splice(0) });
    const status = String((answer as { statusCode?: unknown } | undefined)?.statusCode ?? tried.entry);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  };
  const result = await fc.check(fc.asyncProperty(cases, attempt), {
    numRuns: runs,
    seed,
    ...(path === undefined ? {} : { path, endOnFailure: true }),
  });
  output.restore();
  const { errorInstance, counterexample, counterexamplePath, numRuns } = result;
  if (!result.failed) return { runs: numRuns, failure: undefined, statuses };
  const shown = inspect(counterexample?.[0], { depth: 7, maxStringLength: 200, breakLength: 110 });
  const failure = [
    errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
    shown,
    `Again: npm run test:fuzz -- --seed ${seed} --path ${counterexamplePath}`,
  ].join("\n");
  return { runs: numRuns, failure, statuses };
}

async function outcomeOf(invoke: Invoke, { entry, event }: Case) {
  try {
    return { answer: await invoke(entry, event), thrown: undefined };
  } catch (thrown) {
    return { answer: undefined, thrown: thrown ?? "nothing" };
  }
}
