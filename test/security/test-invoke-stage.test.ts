/** The console's test page, and any API that somebody points at the function, bring identities of their own choosing. */
import { expect, it } from "vitest";
import { resources } from "../../functions/contract.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";

it.each<[string, object]>([
  ["the console's test page", { stage: "test-invoke-stage" }],
  ["another stage", { stage: "v2" }],
  ["a stage that begins alike", { stage: "v1 " }],
  ["a stage in another case", { stage: "V1" }],
  ["a list of stages", { stage: ["v1"] }],
  ["no stage", { stage: null }],
  ["another API", { apiId: "zzzzzzzzzz" }],
  ["no API", { apiId: undefined }],
  ["an API that begins alike", { apiId: "a1b2c3d4e5f" }],
])("%s is allowed nothing, whoever it says calls", async (_, requestContext) => {
  const api = inMemoryApi();
  for (const resource of [resources.token, resources.logout]) {
    const { status, body } = await api.call({ resource, requestContext });
    expect([status, body.code]).toEqual([403, "not_allowed"]);
  }
  expect(await api.call({ method: "GET", resource: resources.scopes, requestContext })).toMatchObject({
    status: 403,
  });
  expect(api.lines.map(({ reason }) => reason)).toEqual(Array(3).fill("foreign_api"));
  expect(api.lines.every(({ caller }) => caller === undefined)).toBe(true);
  expect(api.broker.table.calls).toEqual([]);
});

it("the deployed API's stage is allowed", async () => {
  expect((await inMemoryApi().token()).status).toBe(200);
});
