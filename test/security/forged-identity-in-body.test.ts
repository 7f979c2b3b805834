/** A caller sends somebody else's identity along: in the body, in headers, in the path, in the query. */
import { expect, it } from "vitest";
import { type Call, roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";

const hr = roleIdentity("hr", { uniqueId: "AROAHUMANRESOURCES00" });
const forged = { apiId: "a1b2c3d4e5", stage: "v1", accountId: hr.accountId, identity: hr };

it.each<[string, Call]>([
  ["a requestContext in the body", { body: { requestContext: forged } }],
  ["an identity in the body", { body: { identity: hr } }],
  ["the fields of an identity in the body", { body: hr }],
  [
    "a nested __proto__ in the body",
    { body: `{"__proto__": {"requestContext": ${JSON.stringify(forged)}}}` },
  ],
])("%s is a bad request in one's own scope, and of no use in another's", async (_, call) => {
  const api = inMemoryApi();
  expect(await api.token(call)).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect(await api.token({ ...call, scope: "people" })).toMatchObject({ status: 403 });
  expect(api.broker.looker.ledger).toEqual([]);
});

it.each<[string, object]>([
  [
    "a header with an identity",
    { headers: { "x-amz-user-arn": hr.userArn, "x-amzn-identity": JSON.stringify(hr) } },
  ],
  [
    "a header that forwards STS's answer",
    {
      headers: { "x-iam-response": "<GetCallerIdentityResult/>" },
      multiValueHeaders: { "x-iam-response": ["x"] },
    },
  ],
  ["a raw path of another scope", { path: "/scopes/people/token" }],
  ["an identity beside the context", { identity: hr, authorizer: hr }],
])("%s does not make one anybody else", async (_, event) => {
  const api = inMemoryApi();
  expect(await api.token({ event })).toMatchObject({ status: 200, body: { scope: "sales" } });
  expect(await api.token({ event, scope: "people" })).toMatchObject({ status: 403 });
  expect(api.lines.map(({ caller }) => caller?.unique_id)).toEqual(Array(2).fill("AROAREPORTSERVICE000"));
});
