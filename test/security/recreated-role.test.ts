/** A role is deleted and made again under its name, perhaps by somebody else: IAM gives it another unique id. */
import { expect, it } from "vitest";
import { roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";

const before = roleIdentity("report-service", { uniqueId: "AROABEFORE0000000000" });
const after = roleIdentity("report-service", { uniqueId: "AROAAFTER00000000000" });

it("the new role does not get the old one's token", async () => {
  const api = inMemoryApi();
  const old = await api.token({ identity: before });
  const fresh = await api.token({ identity: after });
  expect(fresh.body.access_token).not.toBe(old.body.access_token);
  expect(fresh.body.lease_id).not.toBe(old.body.lease_id);
});

it("the new role cannot end, replace or learn of the old one's lease", async () => {
  const api = inMemoryApi();
  const old = await api.token({ identity: before });
  api.broker.clock.jump(10_000);
  expect((await api.logOut({ identity: after })).body).toEqual({ revoked: 0, pending: 0 });
  expect((await api.logOut({ identity: after, body: { lease_id: old.body.lease_id } })).body).toEqual({
    revoked: 0,
    pending: 0,
  });
  await api.token({ identity: after, body: { stale_lease_id: old.body.lease_id } });
  expect((await api.token({ identity: before })).body.access_token).toBe(old.body.access_token);
  expect(api.broker.looker.logouts()).toEqual([]);
});

it("an id that only differs in case, or goes on, is no id of IAM's or another caller", async () => {
  const api = inMemoryApi();
  const lower = roleIdentity("report-service", { uniqueId: "aroabefore0000000000" });
  expect(await api.token({ identity: lower })).toMatchObject({ status: 403 });
  const old = await api.token({ identity: before });
  const longer = await api.token({
    identity: roleIdentity("report-service", { uniqueId: "AROABEFORE00000000000" }),
  });
  expect(longer.body.access_token).not.toBe(old.body.access_token);
});
