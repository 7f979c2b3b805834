/** Compares the counts of findings with the baseline: the count of a file may only fall. Pure. */

export type Baseline = Readonly<Record<string, number>>;

export interface Count {
  readonly path: string;
  readonly words: number;
  readonly findings: number;
}

export interface Verdict {
  /** Files over their limit. */
  readonly risen: readonly { readonly path: string; readonly findings: number; readonly limit: number }[];
  /** Files below their line in the baseline, and files that are gone. */
  readonly fallen: readonly string[];
  /** The lower baseline. Undefined if the baseline would have to rise. */
  readonly next?: Baseline;
}

/** A file without a line in the baseline may have one finding in 100 words, as plain prose has. */
export const limitOf = ({ path, words }: Count, baseline: Baseline): number =>
  baseline[path] ?? Math.floor(words / 100);

export function compare(counts: readonly Count[], baseline: Baseline): Verdict {
  const risen = counts
    .map((count) => ({ path: count.path, findings: count.findings, limit: limitOf(count, baseline) }))
    .filter(({ findings, limit }) => findings > limit);
  const found = new Map(counts.map(({ path, findings }) => [path, findings]));
  const falls = Object.entries(baseline).map(
    ([path, recorded]) => [path, recorded - (found.get(path) ?? 0)] as const,
  );
  const fallen = falls.filter(([, fall]) => fall > 0).map(([path]) => path);
  // A file that was moved or split is new. It takes over the findings of the old file, and no more.
  const freed = sum(falls.map(([, fall]) => Math.max(0, fall)));
  const taken = sum(risen.map(({ findings }) => findings));
  const allNew = risen.every(({ path }) => baseline[path] === undefined);
  return { risen, fallen, ...(allNew && taken <= freed && { next: baselineOf(counts) }) };
}

/** Sorted, and without files that have no finding, so that branches merge. */
export function baselineOf(counts: readonly Count[]): Baseline {
  return Object.fromEntries(
    counts
      .filter(({ findings }) => findings > 0)
      .map(({ path, findings }) => [path, findings] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
