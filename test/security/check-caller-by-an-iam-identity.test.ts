/** Attack: an IAM identity passes itself off as the account check, whose slot no budget of a caller bounds. */
import { expect, it } from "vitest";
import { checkCaller } from "../../functions/domain/account-check.ts";
import { parsePrincipal } from "../../functions/domain/principal.ts";
import { roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";
import { inMemoryBroker } from "../support/fakes/in-memory-broker.ts";

const { account, uniqueId } = checkCaller;

it.each([
  ["a role's session", roleIdentity("check-account", { accountId: account, uniqueId })],
  ["a user", { userArn: `arn:aws:iam::${account}:user/check-account`, caller: uniqueId, accountId: account }],
])("%s with the reserved id is not an identity", (_, identity) => {
  expect(parsePrincipal(identity)).toEqual({ ok: false, reason: "mixed_identity" });
});

it("a role of the reserved name and account is another caller, and only where a scope names it", async () => {
  const { call } = inMemoryApi(inMemoryBroker());
  const identity = roleIdentity("check-account", { accountId: account });
  expect((await call({ identity })).status).toBe(403);
});
