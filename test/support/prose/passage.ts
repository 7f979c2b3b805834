/** A run of prose and its sentences. All readers of files produce passages, and all rules read sentences. */

export interface Passage {
  /** `text` includes comments. `title` is the name of a test. `string` is a message or a part of one. */
  readonly kind: "text" | "heading" | "item" | "cell" | "title" | "string";
  /** Without markup. Line breaks are those of the file, so that a sentence's line can be counted. */
  readonly text: string;
  /** Line of the first character, from 1. */
  readonly line: number;
}

export interface Sentence {
  readonly text: string;
  readonly line: number;
  readonly kind: Passage["kind"];
  /** First sentence of its passage: no noun stands before it. */
  readonly first: boolean;
}

/** Stands for code, URLs and inserted values: one word that no rule reads. */
export const placeholder = "`…`";

const abbreviation = /(?:\b(?:e\.g|i\.e|cf|vs|etc)|\bNo)\.$/;
const gap = /([.!?…]["'”’)\]]*)\s+(?=["“‘'([]*[`A-Z\d])/g;

export function sentencesOf({ kind, text, line }: Passage): Sentence[] {
  const sentences: Sentence[] = [];
  let from = 0;
  const add = (to: number) => {
    const raw = text.slice(from, to);
    const start = from + (raw.length - raw.trimStart().length);
    if (raw.trim() !== "")
      sentences.push({
        text: raw.trim().replace(/\s+/g, " "),
        line: line + newlines(text.slice(0, start)),
        kind,
        first: sentences.length === 0,
      });
    from = to;
  };
  for (const match of text.matchAll(gap)) {
    const end = match.index + (match[1]?.length ?? 0);
    if (!abbreviation.test(text.slice(0, end))) add(end);
  }
  add(text.length);
  return sentences;
}

export const newlines = (text: string): number => text.split("\n").length - 1;

/** A placeholder is one word. */
export const wordsIn = (text: string): number => text.match(/`…`|[\p{L}\d][\p{L}\d'’-]*/gu)?.length ?? 0;
