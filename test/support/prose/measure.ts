/** The findings of one file, and the figures for its density. */
import { describedPassages } from "./described.ts";
import { markdownPassages } from "./markdown.ts";
import { type Passage, sentencesOf, wordsIn } from "./passage.ts";
import { clauseWord, rules } from "./rules.ts";
import { sourcePassages } from "./source.ts";

export interface Finding {
  readonly line: number;
  readonly rule: string;
  readonly excerpt: string;
  readonly better: string;
}

export interface Measure {
  readonly words: number;
  /** Occurrences of {@link clauseWord}. */
  readonly clauseWords: number;
  readonly findings: readonly Finding[];
}

/** Undefined for a kind of file whose prose is not read. */
export function passagesOf(path: string, source: string): Passage[] | undefined {
  if (path.endsWith(".md")) return markdownPassages(source);
  if (/\.(?:ts|mjs|cjs)$/.test(path)) return sourcePassages(path, source);
  if (/^docs\/.*\.(?:yaml|json)$/.test(path)) return describedPassages(source);
  return undefined;
}

export function measure(passages: readonly Passage[]): Measure {
  const sentences = passages.flatMap(sentencesOf);
  const words = sum(sentences.map(({ text }) => wordsIn(text)));
  const clauseWords = sum(sentences.map(({ text }) => [...text.matchAll(clauseWord)].length));
  const findings = sentences.flatMap((sentence) =>
    rules.flatMap(({ name, better, find }) =>
      find(sentence).map((offset) => ({
        line: sentence.line,
        rule: name,
        excerpt: excerptAt(sentence.text, offset),
        better,
      })),
    ),
  );
  return { words, clauseWords, findings: [...findings, ...densityFindings(words, clauseWords)] };
}

export const per100 = (count: number, words: number): number => (words === 0 ? 0 : (count / words) * 100);

/** Below this length one sentence decides the density. */
const leastWords = 100;

/** One finding for each whole point above the density of plain prose, which is about 1 and always below 2. */
function densityFindings(words: number, clauseWords: number): Finding[] {
  const density = per100(clauseWords, words);
  const excess = words < leastWords ? 0 : Math.max(0, Math.floor(density) - 1);
  return Array.from({ length: excess }, () => ({
    line: 1,
    rule: "density",
    excerpt: `${density.toFixed(1)} of what, who, that and which in 100 words`,
    better: "Plain prose has about 1. Use nouns and short sentences.",
  }));
}

/** The words before the finding are shown too, because they often name the subject. */
function excerptAt(text: string, offset: number): string {
  const from = text.slice(0, offset).search(/\S+\s+\S*\s*$/);
  const excerpt = text.slice(Math.max(0, from));
  return excerpt.length > 70 ? `${excerpt.slice(0, 69)}…` : excerpt;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
