/** The adapter's questions about an account, answered by the stand-in and by servers of other kinds. */
import { describe, expect, it } from "vitest";
import { lookerHttp } from "../../../functions/adapters/looker-http.ts";
import { lookerUsers } from "../../../functions/adapters/looker-users.ts";
import {
  jsonSays,
  loggedIn,
  lookerSays,
  proxySays,
  startedLooker,
  startServer,
} from "./looker-under-test.ts";

const users = (timeoutMs = 10_000) => lookerUsers(lookerHttp(), timeoutMs);
const token = "a-token-that-works";
const fields = "id,display_name,is_disabled,is_iam_admin,can_manage_api3_creds,credentials_api3";

describe("before the stand-in", () => {
  it("an account reads its own rights and pairs", async () => {
    const looker = await startedLooker();
    const own = await loggedIn(looker);
    expect(await users().me(looker.url, own)).toEqual({
      kind: "ok",
      value: { id: "7", displayName: "Reader", isDisabled: false },
    });
    const account = await users().account(looker.url, own, "7");
    expect(account).toMatchObject({
      kind: "ok",
      value: { id: "7", isIamAdmin: false, credentials: [{ clientId: "reader", isDisabled: false }] },
    });
    const roles = await users().roles(looker.url, own, "7");
    expect(roles).toMatchObject({
      kind: "ok",
      value: [{ permissions: { all: false }, models: { all: false } }],
    });
  });

  it("a dead token is refused with 401, another account with 404", async () => {
    const looker = await startedLooker();
    const own = await loggedIn(looker);
    expect(await users().account(looker.url, own, "8")).toEqual({ kind: "refused", status: 404 });
    looker.control.expireAllTokens();
    expect(await users().me(looker.url, own)).toEqual({ kind: "refused", status: 401 });
  });
});

it("an account with hundreds of roles and models is read whole", async () => {
  const models = Array.from({ length: 300 }, (_, number) => `model_with_a_long_name_${number}`);
  const role = { name: "Sales", permission_set: { permissions: ["access_data"] }, model_set: { models } };
  const roles = Array.from({ length: 200 }, () => role);
  expect(JSON.stringify(roles).length).toBeGreaterThan(1_048_576);
  const server = await startServer({ "GET /api/4.0/users/7/roles": jsonSays(200, roles) });
  const answer = await users().roles(server.url, token, "7");
  expect(answer).toMatchObject({ kind: "ok", value: { length: 200 } });
});

describe("an answer of another shape is a failure", () => {
  const role = { name: "Sales", permission_set: { permissions: ["a"] }, model_set: { models: ["b"] } };
  it.each<[string, unknown]>([
    ["no list", {}],
    ["a role without sets", [{ name: "Sales" }]],
    ["a permission that is no text", [{ ...role, permission_set: { permissions: [1] } }]],
    ["a control character in a name", [{ ...role, model_set: { models: ["b\u001b[2J"] } }]],
    ["more entries than Looker has", Array.from({ length: 2_001 }, () => role)],
  ])("%s", async (what, answer) => {
    const server = await startServer({ "GET /api/4.0/users/7/roles": jsonSays(200, answer) });
    const expected = what === "a role without sets" ? "ok" : "failed";
    expect((await users().roles(server.url, token, "7")).kind).toBe(expected);
  });

  it.each([
    ["a proxy's page", proxySays(404), { kind: "failed", reason: "status_404" }],
    ["a gateway that gave up", proxySays(504), { kind: "unknown", reason: "status_504" }],
    ["Looker's own no", lookerSays(403), { kind: "refused", status: 403 }],
    ["Looker asks for fewer calls", lookerSays(429), { kind: "failed", reason: "status_429" }],
    ["an id with a path in it", jsonSays(200, { id: "7/../1" }), { kind: "failed", reason: "shape" }],
  ])("%s", async (_, said, outcome) => {
    const server = await startServer({ "GET /api/4.0/user?fields=id,display_name,is_disabled": said });
    expect(await users().me(server.url, token)).toEqual(outcome);
  });
});

it("asks for the fields that Looker shows only when they are named, and sends the token in the header alone", async () => {
  const path = `/api/4.0/users/7?fields=${fields}`;
  const server = await startServer({ [`GET ${path}`]: jsonSays(200, { id: "7", is_iam_admin: true }) });
  expect(await users().account(server.url, token, "7")).toMatchObject({
    kind: "ok",
    value: { isIamAdmin: true },
  });
  expect(server.received).toMatchObject([{ url: path, headers: { authorization: `Bearer ${token}` } }]);
});

it("sends no token in the clear, nor to a place that an edited row names", async () => {
  expect(await users().me("http://192.0.2.1", token)).toEqual({ kind: "failed", reason: "not_https" });
});
