import { describe, expect, it } from "vitest";
import { resources } from "../../../../functions/contract.ts";
import { apiEvent, type Call } from "../../../support/fakes/api-function.ts";
import { inMemoryApi } from "../../../support/fakes/in-memory-api.ts";

const marker = "echo-me-if-you-dare";
const base64 = (text: string) => ({ body: Buffer.from(text).toString("base64"), isBase64Encoded: true });

/** A 4xx that says nothing of the request, writes nothing and asks Looker nothing. */
async function refused(call: Call) {
  const { call: send, broker, lines } = inMemoryApi();
  const answer = await send(call);
  expect(answer.text).not.toContain(marker);
  expect(JSON.stringify(lines)).not.toContain(marker);
  expect(lines).toHaveLength(1);
  expect(broker.looker.ledger).toEqual([]);
  expect(broker.table.calls).toEqual([]);
  return [answer.status, answer.body.code];
}

describe("a body", () => {
  it.each<[string, Call]>([
    ["that is not JSON", { body: `{"min_ttl_seconds": ${marker}` }],
    ["of white space", { body: " " }],
    ["that is a list", { body: [marker] }],
    ["that is text", { body: JSON.stringify(marker) }],
    ["that is null", { body: "null" }],
    ["that is a number", { body: "60" }],
    ["with an unknown field", { body: { [marker]: 1 } }],
    ["with a field in another case", { body: { Min_ttl_seconds: 60 } }],
    ["with __proto__", { body: `{"__proto__": {"min_ttl_seconds": 60}}` }],
    ["with constructor", { body: `{"constructor": {"prototype": {}}}` }],
    ["with text for a number", { body: { min_ttl_seconds: "60" } }],
    ["with a fraction", { body: { min_ttl_seconds: 60.5 } }],
    ["with zero", { body: { min_ttl_seconds: 0 } }],
    ["with a negative number", { body: { min_ttl_seconds: -1 } }],
    ["with more than half of the scope's lease", { body: { min_ttl_seconds: 451 } }],
    ["with a number beyond all", { body: '{"min_ttl_seconds": 1e999}' }],
    ["with true", { body: { min_ttl_seconds: true } }],
    ["with a number for a lease id", { body: { stale_lease_id: 12345678 } }],
    ["with null for a lease id", { body: { stale_lease_id: null } }],
    ["with an empty lease id", { body: { stale_lease_id: "" } }],
    ["with a lease id of other characters", { body: { stale_lease_id: `${marker} \n` } }],
    ["with an object for a lease id", { body: { stale_lease_id: { [marker]: 1 } } }],
    ["with half a character for a lease id", { body: '{"stale_lease_id": "\\ud800"}' }],
    ["with a lease id that is too long", { body: { stale_lease_id: "a".repeat(65) } }],
    ["with null for the lease to end", { resource: resources.logout, body: { lease_id: null } }],
    ["with an empty lease to end", { resource: resources.logout, body: { lease_id: "" } }],
    ["with a list of leases to end", { resource: resources.logout, body: { lease_id: [marker] } }],
    [
      "of the token route on the logout route",
      { resource: resources.logout, body: { stale_lease_id: "lease-123" } },
    ],
    ["of the logout route on the token route", { body: { lease_id: "lease-123" } }],
    ["of an operator's route on the logout route", { resource: resources.logout, body: { all: true } }],
    ["that is not JSON on the logout route", { resource: resources.logout, body: `{${marker}` }],
    ["in base64 that is not JSON", { event: base64(marker) }],
    ["in base64 with an unknown field", { event: base64(`{"${marker}": 1}`) }],
    ["that is no text in the event", { event: { body: { min_ttl_seconds: 60 } } }],
    ["with a query beside it", { event: { multiValueQueryStringParameters: { [marker]: ["1"] } } }],
  ])("%s is a 400", async (_, call) => {
    expect(await refused(call)).toEqual([400, "bad_request"]);
  });

  it("with null for a number is a 400", async () => {
    expect(await refused({ body: { min_ttl_seconds: null } })).toEqual([400, "bad_request"]);
  });

  it.each<[string, Call]>([
    ["of one megabyte", { body: `{"min_ttl_seconds": 60, "x": "${"a".repeat(1_000_000)}"}` }],
    ["of one megabyte that is not JSON", { body: marker.repeat(60_000) }],
    ["of 4097 bytes", { body: " ".repeat(4_097) }],
    ["of 4097 bytes in fewer characters", { body: "é".repeat(2_049) }],
    ["of one megabyte in base64", { event: base64("a".repeat(1_000_000)) }],
    ["of 4097 bytes in base64", { event: base64("a".repeat(4_097)) }],
    ["of many nested lists", { body: "[".repeat(100_000) }],
  ])("%s is a 413", async (_, call) => {
    expect(await refused(call)).toEqual([413, "payload_too_large"]);
  });

  it("of 4096 bytes is read", async () => {
    const { token } = inMemoryApi();
    expect((await token({ body: `{"min_ttl_seconds": 60}${" ".repeat(4_073)}` })).status).toBe(200);
  });

  it("in base64 is read", async () => {
    expect((await inMemoryApi().token({ event: base64('{"min_ttl_seconds": 60}') })).status).toBe(200);
  });

  it("pollutes nothing", async () => {
    await inMemoryApi().token({ body: '{"__proto__": {"polluted": true}}' });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

it.each<[string, unknown]>([
  ["dots", ".."],
  ["a path", "../sales"],
  ["an encoded slash", "%2f"],
  ["an encoded name", "%73ales"],
  ["unicode", "sаles"],
  ["300 characters", "a".repeat(300)],
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
  ["an empty name", ""],
  ["another case", "SALES"],
  ["a trailing newline", "sales\n"],
  ["a trailing space", "sales "],
  ["a zero byte", "sales\u0000"],
  ["a # of the table's keys", "sales#0"],
  ["a list", ["sales"]],
  ["an object", { toString: "sales" }],
  ["nothing", null],
  ["one's colleagues'", "people"],
])("a scope named by %s gets the very answer that an unknown scope gets", async (_, scope) => {
  const { call, broker } = inMemoryApi();
  for (const resource of [resources.token, resources.logout]) {
    const expected = await call({ resource, scope: "no-such-scope" });
    expect([expected.status, expected.body.code]).toEqual([403, "not_allowed"]);
    expect(await call({ resource, scope })).toEqual(expected);
    // Even a request that is not valid is told no more.
    expect(await call({ resource, scope, body: "not JSON" })).toEqual(expected);
  }
  expect(broker.table.calls).toEqual([]);
});

describe("an event that is no request of this API", () => {
  it.each<[string, unknown]>([
    ["null", null],
    ["nothing", undefined],
    ["a list", [apiEvent()]],
    ["a number", 7],
    ["text", marker],
    ["true", true],
    ["an empty object", {}],
    ["a request without its context", { ...apiEvent(), requestContext: null }],
    ["a request without an identity", apiEvent({ requestContext: { identity: undefined } })],
    ["a context that is text", { ...apiEvent(), requestContext: marker }],
    ["a scheduled event", { source: "aws.events", detail: { marker } }],
    [
      "an HTTP API's event",
      { version: "2.0", routeKey: "POST /scopes/{scope}/token", rawPath: "/scopes/sales/token" },
    ],
    ["another API's", apiEvent({ requestContext: { apiId: "zzzzzzzzzz" } })],
    ["a list that holds the API's id", apiEvent({ requestContext: { apiId: ["a1b2c3d4e5"] } })],
    ["an undeclared route", apiEvent({ resource: "/scopes/{scope}/tokens" })],
    ["another method", apiEvent({ method: "GET" })],
    ["a method in another case", apiEvent({ method: "post" })],
    ["a route of Object's", { ...apiEvent(), httpMethod: "", resource: "constructor" }],
    [
      "the operator's route at the callers' function",
      apiEvent({ method: "DELETE", resource: resources.leases }),
    ],
    ["path parameters that are text", { ...apiEvent(), pathParameters: "sales" }],
  ])("(%s) is not allowed, and is recorded once", async (_, event) => {
    const { send, lines, broker } = inMemoryApi();
    const { status, body, text } = await send(event);
    expect([status, body.code]).toEqual([403, "not_allowed"]);
    expect(text).not.toContain(marker);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.status).toBe(403);
    expect(broker.table.calls).toEqual([]);
  });
});
