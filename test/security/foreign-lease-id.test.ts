/** A lease id is a name, not a capability: whoever learns one from a log gets and ends nothing by it. */
import { expect, it } from "vitest";
import { roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";

const intruder = roleIdentity("report-intruder", { uniqueId: "AROAINTRUDER00000000" });

async function withVictim() {
  const api = inMemoryApi();
  const { body } = await api.token();
  api.broker.clock.jump(10_000);
  return { ...api, victim: body };
}

it("cannot be logged out by another caller of the scope", async () => {
  const { logOut, broker, victim } = await withVictim();
  const answer = await logOut({ identity: intruder, body: { lease_id: victim.lease_id } });
  expect(answer).toMatchObject({ status: 200, body: { revoked: 0, pending: 0 } });
  expect(broker.looker.live).toContain(victim.access_token);
});

it("is answered just as a lease id that nobody ever had", async () => {
  const { logOut, victim } = await withVictim();
  const known = await logOut({ identity: intruder, body: { lease_id: victim.lease_id } });
  expect(known).toEqual(await logOut({ identity: intruder, body: { lease_id: "lease-of-nobody-0" } }));
});

it("reported stale by another caller costs its owner nothing", async () => {
  const { token, broker, victim } = await withVictim();
  await token({ identity: intruder, body: { stale_lease_id: victim.lease_id } });
  expect((await token()).body.access_token).toBe(victim.access_token);
  expect(broker.looker.logins()).toBe(2);
});

it("reported stale by its owner again and again costs no more than the budget", async () => {
  const { token, broker } = await withVictim();
  let lease = (await token()).body.lease_id;
  for (let round = 0; round < 30; round++) {
    broker.clock.jump(11_000);
    lease = (await token({ body: { stale_lease_id: lease } })).body.lease_id ?? lease;
  }
  expect(broker.looker.logins()).toBeLessThanOrEqual(10);
});

it("of one scope ends nothing in another", async () => {
  const { logOut, broker, victim } = await withVictim();
  const answer = await logOut({ scope: "people", body: { lease_id: victim.lease_id } });
  expect(answer.status).toBe(403);
  expect(broker.looker.logouts()).toEqual([]);
});
