/** Headers that pose as API Gateway's own word, and values that would split or add a header of an answer or of a login. */
import { expect, it } from "vitest";
import { resources } from "../../functions/contract.ts";
import { canary, findLeaks } from "../support/canary.ts";
import { apiEvent, roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";
import { inMemoryOperator } from "../support/fakes/in-memory-operator.ts";

const split = "x\r\nSet-Cookie: session=evil\r\n\r\n<script>";
const hr = "arn:aws:sts::111122223333:assumed-role/hr/session";

/** In all the ways in which an event carries headers. */
const withHeaders = (headers: Record<string, string>) => ({
  headers,
  multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
});

it.each<[what: string, headers: Record<string, string>]>([
  ["another host", { host: "evil.example.com", "x-forwarded-host": "evil.example.com" }],
  ["another address", { "x-forwarded-for": "198.51.100.66", forwarded: "for=198.51.100.66" }],
  [
    "an identity",
    { "x-amzn-caller": hr, "x-amzn-iam-user-arn": hr, "x-user": "hr", authorization: `Bearer ${hr}` },
  ],
  ["an identity in a presigned STS call", { "x-amz-iam-server-id": "hr", "x-vault-aws-iam-server-id": "hr" }],
  ["another method", { "x-http-method-override": "DELETE", "x-method-override": "DELETE" }],
  ["another path", { "x-original-url": "/scopes/people/token", "x-rewrite-url": "/scopes/people/token" }],
  [
    "another form of body",
    { "content-type": "text/html", "content-encoding": "gzip", "content-length": "0" },
  ],
  ["a line break", { "x-split": split, [split]: "x" }],
  ["the prototype", JSON.parse('{"__proto__": "x", "constructor": "x"}')],
  ["sixty-four kilobytes", { "x-long": "a".repeat(65_536) }],
])("%s in the headers changes neither the answer nor the record", async (_, headers) => {
  const [plain, tried] = [inMemoryApi(), inMemoryApi()];
  const expected = await plain.token();
  expect(expected.status).toBe(200);
  expect(await tried.token({ event: withHeaders(headers) })).toEqual(expected);
  expect(tried.lines).toEqual(plain.lines);
});

it("a caller's own credentials in headers show in no answer and no record", async () => {
  const event = withHeaders({
    authorization: `AWS4-HMAC-SHA256 Signature=${canary.awsSecretAccessKey}`,
    "x-amz-security-token": canary.awsSessionToken,
  });
  const api = inMemoryApi();
  const answers = [
    await api.token({ event }),
    await api.token({ event, scope: "unknown" }),
    await api.logOut({ event }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 403, 200]);
  expect(findLeaks(JSON.stringify([answers, api.lines]))).toEqual([]);
});

it.each<[where: string, event: object]>([
  ["the scope", apiEvent({ event: { pathParameters: { scope: split } } })],
  ["the request id", apiEvent({ requestContext: { requestId: split } })],
  ["the session", apiEvent({ identity: roleIdentity("report-service", { session: split }) })],
  ["a field", apiEvent({ body: { [split]: split } })],
  ["a lease id", apiEvent({ body: { stale_lease_id: split } })],
  ["the host", apiEvent({ event: withHeaders({ host: split }) })],
])("a line break in %s gets into no header of the answer", async (_, event) => {
  const { headers } = await inMemoryApi().send(event);
  expect(Object.keys(headers).sort()).toEqual(["Cache-Control", "Content-Type"]);
  for (const value of Object.values(headers)) expect(value).toMatch(/^[\w/+-]+$/);
});

it("a line break in a filter gets into no header either", async () => {
  const { revoke } = inMemoryOperator();
  for (const name of ["lease_id", "caller", "issued_before", "client_id"]) {
    const { status, headers } = await revoke({ [name]: split });
    expect([name, status]).toEqual([name, 400]);
    expect(JSON.stringify(headers)).not.toContain("Set-Cookie");
  }
});

it.each([Number.POSITIVE_INFINITY, Number.NaN, 1e300, -5, 0.5, 999_999])(
  "a Looker that asks for a pause of %d seconds makes Retry-After no other than whole seconds",
  async (retryAfterSeconds) => {
    const api = inMemoryApi();
    api.broker.looker.onLogin = () => ({ kind: "throttled", retryAfterSeconds });
    const { status, headers } = await api.call({ resource: resources.token });
    expect(status).toBe(503);
    expect(headers["Retry-After"]).toMatch(/^[1-9]\d{0,2}$/);
  },
);
