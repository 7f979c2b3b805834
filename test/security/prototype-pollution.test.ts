/** Keys with which a merge or a look-up reaches what all objects inherit: `__proto__`, `constructor`, `toString` and the like. */
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { afterEach, expect, it } from "vitest";
import { readSecretControl, readSlot } from "../../functions/adapters/rows.ts";
import { resources } from "../../functions/contract.ts";
import { parseScopes } from "../../functions/domain/scope.ts";
import { apiEvent } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";
import { inMemoryOperator, queryEvent } from "../support/fakes/in-memory-operator.ts";

const inherited = ["__proto__", ...Object.getOwnPropertyNames(Object.prototype)];

afterEach(() => {
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual([...new Set(inherited)].sort());
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

/** `__proto__` is an own key of what JSON.parse makes, as of an event. */
const keyed = (key: string, value: unknown): Record<string, unknown> =>
  JSON.parse(`{${JSON.stringify(key)}: ${JSON.stringify(value)}}`);

it.each(inherited)("%s is no field of a body", async (key) => {
  for (const value of ["x", null, { polluted: true, min_ttl_seconds: 60, lease_id: "some-lease-id" }])
    for (const resource of [resources.token, resources.logout]) {
      const { broker, call } = inMemoryApi();
      const { status, body } = await call({ resource, body: JSON.stringify(keyed(key, value)) });
      expect([status, body.code]).toEqual([400, "bad_request"]);
      expect(broker.table.calls).toEqual([]);
    }
});

it.each(inherited)("%s is no query parameter, and no filter", async (key) => {
  const { call, broker } = inMemoryOperator();
  const multiValueQueryStringParameters = { ...keyed(key, ["true"]), all: ["true"] };
  Object.defineProperty(multiValueQueryStringParameters, key, { value: ["true"], enumerable: true });
  const event = { ...queryEvent(), multiValueQueryStringParameters };
  const { status } = await call({ method: "DELETE", resource: resources.leases, event });
  expect(status).toBe(400);
  expect(broker.table.calls).toEqual([]);
});

it.each(inherited)("%s is no scope and no route", async (key) => {
  const { send, broker } = inMemoryApi();
  const refused = await send(apiEvent({ scope: "no-such-scope" }));
  for (const event of [
    apiEvent({ event: { pathParameters: { scope: key } } }),
    apiEvent({ event: { pathParameters: keyed(key, "sales") } }),
    apiEvent({ event: { resource: key } }),
    apiEvent({ event: { httpMethod: key, resource: "" } }),
  ])
    expect(await send(event)).toEqual(refused);
  expect(broker.table.calls).toEqual([]);
});

it.each([
  ["the event", (given: object) => keyed("__proto__", given)],
  [
    "the context",
    (given: { requestContext?: unknown }) => ({ requestContext: keyed("__proto__", given.requestContext) }),
  ],
  [
    "the identity",
    ({ requestContext }: { requestContext?: unknown }) => {
      const { identity, ...context } = requestContext as Record<string, unknown>;
      return apiEvent({ event: { requestContext: { ...context, identity: keyed("__proto__", identity) } } });
    },
  ],
])("what stands under __proto__ of %s is not inherited", async (_, hide) => {
  const { send } = inMemoryApi();
  expect(await send(hide(apiEvent()))).toMatchObject({ status: 403, body: { code: "not_allowed" } });
});

const definition = {
  lookerUrl: "https://example.cloud.looker.com",
  secret: { secretName: "looker/sales" },
  callers: ["arn:aws:iam::111122223333:role/report-service"],
  operators: ["arn:aws:iam::111122223333:role/oncall"],
};

it.each(inherited.filter((name) => name !== "constructor"))("a scope named %s cannot be defined", (name) => {
  expect(() => parseScopes(keyed(name, definition))).toThrow(`scope ${JSON.stringify(name)}: name`);
});

it("a scope named constructor is one like any other, and what it does not say it does not inherit", () => {
  expect([...parseScopes(keyed("constructor", definition)).keys()]).toEqual(["constructor"]);
  const { secret, ...rest } = definition;
  expect(() => parseScopes({ sales: { ...rest, secret: keyed("__proto__", secret) } })).toThrow(
    "secret.__proto__: is not a field",
  );
});

it("an edited row reaches no other object, and names no attempt that there is not", () => {
  const evil = marshall({ polluted: true, state: "worked", client_id: "clientOne" });
  const row = (more: object) =>
    unmarshall({ ...marshall({ schema: 1, version: 1, write_id: "w" }), ...more } as Record<string, never>);
  const secret = { throttles: { L: [] }, denied_client_ids: { L: [] } };
  const hidden = { M: keyed("__proto__", { M: evil }) };
  for (const attempts of [hidden, { L: [hidden] }])
    expect(() => readSecretControl(row({ ...secret, attempts }))).toThrow();
  expect(() => readSlot(row({ lease: hidden }))).toThrow();
  const begun = { M: keyed("__proto__", { L: [{ N: "1" }] }) };
  const slot = { names: { L: [] }, superseded: { L: [] }, outbox: { L: [] }, failures: { L: [] } };
  expect(Object.getPrototypeOf(readSlot(row({ ...slot, minted_at: begun })).mintedAt)).toBe(Object.prototype);
});
