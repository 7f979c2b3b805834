/** Whoever assumes a role chooses the session's name: it must name nobody. */
import { describe, expect, it } from "vitest";
import { roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";

describe.each(["hr", "oncall", "report-service", "AROAHUMANRESOURCES00", "alice@example.com", "=,.@-+"])(
  "a session that calls itself %s",
  (session) => {
    it("is allowed nothing more than its role", async () => {
      const identity = roleIdentity("intruder", { uniqueId: "AROAINTRUDER00000000", session });
      for (const scope of ["sales", "people"])
        expect(await inMemoryApi().token({ scope, identity })).toMatchObject({ status: 403 });
    });

    it("is the same caller as every other session of its role", async () => {
      const api = inMemoryApi();
      const first = await api.token({ identity: roleIdentity("report-service", { session: "pod-1" }) });
      const second = await api.token({ identity: roleIdentity("report-service", { session }) });
      expect(second.body.lease_id).toBe(first.body.lease_id);
    });
  },
);

it.each(["x/../hr", "hr/x", "x:y", "x\n", "", "x"])(
  "a session named %j is no identity at all",
  async (session) => {
    const api = inMemoryApi();
    expect(await api.token({ identity: roleIdentity("report-service", { session }) })).toMatchObject({
      status: 403,
    });
    expect(api.lines).toMatchObject([{ code: "not_allowed" }]);
    expect(api.lines[0]?.caller).toBeUndefined();
  },
);
