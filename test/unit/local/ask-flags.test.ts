import { describe, expect, it } from "vitest";
import { savedQueries } from "../../../infra/saved-queries.ts";
import { parseAskFlags } from "../../../local/ask-flags.ts";

describe("npm run ask", () => {
  const sha256 = "a".repeat(64);

  it("puts the values into the query", () => {
    const parsed = parseAskFlags(["who-got-this-token", "--token-sha256", sha256, "--print-query"]);
    if (parsed.kind !== "run") throw new Error(parsed.kind);
    expect(parsed.flags.show).toBe("query");
    expect(parsed.flags.query).toContain(`token_sha256 = "${sha256}"`);
    expect(parsed.flags.query).not.toContain("{{");
  });

  it("lists the questions, without any and with --help", () => {
    for (const args of [[], ["--help"], ["who-is-denied", "--help"]]) {
      const parsed = parseAskFlags(args);
      if (parsed.kind !== "help") throw new Error(parsed.kind);
      for (const { name, asks } of savedQueries)
        expect(parsed.text).toMatch(new RegExp(`${name}[^]*\\n +${asks.slice(0, 20)}`));
    }
  });

  it.each([
    [["who-knows"], /no such question.*--help/],
    [["who-got-this-token"], /who-got-this-token needs --token-sha256 \(SHA-256/],
    [["who-got-this-token", "--lease-id", "x"], /--lease-id/],
    [["who-is-denied", "--json", "--print-query"], /leave one of them out/],
    [["what-did-this-caller-do", "--caller", 'x" or kind = "audit'], /no --caller \(ARN/],
  ])("%j is refused in one line, with what to do", (args, message) => {
    expect(parseAskFlags(args)).toEqual({ kind: "wrong", message: expect.stringMatching(message) });
  });

  it("does not repeat a token that was given in the place of its hash", () => {
    expect(JSON.stringify(parseAskFlags(["who-got-this-token", "--token-sha256", "a-token"]))).not.toContain(
      "a-token",
    );
  });
});
