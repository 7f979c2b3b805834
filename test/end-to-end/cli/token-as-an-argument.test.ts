/** Somebody gives a token as an argument. It must not be repeated: errors stand in logs of CI for years. */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { Command } from "../../support/cli/command.ts";

const token = "Jx4Ke9Np7Wc5vQ8Hs2Yb6t0ken1Rm5Cd3Fg8TzAB";

test.each([
  ["of whose", ["whose", token], /never from its arguments.*history/s],
  ["of whose, behind an option", ["whose", "--revoke", token], /never from its arguments/],
  ["of whose, behind --", ["whose", "--", token], /takes nothing behind --/],
  ["in an option's place", ["whose", `--token=${token}`], /'--token'/],
  ["of another command", ["revoke", "--scope", "sales", token], /takes no word without an option/],
  ["in the command's place", [token], /no command of that name/],
  ["in the place of a command to explain", ["help", token], /no command of that name/],
])("a token as an argument %s is refused and not repeated", async (_, args, message) => {
  for (const more of [[], ["--json"]]) {
    const ran = await new Command(tmpdir()).run(...args.slice(0, 1), ...more, ...args.slice(1));
    expect(ran).toMatchObject({ exitCode: 2, out: "" });
    if (more.length === 0) expect(ran.err).toMatch(message);
    expect(ran.err).not.toContain(token.slice(0, 8));
  }
});
