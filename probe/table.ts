/** The results for a terminal: a line each, aligned. */
import type { Result, Section } from "./check.ts";

const marks = { expected: "✓", surprise: "✗", "not tried": "–" } as const;
const colours = { expected: 32, surprise: 31, "not tried": 33 } as const;

export function table(sections: readonly Section[], colour: boolean): string {
  const all = sections.flatMap(({ results }) => results);
  const width = (column: "what" | "expected") => Math.max(...all.map((each) => each[column].length));
  const [what, expected] = [width("what"), width("expected")];
  const painted = (text: string, { outcome }: Result) =>
    colour ? `\u001b[${colours[outcome]}m${text}\u001b[0m` : text;
  const line = (each: Result) =>
    [
      ` ${painted(marks[each.outcome], each)}`,
      each.what.padEnd(what),
      each.expected.padEnd(expected),
      each.outcome === "expected" ? each.seen : painted(each.seen, each),
    ].join("  ");
  return sections
    .filter(({ results }) => results.length > 0)
    .map(({ title, results }) => `${title}\n${results.map(line).join("\n")}\n`)
    .join("\n");
}

export function summary(sections: readonly Section[]): string {
  const all = sections.flatMap(({ results }) => results);
  const count = (outcome: Result["outcome"]) => all.filter((each) => each.outcome === outcome).length;
  const surprises = count("surprise");
  return (
    `${count("expected")} as expected, ` +
    `${surprises === 1 ? "1 surprise" : `${surprises} surprises`}, ${count("not tried")} not tried.`
  );
}
