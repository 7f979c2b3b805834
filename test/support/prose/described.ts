/** The prose of the OpenAPI document and of JSON schemas: their titles, summaries and descriptions. JSON is YAML too. */
import { isScalar, LineCounter, parseDocument, visit } from "yaml";
import { markdownPassages } from "./markdown.ts";
import type { Passage } from "./passage.ts";

export function describedPassages(source: string): Passage[] {
  const lineCounter = new LineCounter();
  const passages: Passage[] = [];
  visit(parseDocument(source, { lineCounter }), {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isScalar(value) || typeof value.value !== "string") return;
      if (!["title", "summary", "description"].includes(String(key.value))) return;
      const { line } = lineCounter.linePos(value.range?.[0] ?? 0);
      // The text of a block begins below its `|` or `>`.
      passages.push(...markdownPassages(value.value, value.type?.startsWith("BLOCK") ? line + 1 : line));
    },
  });
  return passages;
}
