/**
 * The prose of a TypeScript or JavaScript source: comments, and messages to people. A string is a message if it has at
 * least four words. At most a quarter of it may be something else, such as an operator, a path or a number.
 * Fixtures in tests look like messages too often, so only the titles of tests are read there.
 */
import { type Comment, parseSync, visitorKeys } from "oxc-parser";
import { markdownPassages } from "./markdown.ts";
import { newlines, type Passage, placeholder } from "./passage.ts";

export function sourcePassages(path: string, source: string): Passage[] {
  const { program, comments, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const lineAt = (offset: number) => 1 + newlines(source.slice(0, offset));
  const strings = /(?:^|\/)test\//.test(path) ? titlesIn : stringsIn;
  return [
    ...groups(comments, source).flatMap((group) => commentPassages(group, lineAt(group.start))),
    ...strings(program as unknown as Node).flatMap(({ kind, text, start }) =>
      stringPassages(kind, text, lineAt(start)),
    ),
  ].sort((one, other) => one.line - other.line);
}

/** A setting that is shown and not set. */
const commentedOut = /^\s*\w+: .*,$/;

const directive = /^\s*(?:biome-ignore|@ts-|eslint-|c8 ignore|v8 ignore|[#@]__)/;

/** Line comments that follow each other are one text. */
function groups(comments: readonly Comment[], source: string): Comment[] {
  const grouped: Comment[] = [];
  for (const comment of comments) {
    if (directive.test(comment.value)) continue;
    const previous = grouped.at(-1);
    const between = previous && source.slice(previous.end, comment.start);
    if (previous?.type === "Line" && comment.type === "Line" && between && /^\r?\n[ \t]*$/.test(between))
      grouped[grouped.length - 1] = {
        ...previous,
        value: `${previous.value}\n${comment.value}`,
        end: comment.end,
      };
    else grouped.push(comment);
  }
  return grouped;
}

function commentPassages({ type, value }: Comment, line: number): Passage[] {
  let example = false;
  const lines = value.split("\n").map((raw) => {
    const text = type === "Block" ? raw.replace(/^\s*\*+ ?/, "") : raw.replace(/^[/!]?\s?/, "");
    const tag = /^@(\w+)\s*/.exec(text);
    if (tag) example = tag[1] === "example";
    if (example || commentedOut.test(text)) return "";
    return tag ? text.replace(/^@(?:param\s+\S+|\w+)\s*(?:- )?/, "- ") : text;
  });
  return markdownPassages(lines.join("\n").replace(/\{@\w+[^}]*\}/g, "`link`"), line);
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

interface Found {
  readonly kind: "string" | "title";
  readonly text: string;
  readonly start: number;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value;

const children = (node: Node): Node[] =>
  (visitorKeys[node.type] ?? []).flatMap((key) => [node[key]].flat().filter(isNode));

const hasNoProse = new Set([
  "ImportDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSLiteralType",
  "TaggedTemplateExpression",
]);

function stringsIn(node: Node): Found[] {
  if (hasNoProse.has(node.type)) return [];
  if (node.type === "Property" && isNode(node.value)) return stringsIn(node.value);
  const text = textOf(node);
  const found = text === undefined ? [] : [{ kind: "string" as const, text, start: node.start }];
  // The parts of a concatenation have been read as one string.
  const inside = node.type === "BinaryExpression" && text !== undefined ? [] : children(node);
  return [...found, ...inside.flatMap(stringsIn)];
}

/** Undefined if no part of the value is a string literal. */
function textOf(node: Node): string | undefined {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  if (node.type === "TemplateLiteral")
    return (node.quasis as { value: { cooked: string } }[])
      .map(({ value }) => value.cooked)
      .join(placeholder);
  if (node.type !== "BinaryExpression" || node.operator !== "+") return undefined;
  const parts = [node.left, node.right].map((part) => (isNode(part) ? textOf(part) : undefined));
  return parts.every((part) => part === undefined)
    ? undefined
    : parts.map((part) => part ?? placeholder).join("");
}

function titlesIn(node: Node): Found[] {
  const inside = children(node).flatMap(titlesIn);
  if (node.type !== "CallExpression" || !isTestCall(node.callee)) return inside;
  const [title] = node.arguments as Node[];
  const text = title && textOf(title);
  return text === undefined || !title ? inside : [{ kind: "title", text, start: title.start }, ...inside];
}

/** `it(…)`, `it.skip(…)`, `describe.each(…)(…)`. */
function isTestCall(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  if (callee.type === "Identifier") return ["it", "test", "describe"].includes(String(callee.name));
  return isTestCall(callee.object ?? callee.callee ?? callee.tag);
}

/** Help texts have columns and blank lines: each is a passage. */
function stringPassages(kind: Found["kind"], text: string, from: number): Passage[] {
  const passages: Passage[] = [];
  for (const match of text.matchAll(/(?:(?!\n\s*\n|\n[ \t]+| {2,}).)+/gs)) {
    const part = match[0].replace(/`[^`]*`|\w+:\/\/\S+/g, placeholder);
    const start = match.index + (match[0].length - match[0].trimStart().length);
    if (isProse(part))
      passages.push({ kind, text: part.trim(), line: from + newlines(text.slice(0, start)) });
  }
  return passages;
}

function isProse(text: string): boolean {
  // An inserted value is neither a word nor something else.
  const parts = text.split(/\s+/).filter((part) => part !== "" && !part.includes(placeholder));
  const words = parts.filter((part) => /^["'“‘(]*\p{L}[\p{L}'’-]*["'”’).,:;!?…]*$/u.test(part));
  return words.length >= 4 && words.length >= parts.length * 0.75;
}
