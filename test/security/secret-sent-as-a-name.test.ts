import { expect, it } from "vitest";
import { canary } from "../support/canary.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";
import { inMemoryBroker, secretId } from "../support/fakes/in-memory-broker.ts";
import { inMemoryOperator } from "../support/fakes/in-memory-operator.ts";

/** Somebody pastes what is at hand into the wrong field. The shapes are those that such fields let pass. */
const token = "Jx4Ke9Np7Wc5vQ8Hs2Yb6t0ken1Rm5Cd3Fg8Tz";
const secret = "Tf8sLd3GpB6yRn1uXw4mV9kQ";

it.each([
  ["a token", token],
  ["a client secret", secret],
])("%s sent where a lease's or a client's name belongs is in no record", async (_, pasted) => {
  const broker = inMemoryBroker();
  const api = inMemoryApi(broker);
  const operator = inMemoryOperator(broker);
  await api.token({ body: { stale_lease_id: pasted } });
  await api.logOut({ body: { lease_id: pasted } });
  await operator.revoke({ lease_id: pasted });
  await operator.revoke({ client_id: pasted });
  await operator.freeze(`it was ${pasted}`);
  const records = [...api.lines, ...operator.lines];
  expect(records.map(({ code }) => code)).toEqual(["ok", "ok", "ok", "ok", "ok"]);
  expect(JSON.stringify(records)).not.toContain(pasted);
});

it("an answer of Looker's that repeats the secret is in no record", async () => {
  const broker = inMemoryBroker();
  const api = inMemoryApi(broker);
  broker.looker.onLogin = () => {
    throw new Error(`unexpected: ${canary.clientSecret}`);
  };
  await api.token();
  expect(api.lines[0]).toMatchObject({ code: "busy", reason: "mint_failed", error: "Error" });
  expect(JSON.stringify(api.lines)).not.toContain(canary.clientSecret.slice(0, 12));
});

it("a pair that was stored the wrong way round leaves its secret in no record and in no row", async () => {
  const broker = inMemoryBroker();
  broker.stored.set(secretId, { clientId: secret, clientSecret: "clientOne", versionId: "version-1" });
  broker.looker.onLogin = () => ({ kind: "rejected" });
  const api = inMemoryApi(broker);
  expect((await api.token()).body.code).toBe("looker_rejected_credentials");
  expect(JSON.stringify(api.lines)).not.toContain(secret);
  expect(JSON.stringify([...broker.table.items.values()])).not.toContain(secret);
});
