import { expect, test } from "vitest";
import { pastedToken } from "../src/pasted-token.ts";

const token = "Jx4Ke9Np7Wc5vQ8Hs2Yb6t0ken1Rm5Cd3Fg8TzAB";
const sha256 = "3f1ce0b2a4d5968778695a4b3c2d1e0f00112233445566778899aabbccddeeff";

test.each([
  ["alone", token],
  ["with the line's end", `${token}\r\n`],
  ["with blanks around it", `  \t${token}  `],
  ["behind Bearer", `Bearer ${token}`],
  ["behind token, as Looker writes it", `token ${token}`],
  ["in a header", `Authorization: Bearer ${token}`],
  ["in a header in lower case", `authorization:token ${token}`],
  ["in double quotes", `"${token}"`],
  ["in single quotes", `'${token}'`],
  ["in a quoted header, as from a command", `'Authorization: token ${token}'`],
  ["in quotes behind Bearer", `Bearer "${token}"`],
])("a token %s is read", (_, text) => {
  expect(pastedToken(text)).toEqual({ token });
});

test.each([
  ["as records have it", sha256],
  ["in upper case", sha256.toUpperCase()],
  ["in quotes, as in JSON", `"${sha256}"`],
])("64 hexadecimal digits %s are the hash itself", (_, text) => {
  expect(pastedToken(text)).toEqual({ tokenSha256: sha256 });
});

test("a text of 63 digits is a token", () => {
  expect(pastedToken(sha256.slice(1))).toEqual({ token: sha256.slice(1) });
});

test.each<[string, string, RegExp]>([
  ["nothing", "", /no token in it/],
  ["only a line's end", "\n", /no token in it/],
  ["only the word of a header", "Authorization: Bearer", /no token in it/],
  ["two tokens", `${token} ${token}`, /more than one word/],
  ["two lines", `${token}\n${token}`, /more than one word/],
  ["the id of an AWS access key", "AKIAIOSFODNN7EXAMPLE", /AWS access key/],
  ["the id of a temporary key", "ASIAIOSFODNN7EXAMPLE", /AWS access key/],
  ["an AWS secret access key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", /AWS secret access key/],
  ["a Looker client id", "60feedcafd9abdf2eef2", /client id or a lease id/],
  ["a Looker client secret", "Tf8sLd3GpB6yRn1uXw4mV9kQ", /length of a Looker client secret/],
  ["a pair", '{"client_id": "x", "client_secret": "y"}', /is a Looker client secret/],
  ["a letter that no token has", `${token}é`, /characters that no token has/],
  ["a book", "a".repeat(5_000), /longer than any token/],
])("%s is refused, and nothing of it is repeated", (_, text, message) => {
  const pasted = pastedToken(text);
  if (!("refused" in pasted)) return expect.fail("it was taken");
  expect(pasted.refused).toMatch(message);
  for (const word of text.split(/\s+/).filter((each) => each.length > 15))
    expect(pasted.refused).not.toContain(word);
});
