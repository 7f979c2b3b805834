import { expect, test } from "vitest";
import { painter } from "../../src/colour.ts";
import { answerText } from "../../src/deployment/answer-text.ts";

const plain = painter({}, {});
const rows = [
  { time: "T1", code: "ok", lease_id: "one" },
  { time: "T2", late: "1", code: "busy" },
];

test("rows that lack fields stand under the columns of those that have them, in the query's order", () => {
  expect(answerText(rows, plain)).toBe(
    "time  late  code  lease_id\nT1          ok    one\nT2    1     busy\n",
  );
});

test("a table that is wider than the terminal is printed row by row", () => {
  expect(answerText(rows, plain, 20)).toBe(
    "time: T1\ncode: ok\nlease_id: one\n\ntime: T2\nlate: 1\ncode: busy\n",
  );
  expect(answerText(rows, plain, 26)).toMatch(/^time {2}late/);
});

test("a value with a line feed or an escape sequence forges no row", () => {
  expect(answerText([{ session: "x\ny\x1b[2J" }], plain)).toBe("session\nx\ufffdy\ufffd[2J\n");
});
