/**
 * `npm run prose`: the check, as part of `npm run check`.
 * `npm run prose -- FILE…` lists all findings of the files.
 * `npm run prose -- --update` lowers the baseline. Without a baseline file it makes one.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Finding, type Measure, measure, passagesOf, per100 } from "./measure.ts";
import { type Baseline, baselineOf, compare } from "./ratchet.ts";

const root = new URL("../../../", import.meta.url);
const baselineFile = new URL("baseline.json", import.meta.url);
const git = (...args: string[]) =>
  execFileSync("git", args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    stdio: ["ignore", "pipe", "ignore"],
  });

function main(): number {
  const { values, positionals } = parseArgs({
    options: { update: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  if (positionals.length > 0) return list(positionals);

  const measures = readAll();
  const counts = [...measures].map(([path, { words, findings }]) => ({
    path,
    words,
    findings: findings.length,
  }));
  const baseline = readBaseline();
  if (!baseline) {
    if (!values.update) return fail("There is no baseline file. To make one: npm run prose -- --update");
    return write(baselineOf(counts));
  }
  const { risen, fallen, next } = compare(counts, baseline);
  if (values.update && next) return write(next);
  if (next && (risen.length > 0 || fallen.length > 0))
    return fail(
      `Fewer findings than in the baseline: ${[...fallen].join(", ")}.\nTo lower the baseline: npm run prose -- --update`,
    );
  for (const { path, findings, limit } of risen) {
    console.log(`${path} has ${findings} findings. At most ${limit} are allowed.`);
    print(path, newFindings(path, measures.get(path)?.findings ?? []));
  }
  if (risen.length > 0)
    return fail(
      "Rewrite these sentences, or others in the same file. CONTRIBUTING.md explains the check.\n" +
        "All findings of a file: npm run prose -- FILE",
    );
  console.log(summary([...measures.values()]));
  return 0;
}

function readAll(): Map<string, Measure> {
  const paths = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0");
  const measures = new Map<string, Measure>();
  for (const path of [...new Set(paths)].sort()) {
    if (path === "" || !existsSync(new URL(path, root))) continue;
    const passages = passagesIn(path);
    if (passages) measures.set(path, measure(passages));
  }
  return measures;
}

const passagesIn = (path: string) => passagesOf(path, readFileSync(new URL(path, root), "utf8"));

function readBaseline(): Baseline | undefined {
  return existsSync(baselineFile) ? JSON.parse(readFileSync(baselineFile, "utf8")) : undefined;
}

function write(baseline: Baseline): number {
  writeFileSync(baselineFile, `${JSON.stringify(baseline, null, 2)}\n`);
  console.log("The baseline is up to date.");
  return 0;
}

function list(paths: readonly string[]): number {
  for (const path of paths) {
    const passages = passagesIn(path);
    if (!passages) return fail(`${path}: the check does not read this kind of file.`);
    const result = measure(passages);
    print(path, result.findings);
    console.log(`${path}: ${summary([result])}`);
  }
  return 0;
}

/** Findings that the last commit did not have. Without a difference, such as in CI, all of them. */
function newFindings(path: string, findings: readonly Finding[]): readonly Finding[] {
  const key = ({ rule, excerpt }: Finding) => (rule === "density" ? rule : `${rule} ${excerpt}`);
  const before = committedFindings(path).map(key);
  const added = findings.filter((finding) => {
    const index = before.indexOf(key(finding));
    if (index >= 0) before.splice(index, 1);
    return index < 0;
  });
  return added.length > 0 ? added : findings;
}

function committedFindings(path: string): readonly Finding[] {
  let source: string;
  try {
    source = git("show", `HEAD:${path}`);
  } catch {
    return []; // The file is new.
  }
  return measure(passagesOf(path, source) ?? []).findings;
}

function print(path: string, findings: readonly Finding[]): void {
  const lines = findings.map(
    ({ line, rule, excerpt, better }) => `  ${path}:${line}  ${rule}: ${excerpt}\n      ${better}`,
  );
  // A high density is several equal findings.
  for (const line of new Set(lines)) console.log(line);
}

function summary(measures: readonly Measure[]): string {
  const total = (of: (each: Measure) => number) => measures.reduce((sum, each) => sum + of(each), 0);
  const words = total((each) => each.words);
  const findings = total((each) => each.findings.length);
  const density = per100(
    total((each) => each.clauseWords),
    words,
  );
  return `${findings} findings in ${words} words, ${per100(findings, words).toFixed(1)} in 100 (plain prose: below 1). What, who, that, which: ${density.toFixed(1)} in 100 (plain prose: about 1).`;
}

function fail(message: string): number {
  console.error(message);
  return 1;
}

process.exitCode = main();
