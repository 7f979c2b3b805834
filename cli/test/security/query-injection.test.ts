/** A value that is typed into a query must stay a value. And a token that is pasted in the place of its hash must go nowhere. */
import { expect, test } from "vitest";
import { filledQuery } from "../../src/deployment/fill-question.ts";
import type { Question } from "../../src/deployment/questions.ts";

const questionWith = (placeholder: string): Question => ({
  name: "question",
  asks: "",
  answer: "",
  query: `filter x = "{{${placeholder}}}" and y = "{{other}}" | display x`,
  logGroups: [],
  placeholders: [
    { name: placeholder, description: "a value" },
    { name: "other", description: "another" },
  ],
});

/** Of a later version of the deployment, whose form this command does not know. */
const unknown = questionWith("of_a_later_version");
const fill = (question: Question, value: string) =>
  filledQuery(question, {
    [question.placeholders[0]?.name.replaceAll("_", "-") ?? ""]: value,
    other: "safe",
  });

test.each([
  ['x" or kind = "audit', "ends the string"],
  ["x\\", "escapes the quote after it"],
  ["x\n| display @message", "begins a line"],
  ["{{other}}", "begins another placeholder"],
  ["x | limit 0", "holds a space and a pipe"],
  ["x`y", "holds a backtick"],
  ["x".repeat(257), "is longer than any id"],
])("a value that %j, since it %s, is refused and not repeated", (value) => {
  for (const name of [
    "of_a_later_version",
    "caller",
    "lease_id",
    "client_id",
    "request_id",
    "token_sha256",
  ]) {
    const refused = () => fill(questionWith(name), value);
    expect(refused).toThrow(/^That is no --/);
    expect(refused).not.toThrow(value);
  }
});

test("a value with the signs of a replacement pattern is taken as it is, or refused", () => {
  expect(() => fill(unknown, "$&")).toThrow("That is no");
  expect(fill(unknown, "a=b+c,d@e/f:g.h-i_j")).toContain('x = "a=b+c,d@e/f:g.h-i_j" and y = "safe"');
});

test("a token in the place of its hash is refused before anything is asked, and not repeated", () => {
  const token = "Kh3xkTbqW8vYmJ4nSdLr7GpZcQ9fVt2B";
  const refused = () => fill(questionWith("token_sha256"), token);
  expect(refused).toThrow("That is no --token-sha256 (a value).");
  expect(refused).not.toThrow(token);
  expect(fill(questionWith("token_sha256"), "a".repeat(64))).toContain(`"${"a".repeat(64)}"`);
});
