/** A hostile answer tries to reach the terminal of the person that asked: to rewrite lines, to type, to turn text around. */
import { beforeEach, expect, test } from "vitest";
import { gatewayReply, problem } from "../../support/broker-replies.ts";
import { FakeBroker, leaseOf } from "../../support/cli/fake-broker.ts";
import type { Reply } from "../../support/fake-server.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await FakeBroker.start();
});

/** Clears the screen, is a C1 control, changes the colour, names the window, goes back, turns text around, ends a line. */
const hostile = "a\x1b[2Jb\x9b2Jc\x1b[31md\x1b]0;owned\x07e\rf\u202eg\u2066h\u2028i\x7fj\x00k\x08l";
const controls = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
/** The command's own: colours of a word, and the line of progress. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
const own = /\x1b\[(?:1|2|22|31|32|33|39)m|\r\x1b\[K/g;

const ok = (body: object): Reply => ({ status: 200, body });
const caller = { arn: hostile, account: hostile, unique_id: hostile };
const grant = { scope: hostile, base_url: hostile, lease_seconds: 900, may: [hostile] };
const lease = leaseOf("one", { caller: hostile, client_id: hostile, session: hostile });
const frozen = { by: hostile, at: new Date().toISOString(), reason: hostile };
const scope = ["--scope", "sales"];
const account = {
  checked_at: new Date().toISOString(),
  client_id: hostile,
  user: { id: hostile, display_name: hostile },
  roles: [{ name: hostile, permissions: 1, models: 1 }],
  findings: [{ code: hostile, detail: hostile, accepted: false }],
  hidden: [hostile],
  failed: { at: new Date().toISOString(), reason: hostile },
};

const cases: [string, string[], Reply][] = [
  ["the caller", ["whoami"], ok({ caller, scopes: [grant] })],
  ["a grant", ["scopes"], ok({ caller, scopes: [grant] })],
  ["a lease", ["leases", ...scope], ok({ leases: [lease], frozen })],
  ["an account", ["account", ...scope], ok(account)],
  [
    "a finding above the leases",
    ["leases", ...scope],
    ok({ leases: [], account: { checked_at: account.checked_at, findings: [hostile] } }),
  ],
  [
    "a title",
    ["get", ...scope],
    { ...problem(400, "bad_request"), body: { code: "bad_request", title: hostile } },
  ],
  ["a detail", ["get", ...scope], problem(400, "bad_request", undefined, hostile)],
  ["a gateway's message", ["get", ...scope], gatewayReply(400, "BadRequestException", hostile)],
  [
    "a token",
    ["get", ...scope],
    ok({ access_token: hostile, lease_id: "l", base_url: `https://l/${hostile}`, expires_in: 9 }),
  ],
];

test.each(cases)("%s: no control character reaches the terminal", async (_, args, reply) => {
  broker.instead = () => reply;
  const { text } = await broker.cli.onTerminal(args);
  expect(text).toContain("j");
  expect(text.replace(own, "")).not.toMatch(controls);
  // The colour of the answer is not taken for the command's own.
  expect(text).not.toContain("c\x1b[31m");
});

test.each(cases)("%s: nor a pipe, as JSON", async (_, args, reply) => {
  broker.instead = () => reply;
  const { out, err } = await broker.cli.run(...args, "--json");
  expect(out + err).toContain("j");
  expect(out + err).not.toMatch(controls);
  JSON.parse(out || err);
});
