import { describe, expect, it } from "vitest";
import { measure, passagesOf } from "../../support/prose/measure.ts";
import { sentencesOf } from "../../support/prose/passage.ts";
import { baselineOf, compare } from "../../support/prose/ratchet.ts";

const read = (path: string, source: string) => passagesOf(path, source) ?? [];
const findingsIn = (markdown: string) => measure(read("page.md", markdown)).findings;
const rulesOf = (markdown: string) => findingsIn(markdown).map(({ rule }) => rule);
const texts = (path: string, source: string) =>
  read(path, source).map(({ kind, line, text }) => `${line} ${kind}: ${text}`);

describe("the measure", () => {
  it.each([
    ["What tells, and changes nothing.", "Read-only actions."],
    ["From which value on an alarm tells…", "Alarm thresholds that depend on usage."],
    [
      "Forgets the token if it is, or was, of this lease, or whichever it is…",
      "Drops the cached token, if it belongs to `leaseId` when one is given.",
    ],
    [
      "The list is older than this by no more than Date is cut.",
      "Upper bound: the Date header is cut to whole seconds.",
    ],
    ["Who says to be somebody else", "Forged identity"],
    ["What is no request", "Malformed requests"],
    [
      "…with a truthful answer about whether it is dead.",
      "You can revoke any token centrally, and the broker tells you whether Looker has confirmed it.",
    ],
    [
      "The stack writes policies with which an organisation forbids it to everybody but the deployment.",
      "Optional service control policies let your AWS organization block everyone but the deployment pipeline.",
    ],
    [
      "The leases that began during the run, by their ids, unless the first one was there before: then all are left alone.",
      "`exec` ends only leases that it created. If it reused an existing lease, it ends none.",
    ],
    [
      "A version that was rejected is tried once in six minutes; a new version is tried at once.",
      "The broker retries a rejected secret at most once every six minutes. To retry now, save a new version of the secret.",
    ],
  ])("finds something in %j and nothing in %j", (was, better) => {
    expect(rulesOf(was)).not.toEqual([]);
    expect(rulesOf(better)).toEqual([]);
  });

  const long = (words: number) => `${"word ".repeat(words - 1)}word.`;

  it.each([
    ["headless", "Whose lock has run out.", "Which lock has run out?"],
    ["headless", "| who may call |\n|-|", "| caller |\n|-|"],
    ["whoever", "The answer goes to whoever asks.", "The answer goes to the caller."],
    ["preposition-which", "The scope in which it lives.", "The scope of the lease."],
    ["what-clause", "The store keeps what the login brought.", "The message says what to do."],
    [
      "nested-clauses",
      "A lease that has a token that ended.",
      "A lease, so that a token that ended is named.",
    ],
    ["pronoun-start", "Its owner may store.", "The lock has an owner. It may store."],
    ["pronoun-start", "This is checked.", "This check is strict."],
    ["pronoun-start", "They wait.", "- They wait."],
    ["bare-this", "The caller waits for that.", "The caller waits for that lock."],
    ["two-in-one", "One waits; the other mints.", "Three kinds: live, pending and dead."],
    ["is-no", "A name is no capability.", "There is no queue, and a lease is no longer served."],
    ["word", "The file lies beside the bundle.", "The file lies next to the bundle."],
    ["long", long(31), long(30)],
  ])("%s: %j is found and %j is not", (rule, found, plain) => {
    expect(rulesOf(found)).toEqual([rule]);
    expect(rulesOf(plain)).toEqual([]);
  });

  it("density: one finding for each point above plain prose", () => {
    const withClauses = (count: number) =>
      [..."x".repeat(20)]
        .map((_, index) => `Five words ${index < count ? "that" : "so"} stand here.`)
        .join("\n\n");
    expect(rulesOf(withClauses(1))).toEqual([]);
    expect(rulesOf(withClauses(2))).toEqual(["density"]);
    expect(rulesOf(withClauses(4))).toEqual(["density", "density", "density"]);
  });

  it("says the line, the words and the better form", () => {
    expect(findingsIn("# A page\n\nA lease ends.\nIt is over; nobody has it.")).toEqual([
      {
        line: 4,
        rule: "two-in-one",
        excerpt: "is over; nobody has it.",
        better: "Make two sentences, or join the ideas by a word such as because, but or so.",
      },
    ]);
  });
});

describe("sentences", () => {
  const split = (text: string) =>
    sentencesOf({ kind: "text", text, line: 7 }).map((each) => `${each.line} ${each.text}`);

  it("end at a full stop before a capital letter, a digit or code", () => {
    expect(split("One.\nTwo\nlines. `…` three. 4 ends! “Five.” Six")).toEqual([
      "7 One.",
      "8 Two lines.",
      "9 `…` three.",
      "9 4 ends!",
      "9 “Five.”",
      "9 Six",
    ]);
  });

  it("do not end at an abbreviation or inside a number", () => {
    expect(split("Some (e.g. AWS) have 3.5 of it, cf. Lambda.")).toHaveLength(1);
  });
});

describe("the prose of Markdown", () => {
  it("is its text, with the line of each passage", () => {
    const page = [
      "# A `broken` heading",
      "",
      "Text with a [link](https://example.com), <b>markup</b> and",
      "**more**.",
      "",
      "- one",
      "  - deep",
      "- two",
      "",
      "> said",
      "",
      "| a | b |",
      "| - | - |",
      "| c | `d` |",
      "",
      "```ts",
      "// What is no prose; nobody reads it.",
      "```",
      "",
      "    What is code",
      "",
      "<!-- What is a comment -->",
      "The end.",
    ].join("\n");
    expect(texts("page.md", page)).toEqual([
      "1 heading: A `…` heading",
      "3 text: Text with a link, markup and\nmore.",
      "6 item: one",
      "7 item: deep",
      "8 item: two",
      "10 text: said",
      "12 cell: a",
      "12 cell: b",
      "14 cell: c",
      "14 cell: `…`",
      "23 text: The end.",
    ]);
  });
});

describe("the prose of a source", () => {
  const source = [
    "/**",
    " * The first line,",
    " * and the second, see {@link other}.",
    " * @param name - the name of a scope",
    " * @example",
    ' * const answer = "What is code";',
    " */",
    'import { a } from "some module with a long name";',
    "// One comment",
    "// on two lines.",
    'const pattern = /"What is no string at all"/; // A trailing comment.',
    "// biome-ignore lint/a/b: a reason that nobody reads",
    `const sum = \`\${a} is more than \${pattern} is\`;`,
    'const text = "This message has " + a + " and continues " + "over several strings";',
    'const query = "fields @timestamp | filter a = 1 | sort b";',
    'const short = "Three words only";',
    'const keys = { "this key is not a message": `a message\nof two lines` };',
    'type Kind = "this type is not a message";',
    "const help = `Runs the whole broker.",
    "",
    "  --port N   the port of the API",
    "`;",
  ].join("\n");

  it("is its comments and its messages", () => {
    expect(texts("functions/some.ts", source)).toEqual([
      "2 text: The first line,\nand the second, see `…`.",
      "4 item: the name of a scope",
      "9 text: One comment\non two lines.",
      "11 text: A trailing comment.",
      "13 string: `…` is more than `…` is",
      "14 string: This message has `…` and continues over several strings",
      "17 string: a message\nof two lines",
      "20 string: Runs the whole broker.",
      "22 string: the port of the API",
    ]);
  });

  it("is, in a test, its comments and the titles", () => {
    const test = [
      'describe("a lease", () => {',
      '  it.each([["a fixture with many words"]])("ends when %s says so", () => {',
      '    expect("this is not a title").toBe(`nor is this one`); // But this is a comment.',
      "  });",
      "});",
    ].join("\n");
    expect(texts("client/test/some.test.ts", test)).toEqual([
      "2 title: ends when %s says so",
      "3 text: But this is a comment.",
    ]);
  });

  it("is not guessed where the source cannot be parsed", () => {
    expect(() => read("some.ts", "const = ;")).toThrow("some.ts");
  });
});

it("the prose of a schema is its titles, summaries and descriptions", () => {
  const document =
    "info:\n  title: The broker\n  version: one\n  description: |\n    First.\n\n    Second.\n";
  expect(texts("docs/reference/some.yaml", document)).toEqual([
    "2 text: The broker",
    "5 text: First.",
    "7 text: Second.",
  ]);
  expect(texts("docs/some.json", '{ "a": { "description": "Of a field." } }')).toEqual([
    "1 text: Of a field.",
  ]);
});

describe("the ratchet", () => {
  const count = (path: string, findings: number, words = 50) => ({ path, findings, words });
  const baseline = { "a.md": 5, "b.md": 2 };
  const unchanged = [count("a.md", 5), count("b.md", 2)];

  it("holds while the counts are those of the baseline", () => {
    expect(compare(unchanged, baseline)).toEqual({ risen: [], fallen: [], next: baseline });
  });

  it("refuses a count that rises, although another falls", () => {
    const { risen, next } = compare([count("a.md", 1), count("b.md", 3)], baseline);
    expect(risen).toEqual([{ path: "b.md", findings: 3, limit: 2 }]);
    expect(next).toBeUndefined();
  });

  it("asks for a lower baseline when a count falls", () => {
    const { risen, fallen, next } = compare([count("a.md", 4), count("b.md", 0)], baseline);
    expect(risen).toEqual([]);
    expect(fallen).toEqual(["a.md", "b.md"]);
    expect(next).toEqual({ "a.md": 4 });
  });

  it("asks for a lower baseline when a file is gone", () => {
    expect(compare([count("a.md", 5)], baseline)).toEqual({
      risen: [],
      fallen: ["b.md"],
      next: { "a.md": 5 },
    });
  });

  it("allows a new file one finding in 100 words", () => {
    expect(compare([...unchanged, count("new.md", 2, 299)], baseline).risen).toEqual([]);
    const { risen, next } = compare([...unchanged, count("new.md", 3, 299)], baseline);
    expect(risen).toEqual([{ path: "new.md", findings: 3, limit: 2 }]);
    expect(next).toBeUndefined();
  });

  it("lets a file that was moved or split keep its findings, and no more", () => {
    const split = (findings: number) => [count("a.md", 3), count("b.md", 2), count("a-2.md", findings)];
    expect(compare(split(2), baseline).next).toEqual({ "a-2.md": 2, "a.md": 3, "b.md": 2 });
    expect(compare(split(3), baseline).next).toBeUndefined();
  });

  it("keeps its lines sorted and leaves out files without findings", () => {
    const lines = Object.keys(baselineOf([count("b.md", 1), count("a.md", 2), count("c.md", 0)]));
    expect(lines).toEqual(["a.md", "b.md"]);
  });
});
