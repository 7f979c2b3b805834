/** A secret serves several scopes. An operator of one of them lets a denied client id log in again, for all of them. */
import { expect, it } from "vitest";
import { parseScopes } from "../../functions/domain/scope.ts";
import { roleIdentity } from "../support/fakes/api-function.ts";
import { account, inMemoryBroker, lookerUrl, secretId } from "../support/fakes/in-memory-broker.ts";
import { inMemoryOperator, oncall } from "../support/fakes/in-memory-operator.ts";

const scope = (secretName: string, ...operators: string[]) => ({
  lookerUrl,
  secret: { secretName },
  callers: [`arn:aws:iam::${account}:role/report-*`],
  operators: operators.map((name) => `arn:aws:iam::${account}:role/${name}`),
});
const scopes = parseScopes({
  sales: scope(secretId, "oncall", "sales-lead"),
  support: scope(secretId, "oncall"),
  people: scope("looker/people", "oncall"),
});
const salesLead = roleIdentity("sales-lead", { uniqueId: "AROASALESLEAD0000000" });

async function denied() {
  const broker = inMemoryBroker();
  const operator = inMemoryOperator(broker, scopes);
  await broker.issue();
  const { body } = await operator.revoke({ client_id: "clientOne" }, { identity: salesLead });
  expect(body.denial).toEqual({ scopes: ["sales", "support"], in_use: true });
  operator.lines.length = 0;
  broker.table.calls.length = 0;
  return operator;
}

it("is refused without a read or a write, and the record names the list", async () => {
  const { broker, allow, lines } = await denied();
  const before = structuredClone([...broker.table.items]);
  const answer = await allow("clientOne", { identity: salesLead });
  expect([answer.status, answer.body.code]).toEqual([403, "not_allowed"]);
  expect(answer.body.detail).toBe(
    "This secret is also used by support. The call is for operators of all its scopes.",
  );
  expect([...broker.table.items]).toEqual(before);
  expect(broker.table.calls).toEqual([]);
  expect(lines).toMatchObject([
    {
      verb: "allow",
      scope: "sales",
      code: "not_allowed",
      reason: "not_in_operators_of_all",
      lock: "operators",
      patterns: [`arn:aws:iam::${account}:role/oncall`],
    },
  ]);
  expect((await broker.ask()).code).toBe("looker_rejected_credentials");
});

it("is refused by way of a scope that it does not operate, in the words for any caller", async () => {
  const { allow } = await denied();
  const foreign = await allow("clientOne", { identity: salesLead, scope: "support" });
  const unknown = await allow("clientOne", { identity: salesLead, scope: "no-such-scope" });
  expect([foreign.status, foreign.text]).toEqual([403, unknown.text]);
});

it("is refused with a good and with a malformed client id alike", async () => {
  const { allow } = await denied();
  const [one, other] = [
    await allow("clientOne", { identity: salesLead }),
    await allow("a/b", { identity: salesLead }),
  ];
  expect(other.text).toBe(one.text);
});

it("is done for an operator of all scopes of the secret, through any of them", async () => {
  for (const name of ["sales", "support"]) {
    const { broker, allow } = await denied();
    const answer = await allow("clientOne", { identity: oncall, scope: name });
    expect([answer.status, answer.body]).toEqual([200, { denied: false, was_denied: true }]);
    broker.clock.jump(10_000);
    expect((await broker.ask()).code).toBe("ok");
  }
});

it("does nothing by way of a scope with another secret", async () => {
  const { broker, allow } = await denied();
  expect((await allow("clientOne", { identity: oncall, scope: "people" })).status).toBe(200);
  expect((await broker.ask()).code).toBe("looker_rejected_credentials");
});

it.each([
  ["a slash", "a/b"],
  ["an escaped slash", "a%2Fb"],
  ["a space", "client one"],
  ["nothing", ""],
  ["a thousand letters", "c".repeat(1_000)],
  ["a line break", "client\n"],
])("a client id of %s is a 400 that does not repeat it", async (_, clientId) => {
  const { broker, allow } = await denied();
  const answer = await allow(clientId, { identity: oncall });
  expect([answer.status, answer.body.detail]).toEqual([400, "client_id: must be a Looker client id."]);
  expect(broker.table.calls).toEqual([]);
});
