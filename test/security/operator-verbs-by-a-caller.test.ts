/** A caller, or anyone who is not in the scope's `operators`, tries the operator's verbs. */
import { expect, it } from "vitest";
import { sha256Of } from "../../functions/domain/digest.ts";
import { type Call, roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryOperator, oncall } from "../support/fakes/in-memory-operator.ts";

const verbs = [
  ...(["list", "find one", "revoke one", "revoke everything", "dry run"] as const),
  ...(["freeze", "unfreeze", "allow a client id"] as const),
];

async function attempt(verb: (typeof verbs)[number], more: Call) {
  const operator = inMemoryOperator();
  const victim = await operator.broker.issue();
  const before = structuredClone([...operator.broker.table.items]);
  operator.broker.table.calls.length = 0;
  const answer = await {
    list: () => operator.list({}, more),
    "find one": () => operator.list({ token_sha256: sha256Of(victim.accessToken) }, more),
    "revoke one": () => operator.revoke({ lease_id: victim.leaseId }, more),
    "revoke everything": () => operator.revoke({ all: "true" }, more),
    "dry run": () => operator.revoke({ all: "true", dry_run: "true" }, more),
    freeze: () => operator.freeze("a prank", more),
    unfreeze: () => operator.unfreeze(more),
    "allow a client id": () => operator.allow("clientOne", more),
  }[verb]();
  expect([...operator.broker.table.items]).toEqual(before);
  expect(operator.broker.table.calls).toEqual([]);
  expect(operator.broker.looker.logouts()).toEqual([]);
  expect(answer.text).not.toContain(victim.leaseId);
  return { answer, line: operator.lines[0] };
}

const impostors: [string, Call][] = [
  ["the scope's own caller", { identity: roleIdentity() }],
  [
    "a caller whose session is named like the operator",
    { identity: roleIdentity("report-x", { session: "oncall" }) },
  ],
  [
    "the operator's role name in another account",
    { identity: roleIdentity("oncall", { accountId: "444455556666" }) },
  ],
  ["a role whose name begins like the operator's", { identity: roleIdentity("oncall-2") }],
  [
    "a user of the operator's name",
    {
      identity: {
        userArn: "arn:aws:iam::111122223333:user/oncall",
        caller: "AIDAONCALL0000000000",
        accountId: "111122223333",
      },
    },
  ],
];

it.each(verbs.flatMap((verb) => impostors.map(([who, call]) => [verb, who, call] as const)))(
  "%s by %s: not allowed, nothing read, nothing written",
  async (verb, _, call) => {
    const { answer, line } = await attempt(verb, call);
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([403, "not_allowed", undefined]);
    expect(line).toMatchObject({ code: "not_allowed", reason: "not_in_operators" });
  },
);

it.each(verbs)("%s: a scope that does not exist is refused in the same words", async (verb) => {
  const { answer } = await attempt(verb, { identity: oncall, scope: "no-such-scope" });
  const { answer: foreign } = await attempt(verb, { identity: roleIdentity() });
  expect(answer.text).toBe(foreign.text);
});

it("and the operator, who is no caller, is given no token by the operator's function", async () => {
  const operator = inMemoryOperator();
  const answer = await operator.call({ method: "POST", resource: "/scopes/{scope}/token" });
  expect([answer.status, answer.body.code]).toEqual([403, "not_allowed"]);
});
