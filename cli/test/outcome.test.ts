import { expect, test } from "vitest";
import { exitCodeOf, outcomeLine, sum } from "../src/outcome.ts";

const plain = (_: string, text: string) => text;
const none = { revoked: 0, pending: 0, expired: 0, gone: 0, unknown: 0 };

test.each([
  ["nothing matched", none, "revoked  nothing of sales: no lease matched", 0],
  ["one is dead", { ...none, revoked: 1 }, "revoked  1 lease of sales; Looker confirmed its end", 0],
  [
    "three are dead",
    { ...none, revoked: 3 },
    "revoked  3 leases of sales; Looker confirmed each one's end",
    0,
  ],
  [
    "one may be alive",
    { ...none, revoked: 2, pending: 1 },
    "pending  1 lease of sales; given to nobody any more, but not confirmed dead: the broker goes on trying; 2 revoked",
    5,
  ],
  [
    "one was never confirmed",
    { ...none, revoked: 2, expired: 1 },
    "expired  1 lease of sales; ended by Looker itself at the end of the token's life, never confirmed; 2 revoked",
    0,
  ],
  [
    "a login was caught",
    { ...none, gone: 1 },
    "revoked  1 not there any more, such as a login that was caught under way",
    0,
  ],
  [
    "the answer was lost, but all are dead by the list",
    { ...none, revoked: 1, answerLost: true as const },
    "revoked  1 lease of sales; Looker confirmed its end; the broker's first answer was lost, this is by its list",
    0,
  ],
  [
    "the answer was lost and the list does not tell",
    { ...none, revoked: 1, pending: 1, unknown: 2, answerLost: true as const },
    "unknown  2 leases of sales; perhaps given out still: run it again; 1 pending; 1 revoked; the broker's first answer was lost, this is by its list",
    5,
  ],
])("when %s, the last line says so", (_, result, line, exitCode) => {
  expect(outcomeLine(result, "sales", plain)).toBe(`${line}\n`);
  expect(exitCodeOf(result)).toBe(exitCode);
});

test("over several scopes the least that is certain is said", () => {
  const total = sum([
    { ...none, revoked: 5 },
    { ...none, expired: 1 },
    { ...none, pending: 1, gone: 1 },
  ]);
  expect(total).toEqual({ revoked: 5, pending: 1, expired: 1, gone: 1, unknown: 0 });
  expect(outcomeLine(total, "3 scopes", plain)).toMatch(/^pending {2}1 lease of 3 scopes/);
});
