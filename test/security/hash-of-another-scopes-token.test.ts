/** An operator of one scope has the hash of another scope's token, and tries to learn whose it is, or to end it. */
import { expect, it } from "vitest";
import { sha256Of } from "../../functions/domain/digest.ts";
import { parseScopes } from "../../functions/domain/scope.ts";
import { roleIdentity } from "../support/fakes/api-function.ts";
import {
  account,
  callerKey,
  inMemoryBroker,
  lookerUrl,
  scopeNamed,
  secretId,
} from "../support/fakes/in-memory-broker.ts";
import { inMemoryOperator } from "../support/fakes/in-memory-operator.ts";

const scope = (secretName: string, operator: string) => ({
  lookerUrl,
  secret: { secretName },
  callers: [`arn:aws:iam::${account}:role/*-service`],
  operators: [`arn:aws:iam::${account}:role/${operator}`],
});
const scopes = parseScopes({
  sales: scope(secretId, "sales-lead"),
  people: scope("looker/people", "people-lead"),
});
const salesLead = { identity: roleIdentity("sales-lead", { uniqueId: "AROASALESLEAD0000000" }) };

async function withVictim() {
  const broker = inMemoryBroker();
  const operator = inMemoryOperator(broker, scopes);
  await broker.issue();
  const key = callerKey("AROAHRSERVICE0000000", "people");
  const victim = await broker.issue({ key, scope: scopeNamed("people") });
  return { broker, operator, victim, hash: { token_sha256: sha256Of(victim.accessToken) } };
}

it("in the other scope: not allowed, nothing read, and the same words for a token that is none", async () => {
  const { broker, operator, victim, hash } = await withVictim();
  broker.table.calls.length = 0;
  const others = { ...salesLead, scope: "people" };
  for (const ask of [operator.list, operator.revoke]) {
    const answer = await ask(hash, others);
    expect([answer.status, answer.body.code]).toEqual([403, "not_allowed"]);
    expect(answer.text).toBe((await ask({ token_sha256: sha256Of("nobody's") }, others)).text);
  }
  expect(broker.table.calls).toEqual([]);
  expect(broker.looker.live.has(victim.accessToken)).toBe(true);
});

it("in the own scope: as for a token that is none, and nothing is ended", async () => {
  const { broker, operator, victim, hash } = await withVictim();
  const none = { token_sha256: sha256Of("nobody's") };
  const found = await operator.list(hash, salesLead);
  expect([found.status, found.body]).toEqual([200, { leases: [] }]);
  expect(found.text).toBe((await operator.list(none, salesLead)).text);
  const ended = await operator.revoke(hash, salesLead);
  expect([ended.status, ended.body]).toEqual([200, { matched: 0, revoked: 0, pending: 0 }]);
  expect(broker.looker.live.has(victim.accessToken)).toBe(true);
  expect(JSON.stringify(operator.lines)).not.toContain(victim.leaseId);
});
