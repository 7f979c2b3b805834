/**
 * The rules of plain English, each with the better form. A rule is a pattern, so it can be wrong about one sentence. The
 * count of a file still tells plain prose from dense prose: the READMEs in node_modules have less than one finding in 100 words.
 */
import { type Sentence, wordsIn } from "./passage.ts";

export interface Rule {
  readonly name: string;
  readonly better: string;
  /** Offsets of the findings in the sentence. */
  readonly find: (sentence: Sentence) => readonly number[];
}

/** Relative clauses, counted. Plain technical prose has about one of these words in 100. */
export const clauseWord = /\b(?:what|who|that|which)\b/gi;

export const longestSentence = 30;

const every =
  (pattern: RegExp): Rule["find"] =>
  ({ text }) =>
    [...text.matchAll(pattern)].map(({ index }) => index);

const start =
  (pattern: RegExp, applies: (sentence: Sentence) => boolean): Rule["find"] =>
  (sentence) =>
    applies(sentence) && pattern.test(sentence.text) ? [0] : [];

const outsideQuestions =
  (find: Rule["find"]): Rule["find"] =>
  (sentence) =>
    /\?["”)]*$/.test(sentence.text) ? [] : find(sentence);

const preposition =
  "about|after|against|at|before|by|for|from|in|of|on|over|than|through|to|under|with|without";

/** "shows what to do" has a subject and answers a question. */
const asking =
  "asks?|asked|checks?|decides?|defines?|describes?|explains?|knows?|learns?|says?|sees?|shows?|specify|specifies|tells?|understands?";

const auxiliary =
  "is|are|was|were|has|have|had|can|could|may|might|must|shall|should|will|would|do|does|did|means|makes|takes|gives";

/** Private and old words, with the plain ones. */
const plainWords = {
  aught: "anything",
  albeit: "although",
  beside: "next to, or with",
  handout: "outputs of a scope",
  hence: "so",
  hindrance: "blocker",
  lest: "so that … not",
  nought: "nothing",
  oneself: "you, or the name of the part",
  ought: "should",
  patience: "retry limit, or time limit",
  thereof: "of it",
  till: "until",
  vessel: "sandbox",
  whence: "from where",
  whereby: "by this",
  wherein: "in it",
};

export const rules: readonly Rule[] = [
  {
    name: "headless",
    better: 'Begin with the subject: "Read-only actions", not "What changes nothing".',
    find: outsideQuestions((sentence) => [
      ...start(/^(?:What|Who|Whom|Whose|Which)\s+\S+\s+\S/, () => true)(sentence),
      // Titles of tests and cells of tables begin in lower case.
      ...start(/^(?:what|who|whom|whose|which)\s+\S+\s+\S/, startsTitle)(sentence),
    ]),
  },
  {
    name: "whoever",
    better: 'Name the person or thing: "anyone with the role", "the caller", "each lease".',
    find: every(/\b(?:who|what|which|whom)(?:so)?ever\b/gi),
  },
  {
    name: "preposition-which",
    better: 'Say it the other way round ("policies that block others"), or make two sentences.',
    find: outsideQuestions(
      every(new RegExp(`\\b(?:${preposition}) (?:which|whom|whose|what|whether)\\b(?! to )`, "gi")),
    ),
  },
  {
    name: "what-clause",
    better: 'Use a noun: "the new token is stored", not "what it brings is stored".',
    find: outsideQuestions(
      every(new RegExp(`(?<!\\b(?:${asking}|${preposition}) )(?<=[\\w,;:)…\`] )what\\b(?! to )`, "g")),
    ),
  },
  {
    name: "nested-clauses",
    better: "One idea a sentence: use at most one of the words that, which, who and what.",
    find: (sentence) => every(/\b(?:what|who|(?<!\bso )that|which)\b/gi)(sentence).slice(1, 2),
  },
  {
    name: "pronoun-start",
    better: "Begin with the noun: no noun stands before this pronoun.",
    find: start(
      new RegExp(
        `^(?:(?:It|They|He|She|Its|Their|His|Her|Theirs)\\b(?! is \\w+ (?:that|to)\\b)|(?:This|That|These|Those|Both|Neither|None|Such) (?:${auxiliary})\\b)`,
      ),
      // Above a list or a table stands the noun.
      ({ kind, first }) => first && kind !== "item" && kind !== "cell",
    ),
  },
  {
    name: "bare-this",
    better: 'Put the noun after it: "this limit", "that lease".',
    find: every(
      new RegExp(
        `(?<!\\b(?:like|all|any|both|each|none|one|some) )\\b(?:${preposition}) (?:this|that|these|those)(?=[,.;:)]|$| (?:is|are|by|in|on|for|and|or|no|too)\\b)`,
        "gi",
      ),
    ),
  },
  {
    name: "two-in-one",
    better: "Make two sentences, or join the ideas by a word such as because, but or so.",
    find: every(
      /; (?!\s*\d)|: (?=(?:then|it|they|he|she|this|that|these|those|nothing|nobody|none|all|so) )/g,
    ),
  },
  {
    name: "is-no",
    better: 'Write "is not a …", or say what it is.',
    find: every(/(?<!\bthere )\b(?:is|are|was|were|be) no (?!longer|more|less|different|need|one|such)\w+/gi),
  },
  ...Object.entries(plainWords).map(([word, plain]) => ({
    name: "word",
    better: `For "${word}" write: ${plain}.`,
    find: every(new RegExp(`\\b${word}s?\\b`, "gi")),
  })),
  {
    name: "long",
    better: `Make two sentences: ${longestSentence} words are the most.`,
    find: ({ text }) => (wordsIn(text) > longestSentence ? [0] : []),
  },
];

function startsTitle({ kind, first }: Sentence): boolean {
  return first && (kind === "title" || kind === "cell");
}
