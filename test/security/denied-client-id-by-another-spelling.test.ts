/** What an operator denied stays denied when the next deployment spells the secret in another way. */
import { expect, it } from "vitest";
import { revokeLeases } from "../../functions/use-cases/operate.ts";
import { callerKey, inMemoryBroker, secretId } from "../support/fakes/in-memory-broker.ts";
import { operatePorts } from "../support/fakes/in-memory-operator.ts";
import { account, region, scopeOf, synthesizedHere } from "../support/synthesized.ts";

const byName = { secretName: secretId };
const byArn = { secretArn: `arn:aws:secretsmanager:${region}:${account}:secret:${secretId}-a1B2c3` };

/** As the functions of such a deployment get it. */
function deployed(secret: { secretName: string } | { secretArn: string }) {
  const scope = synthesizedHere({ scopes: { sales: scopeOf(secret) } }).stack.broker.scopes.get("sales");
  if (!scope) throw new Error("no scope");
  return scope;
}

it.each([
  ["its name, and then by its ARN", byName, byArn],
  ["its ARN, and then by its name", byArn, byName],
])("a client id that was denied while its secret went by %s logs in no more", async (_, before, after) => {
  const broker = inMemoryBroker();
  await broker.issue({ scope: deployed(before) });
  const deadline = broker.clock.now() + 24_000;
  const job = { scope: deployed(before), deadline, audit: {} };
  await revokeLeases(operatePorts(broker), job, { clientId: "clientOne" });
  const logins = broker.looker.logins();

  const key = callerKey("AROAREPORTSERVICE001");
  const refused = await broker.ask({ scope: deployed(after), key, on: broker.instance() });
  expect(refused.code).toBe("looker_rejected_credentials");
  expect(broker.looker.logins()).toBe(logins);
});
