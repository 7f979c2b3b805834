/** The results of two rounds of Stryker, as one table. */

interface Place {
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

interface Found {
  readonly location: { readonly start: Place; readonly end: Place };
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status: string;
}

export interface Report {
  readonly files: Record<string, { readonly source: string; readonly mutants: readonly Found[] }>;
}

export interface Mutant extends Found {
  readonly file: string;
  /** The source lines that it changes. */
  readonly lines: readonly string[];
}

const killed = new Set(["Killed", "Timeout"]);
const alive = new Set(["Survived", "NoCoverage"]);
const allTogether = 95;
const eachFile = 90;

/** The mutants that live, as Stryker's `mutate` takes them: its columns begin at 0. */
export const ranges = (mutants: readonly Mutant[]): string[] => [
  ...new Set(
    mutants
      .filter(({ status }) => alive.has(status))
      .map(({ file, location: { start, end } }) =>
        [file, start.line, `${start.column - 1}-${end.line}`, end.column - 1].join(":"),
      ),
  ),
];

const name = ({ file, location, mutatorName, replacement }: Mutant) =>
  JSON.stringify([file, location, mutatorName, replacement]);

/** Killed in any round is killed. */
export function merged(first: readonly Mutant[], second: readonly Mutant[]): Mutant[] {
  const later = new Map(second.map((mutant) => [name(mutant), mutant]));
  return first.map((mutant) => (alive.has(mutant.status) ? (later.get(name(mutant)) ?? mutant) : mutant));
}

export function summary(mutants: readonly Mutant[]): { text: string; passed: boolean } {
  const survivors = mutants
    .filter(({ status }) => alive.has(status))
    .map(
      ({ file, location: { start, end }, mutatorName, status, lines, replacement }) =>
        `${file}:${start.line}:${start.column}-${end.line}:${end.column} ${status}, ${mutatorName}\n- ${lines.join("\n- ")}\n+ ${replacement}\n\n`,
    );
  const files = [...new Set(mutants.map(({ file }) => file))].sort().map((file) => ({
    file,
    ...score(mutants.filter((mutant) => mutant.file === file)),
  }));
  const total = { file: "all", ...score(mutants) };
  const table = [...files, total].map(
    ({ file, share, dead, living, ignored }) =>
      `${share.toFixed(1).padStart(6)} %  ${`${dead} killed`.padStart(11)}  ${`${living} alive`.padStart(9)}  ${`${ignored} not run`.padStart(11)}  ${file}\n`,
  );
  const passed = total.share >= allTogether && files.every(({ share }) => share >= eachFile);
  return { text: `\n${survivors.join("")}${table.join("")}`, passed };
}

function score(mutants: readonly Mutant[]): { share: number; dead: number; living: number; ignored: number } {
  const dead = mutants.filter(({ status }) => killed.has(status)).length;
  const living = mutants.filter(({ status }) => alive.has(status)).length;
  const share = dead + living === 0 ? 100 : (100 * dead) / (dead + living);
  return { share, dead, living, ignored: mutants.length - dead - living };
}
