/** A caller chooses its session's name, a part of a row's key. The name must reach nobody else's row, nor another kind of row. */
import { describe, expect, it } from "vitest";
import { slotKey } from "../../functions/adapters/rows.ts";
import { roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";
import { callerKey, inMemoryBroker } from "../support/fakes/in-memory-broker.ts";
import { nameOf } from "../support/fakes/memory-slot-table.ts";

describe.each([
  "",
  "-",
  "__proto__",
  "x#session#y",
  "../AROAVICTIM0000000000",
  "a/b",
  "a b",
  "a\u0000",
  "a\n",
  "~",
  "\uffff",
  "é",
  "x".repeat(65),
  null,
  7,
  [],
  ["job"],
  { name: "job" },
])("a session called %j", (session) => {
  it("is refused before anything is read or written", async () => {
    const api = inMemoryApi();
    const calls = () => api.broker.table.calls.length;
    const before = calls();
    const token = await api.token({ body: { session } });
    const logout = await api.logOut({ body: { session } });
    for (const { status, body } of [token, logout])
      expect([status, body.code, String(body.detail)]).toEqual([
        400,
        "bad_request",
        expect.stringMatching(/^session/),
      ]);
    expect(calls()).toBe(before);
    expect(JSON.stringify(api.lines)).not.toContain('"session"');
  });
});

it.each(["constructor", "toString", "hasOwnProperty"])(
  "a session called %s is a session like any other",
  async (session) => {
    const api = inMemoryApi();
    const [shared, own] = [await api.token(), await api.token({ body: { session } })];
    expect([own.status, own.body.lease_id === shared.body.lease_id]).toEqual([200, false]);
  },
);

it("a caller whose id begins like another's ends nothing of the other's sessions", async () => {
  const broker = inMemoryBroker();
  const longer = callerKey("AROAREPORTSERVICE0001", "sales", "job");
  await broker.issue({ key: longer });
  await broker.issue({ key: callerKey("AROAREPORTSERVICE000", "sales", "job") });
  expect(await broker.logOut({ key: callerKey("AROAREPORTSERVICE000") })).toMatchObject({
    revoked: 1,
    pending: 0,
  });
  expect(broker.looker.live.size).toBe(1);
});

it("another role's session of the same name is another session", async () => {
  const api = inMemoryApi();
  const body = { session: "job" };
  const first = await api.token({ body });
  const identity = roleIdentity("report-service", { uniqueId: "AROARECREATED0000000" });
  const second = await api.token({ body, identity });
  expect(second.body.lease_id).not.toBe(first.body.lease_id);
  expect((await api.logOut({ body, identity })).body).toEqual({ revoked: 1, pending: 0 });
  expect(api.broker.looker.live.size).toBe(1);
});

it("a session's sealed token in the shared row, or in another session's, yields nothing and is reported", async () => {
  const broker = inMemoryBroker();
  const [job, shared, other] = [
    callerKey(undefined, "sales", "job"),
    callerKey(),
    callerKey(undefined, "sales", "other"),
  ];
  const stolen = await broker.issue({ key: job });
  for (const key of [shared, other]) {
    const { pk, sk } = slotKey(key);
    broker.table.items.set(nameOf({ pk, sk }), { ...structuredClone(broker.row(job)), pk, sk });
    const { token, audit } = await broker.ask({ key });
    expect(token?.accessToken).not.toBe(stolen.accessToken);
    expect(audit.unreadable).toBe(1);
  }
});
