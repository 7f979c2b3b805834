/** `next_token` comes back from outside: it may lead a listing nowhere but within the scope of the path. */
import { expect, it } from "vitest";
import { writePosition } from "../../functions/http/list-position.ts";
import { inMemoryOperator, numberedCaller } from "../support/fakes/in-memory-operator.ts";

const base64url = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

it.each<[string, string]>([
  ["not base64", "%%%%"],
  ["base64 of nothing", base64url("")],
  ["base64 of no JSON", base64url("hello")],
  [
    "a cut one",
    writePosition({ partition: 3, after: "caller#111122223333#AROAREPORTSERVICE000" }).slice(0, -3),
  ],
  ["null", base64url(null)],
  ["a number", base64url(7)],
  ["text", base64url('"caller"')],
  ["an object", base64url({ partition: 0, after: null })],
  ["an object that passes for a list", base64url({ 0: 0, 1: null, length: 2 })],
  ["an empty list", base64url([])],
  ["one element", base64url([3])],
  ["three elements", base64url([0, null, "scope#people#0"])],
  ["a negative partition", base64url([-1, null])],
  ["half a partition", base64url([0.5, null])],
  ["a partition as text", base64url(["0", null])],
  ["a partition beyond all", base64url("[1e400,null]")],
  ["a million", base64url([1_000_000, null])],
  ["a partition of another scope", base64url(["people#0", null])],
  ["the control row", base64url([0, "#control"])],
  ["another row's key", base64url([0, "scope#people#0"])],
  ["a caller with a wildcard", base64url([0, "caller#111122223333#*"])],
  ["a caller in lower case", base64url([0, "caller#111122223333#aroareportservice000"])],
  ["a caller with a line more", base64url([0, "caller#111122223333#AROAREPORTSERVICE000\n"])],
  ["a caller as an object", base64url([0, { S: "caller#111122223333#AROAREPORTSERVICE000" }])],
  ["a session without a name", base64url([0, "caller#111122223333#AROAREPORTSERVICE000#session#"])],
  [
    "a session of a wrong name",
    base64url([0, "caller#111122223333#AROAREPORTSERVICE000#session#a#session#b"]),
  ],
  ["a session with a line more", base64url([0, "caller#111122223333#AROAREPORTSERVICE000#session#a\n"])],
  ["another kind of row of the caller", base64url([0, "sessions#111122223333#AROAREPORTSERVICE000"])],
  ["a key without end", base64url([0, `caller#111122223333#${"A".repeat(5_000)}`])],
])("%s: a 400 that names the field, and no query", async (_, next_token) => {
  const { list, broker } = inMemoryOperator();
  const answer = await list({ next_token });
  expect([answer.status, answer.body.code]).toEqual([400, "bad_request"]);
  expect(answer.body.detail).toMatch(/^next_token: /);
  expect(broker.table.calls).toEqual([]);
});

it.each([
  ["empty", { next_token: "" }],
  ["doubled", { next_token: ["a", "b"] }],
  [
    "beside an unknown parameter",
    { next_token: writePosition({ partition: 1, after: undefined }), limit: "9" },
  ],
])("%s: a 400", async (_, query) => {
  const { list, broker } = inMemoryOperator();
  expect((await list(query)).status).toBe(400);
  expect(broker.table.calls).toEqual([]);
});

it("of another scope's listing, it shows this scope's rows only", async () => {
  const { list, broker } = inMemoryOperator();
  await broker.issue({ key: numberedCaller(1) });
  const next_token = writePosition({ partition: 0, after: undefined });
  const answer = await list({ next_token }, { scope: "people" });
  expect(answer.body.leases).toEqual([]);
  const queried = broker.table.calls
    .filter(({ operation }) => operation === "querySlots")
    .map(({ key }) => key);
  expect(new Set(queried.map((key) => key.split("#")[1]))).toEqual(new Set(["people"]));
});

it.each([16, 999])(
  "a partition that there is not (%i) is the end of the listing, not an error",
  async (partition) => {
    const { list } = inMemoryOperator();
    const answer = await list({ next_token: writePosition({ partition, after: undefined }) });
    expect([answer.status, answer.body]).toEqual([200, { leases: [] }]);
  },
);
