/** JSON that costs more to read than to send, or that no program can walk through: in a body, in a parameter, in a secret. */
import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, it } from "vitest";
import { secretsManager } from "../../functions/adapters/secrets-manager.ts";
import { resources } from "../../functions/contract.ts";
import { apiEvent } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";
import { inMemoryOperator } from "../support/fakes/in-memory-operator.ts";

/** Far more than any of these takes on a slow machine, far less than one that is quadratic. */
const soonMs = 2_000;

const lists = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const maps = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

async function refused(body: string, more: object = {}) {
  const { call, broker, lines } = inMemoryApi();
  const since = performance.now();
  const answer = await call({ body, ...more });
  expect(performance.now() - since).toBeLessThan(soonMs);
  expect(lines).toHaveLength(1);
  expect(JSON.stringify(lines).length).toBeLessThan(4_000);
  expect(answer.text.length).toBeLessThan(500);
  expect(broker.table.calls).toEqual([]);
  return [answer.status, answer.body.code];
}

/** As much as API Gateway lets through. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
const most = 10_000_000;

it.each([
  ["ten megabytes of one text", `{"stale_lease_id":"${"a".repeat(most)}"}`],
  ["ten megabytes of fields", `{${Array.from({ length: 700_000 }, (_, n) => `"field${n}":0`).join(",")}}`],
  ["ten megabytes of nested lists", lists(most / 2)],
  ["ten megabytes of nested maps", maps(most / 6)],
  ["ten megabytes of one number", `{"min_ttl_seconds":${"9".repeat(most)}}`],
  ["ten megabytes of escapes", `{"stale_lease_id":"${"\\u0061".repeat(most / 6)}"}`],
  ["ten megabytes of space", " ".repeat(most)],
])("%s is refused unread, however it is encoded", async (_, body) => {
  expect(await refused(body)).toEqual([413, "payload_too_large"]);
  const encoded = { body: Buffer.from(body).toString("base64"), isBase64Encoded: true };
  expect(await refused("", { event: encoded })).toEqual([413, "payload_too_large"]);
});

it.each([
  ["two thousand lists", lists(2_000)],
  ["as many lists as fit, without an end", "[".repeat(4_096)],
  ["maps", maps(600)],
  ["maps in the right field", `{"min_ttl_seconds":${maps(600)}}`],
  ["lists for a lease id", `{"stale_lease_id":${lists(2_000)}}`],
  ["one field a thousand times", `{${'"a":1,'.repeat(600)}"a":1}`],
  ["a number of four thousand digits", `{"min_ttl_seconds":${"9".repeat(4_000)}}`],
  ["a number of four thousand decimals", `{"min_ttl_seconds":1.${"0".repeat(4_000)}1e400}`],
  ["an escaped field name", '{"min\\u005fttl\\u005fseconds":-1}'],
])("%s in four kilobytes: a 400", async (_, body) => {
  expect(await refused(body)).toEqual([400, "bad_request"]);
  expect(await refused(body, { resource: resources.logout })).toEqual([400, "bad_request"]);
});

it("of a field that is there twice, the last one counts, and both must not be more than one", async () => {
  const { call } = inMemoryApi();
  expect((await call({ body: '{"min_ttl_seconds": 60, "min_ttl_seconds": 0}' })).status).toBe(400);
});

it.each([lists(5_000), maps(2_000), "9".repeat(9_000), "W".repeat(9_000)])(
  "a next_token of deep or huge JSON is a 400",
  async (text) => {
    const { list, broker } = inMemoryOperator();
    expect((await list({ next_token: Buffer.from(text).toString("base64url") })).status).toBe(400);
    expect(broker.table.calls).toEqual([]);
  },
);

/** JSON.parse makes it without recursion; whoever walks through it afterwards falls. */
const deep = JSON.parse(lists(200_000));

it.each<[where: string, event: object]>([
  ["the body", { body: deep }],
  ["the query", { multiValueQueryStringParameters: { all: deep } }],
  ["the headers", { headers: deep, multiValueHeaders: { host: deep } }],
  ["the path parameters", { pathParameters: { scope: deep } }],
  [
    "the identity",
    { requestContext: { ...(apiEvent().requestContext as object), identity: { userArn: deep } } },
  ],
  ["the context", { requestContext: deep }],
])("an event that is deep in %s is answered and recorded", async (_, event) => {
  const { send, lines } = inMemoryApi();
  const { status } = await send(apiEvent({ event }));
  expect([200, 400, 403]).toContain(status);
  expect(lines).toMatchObject([{ status }]);
  expect(JSON.stringify(lines).length).toBeLessThan(4_000);
});

it.each([
  ["deep lists", lists(30_000)],
  ["deep maps", maps(10_000)],
  ["a long client id", JSON.stringify({ client_id: "a".repeat(60_000), client_secret: "b" })],
  ["text for both", JSON.stringify("a".repeat(60_000))],
])("a secret of %s is malformed, and is not quoted", async (_, SecretString) => {
  const client = {
    send: async (command: unknown) => {
      expect(command).toBeInstanceOf(GetSecretValueCommand);
      return { SecretString, VersionId: "1" };
    },
  } as unknown as SecretsManagerClient;
  const reading = secretsManager(client, { now: () => 0, sleep: async () => {} }).current("looker/sales");
  await expect(reading).rejects.toThrow(/^the client secret cannot be used: malformed$/);
});
