/**
 * Text on which a regular expression takes for ever. Every literal in functions/ is tried with text that it matches, in which
 * a piece is repeated and which then ends wrongly: where there is more than one way to match the repetition, it tries all.
 * https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS
 */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesGlob, parsePattern } from "../../functions/domain/pattern.ts";
import { parsePrincipal } from "../../functions/domain/principal.ts";
import { roleIdentity } from "../support/fakes/api-function.ts";

const functions = new URL("../../functions/", import.meta.url);

/** A literal stands where a value can begin. Comments are taken out first: they have slashes too. */
const literal =
  /(?<=[(=:,!&|?{[;>]\s*|return )\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([dgimsuvy]*)/g;

const literals = readdirSync(functions, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .flatMap((name): [where: string, expression: RegExp][] => {
    const source = readFileSync(new URL(name, functions), "utf8")
      .replace(/\/\*\*?[\s\S]*?\*\//g, "")
      .replace(/(?:^|\s)\/\/ .*$/gm, "");
    return [...source.matchAll(literal)].map(([, pattern = "", flags]) => [
      `${name} /${pattern}/${flags}`,
      new RegExp(pattern, flags),
    ]);
  });

/** Here a linear expression needs microseconds, or milliseconds if it begins anew at each place; a quadratic one needs more. */
const long = 10_000;
const slowMs = 40;

/** The faster of two tries: the machine has other things to do. */
function milliseconds(expression: RegExp, text: string): number {
  const tries = [0, 1].map(() => {
    expression.lastIndex = 0;
    const since = performance.now();
    expression.test(text);
    return performance.now() - since;
  });
  return Math.min(...tries);
}

/**
 * Step by step, so that the first length that takes long is the last one tried. A quarter of the text takes a quarter of the
 * time; a sixteenth or less where the time grows with the square.
 */
function slowOn(expression: RegExp, text: (times: number) => string): number | undefined {
  for (const times of [20, 24, 28, 300, 3_000, long]) {
    const spent = milliseconds(expression, text(times));
    if (spent > slowMs && spent > 9 * milliseconds(expression, text(times / 4))) return times;
  }
  return undefined;
}

const pieces = [
  "a",
  "A",
  "0",
  " ",
  "/",
  "-",
  ".",
  ":",
  "=",
  "%",
  "#",
  "a/",
  "a.",
  "0:",
  "ab",
  "\n",
  "é",
  "\u0000",
];

/** Text around the repetition: samples of what the expression matches, as far as fast-check can make them. */
function samplesOf(expression: RegExp): string[] {
  try {
    return fc.sample(fc.stringMatching(expression, { maxLength: 40 }), { numRuns: 6, seed: 1 });
  } catch {
    return [];
  }
}

function findSlow(expression: RegExp): string | undefined {
  const attacks = new Map<string, [head: string, piece: string]>();
  for (const piece of pieces) attacks.set(piece, ["", piece]);
  for (const sample of samplesOf(expression))
    for (let at = 0; at < sample.length; at += Math.max(1, Math.floor(sample.length / 8)))
      for (const length of [1, 2])
        attacks.set(`${sample.slice(0, at)}|${sample.slice(at, at + length)}`, [
          sample.slice(0, at),
          sample.slice(at, at + length),
        ]);
  for (const [head, piece] of attacks.values())
    for (const tail of ["\u0000", "!"]) {
      const times = slowOn(expression, (count) => `${head}${piece.repeat(count)}${tail}`);
      if (times !== undefined) return `${JSON.stringify([head, piece, tail])}, ${times} times`;
    }
  return undefined;
}

it.each([
  ["exponential", /^(?:\w+)*$/],
  ["exponential where two branches overlap", /^(?:a|[a-z])*=$/],
  ["quadratic where it may begin anywhere", /\s+$/],
  ["quadratic where two runs touch", /^\d+\d*-$/],
])("an expression that is %s is found", (_, expression) => {
  expect(findSlow(expression)).toBeDefined();
});

it("every line that uses an expression is looked at", () => {
  expect(literals.length).toBeGreaterThan(25);
  // Nobody builds one at run time, out of what came from outside or of anything else.
  for (const name of readdirSync(functions, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  ))
    expect([name, /\bRegExp\(/.test(readFileSync(new URL(name, functions), "utf8"))]).toEqual([name, false]);
});

it.each(literals)("%s takes linear time", (_, expression) => {
  expect(findSlow(expression)).toBeUndefined();
});

describe("what is matched by other means", () => {
  it.each([
    ["stars", "*a".repeat(30), "a".repeat(30_000)],
    ["stars and question marks", "*?".repeat(30), "a".repeat(30_000)],
    ["a star that nearly matches everywhere", `*${"a".repeat(30)}b*c`, "a".repeat(30_000)],
  ])("a glob of %s", (_, glob, text) => {
    const since = performance.now();
    expect(matchesGlob(`${glob}!`, text)).toBe(false);
    expect(performance.now() - since).toBeLessThan(1_000);
  });

  it("an identity or a pattern of a megabyte", () => {
    const since = performance.now();
    for (const piece of ["a", "a/", "/", "arn:aws:iam::", ":", "*"]) {
      const text = piece.repeat(1_000_000 / piece.length);
      for (const head of [
        "",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:sts::111122223333:assumed-role/a/",
      ]) {
        parsePattern(`${head}${text}`);
        parsePrincipal({ ...roleIdentity(), userArn: `${head}${text}` });
        parsePrincipal({ ...roleIdentity(), userArn: `${head}${text}\n` });
      }
    }
    expect(performance.now() - since).toBeLessThan(4_000);
  });
});
