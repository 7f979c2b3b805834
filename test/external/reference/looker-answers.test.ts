/** The stand-in Looker's answers compared with Looker's OpenAPI document. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LookerRole } from "../../../local/looker/roles.ts";
import { ROUTES } from "../../../local/looker/routes.ts";
import { type RunningLooker, startLooker } from "../../../local/looker/server.ts";
import {
  hasLookerDocument,
  type LookerDocument,
  readLookerDocument,
} from "../../support/openapi/looker-document.ts";

const admin = { clientId: "admin", clientSecret: "admin-secret" };
const reader = { clientId: "reader", clientSecret: "reader-secret" };
const viewer = { clientId: "viewer", clientSecret: "viewer-secret" };
const locked = { clientId: "locked", clientSecret: "locked-secret" };
type Pair = typeof admin;

const TWO_ROLES: LookerRole[] = [
  { name: "Sales", permissions: ["access_data"], models: ["sales"] },
  { name: "Everything", permissions: "all", models: "all" },
];

let document: LookerDocument;
let looker: RunningLooker;
/** Operations with a successful answer. */
const served = new Set<string>();

async function start(): Promise<void> {
  document = readLookerDocument();
  looker = await startLooker({
    accounts: [
      { userId: "1", displayName: "Admin", credentials: [admin], admin: true },
      { userId: "7", displayName: "Reader", credentials: [reader] },
      { userId: "8", displayName: "Viewer", credentials: [viewer], permissions: ["access_data"] },
      {
        userId: "9",
        displayName: "Locked",
        credentials: [locked],
        roles: TWO_ROLES,
        canManageCredentials: true,
      },
    ],
  });
}

interface Sent {
  readonly token?: string;
  readonly body?: string | URLSearchParams;
  /** In the place of the operation's `{…}`, in order. */
  readonly parameters?: readonly string[];
}

/** Fails unless the document has this answer. */
async function answered(operation: string, { token, body, parameters = [] }: Sent, query = "") {
  const [method = "", template = ""] = operation.split(" ");
  const left = parameters.map(encodeURIComponent);
  const path = template.replace(/\{\w+\}/g, () => left.shift() ?? "");
  const response = await fetch(`${looker.url}/api/4.0${path}${query}`, {
    method,
    headers: token === undefined ? {} : { authorization: `token ${token}` },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const { status, headers } = response;
  expect(document.violations(operation, status, headers.get("content-type"), text), operation).toEqual([]);
  if (status < 300) served.add(operation);
  return { status, json: text === "" ? undefined : JSON.parse(text) };
}

const form = ({ clientId, clientSecret }: Pair) =>
  new URLSearchParams({ client_id: clientId, client_secret: clientSecret });
const login = (pair: Pair) => answered("POST /login", { body: form(pair) });
const tokenOf = async (pair: Pair): Promise<string> => (await login(pair)).json.access_token;

const list = "GET /users/{user_id}/credentials_api3";
const create = "POST /users/{user_id}/credentials_api3";
const read = "GET /users/{user_id}/credentials_api3/{credentials_api3_id}";
const update = "PATCH /users/{user_id}/credentials_api3/{credentials_api3_id}";
const remove = "DELETE /users/{user_id}/credentials_api3/{credentials_api3_id}";
const byCredential = "GET /users/credential/{credential_type}/{credential_id}";

describe.runIf(hasLookerDocument)("the stand-in's answers are in Looker's document", () => {
  beforeAll(start);
  afterAll(() => looker.close());

  test("login, in either form, refused, malformed and locked out", async () => {
    expect((await login(reader)).json).toHaveProperty("refresh_token", null);
    looker.control.changeSettings({ refreshToken: "absent" });
    expect((await login(reader)).json).not.toHaveProperty("refresh_token");
    looker.control.changeSettings({ refreshToken: "null" });
    expect((await login({ ...reader, clientSecret: "wrong" })).status).toBe(404);
    expect((await answered("POST /login", {})).status).toBe(400);
    for (let i = 0; i < 4; i++) await login({ ...locked, clientSecret: "wrong" });
    expect((await login(locked)).status).toBe(404);
    looker.control.addFault({ route: "login", kind: "status", status: 429, times: 1 });
    expect((await login(reader)).status).toBe(429);
  });

  test("logout, and logout again", async () => {
    const token = await tokenOf(reader);
    expect((await answered("DELETE /logout", { token })).status).toBe(204);
    expect((await answered("DELETE /logout", { token })).status).toBe(404);
  });

  test("login as another user", async () => {
    const as = async (pair: Pair, userId: string) => {
      const sent = { token: await tokenOf(pair), parameters: [userId] };
      return (await answered("POST /login/{user_id}", sent)).status;
    };
    expect([await as(admin, "7"), await as(reader, "1"), await as(admin, "99")]).toEqual([200, 403, 404]);
  });

  test("the session, switched, refused and malformed", async () => {
    const token = await tokenOf(reader);
    const patch = async (body: string) => (await answered("PATCH /session", { token, body })).status;
    expect((await answered("GET /session", { token })).json.workspace_id).toBe("production");
    expect([await patch('{"workspace_id":"dev"}'), await patch("{}"), await patch("{")]).toEqual([
      200, 422, 400,
    ]);
    expect((await answered("GET /session", { token })).json.workspace_id).toBe("dev");
  });

  test("lock-outs, lifted by an admin and absent for others", async () => {
    const [token, others] = [await tokenOf(admin), await tokenOf(viewer)];
    expect((await answered("GET /user_login_lockouts", { token: others })).status).toBe(404);
    const [lockout] = (await answered("GET /user_login_lockouts", { token })).json;
    const lift = { token, parameters: [String(lockout.key)] };
    expect((await answered("DELETE /user_login_lockout/{key}", lift)).status).toBe(204);
    expect((await answered("DELETE /user_login_lockout/{key}", lift)).status).toBe(404);
  });

  test.each(["GET /users/{user_id}", "GET /users/{user_id}/roles", "GET /users/{user_id}/credentials_api3"])(
    "%s of its own account, and of another without the permission",
    async (operation) => {
      const token = await tokenOf(viewer);
      expect((await answered(operation, { token, parameters: ["8"] })).status).toBe(200);
      expect((await answered(operation, { token, parameters: ["7"] })).status).toBe(404);
    },
  );

  test("users and roles of each kind, whole and by fields", async () => {
    const token = await tokenOf(admin);
    for (const userId of ["1", "7", "9"])
      for (const fields of ["", "?fields=id,is_iam_admin,role_ids,credentials_api3(client_id)"]) {
        await answered("GET /users/{user_id}", { token, parameters: [userId] }, fields);
        await answered("GET /users/{user_id}/roles", { token, parameters: [userId] }, fields);
      }
    const found = await answered(byCredential, { token, parameters: ["api3", "reader"] });
    expect(found.json).toMatchObject({ id: "7", credentials_api3: [{ client_id: "reader" }] });
    expect((await answered(byCredential, { token, parameters: ["api3", "nobody"] })).status).toBe(404);
  });

  test("a pair made, read, marked and deleted, with each refusal", async () => {
    const [token, others] = [await tokenOf(admin), await tokenOf(reader)];
    const { json: made } = await answered(create, { token, parameters: ["9"] });
    const parameters = ["9", made.id];
    expect((await answered(read, { token, parameters })).json).not.toHaveProperty("client_secret");
    const mark = async (body: string) => (await answered(update, { token, parameters, body })).status;
    expect([await mark('{"purpose":"rotation"}'), await mark('{"purpose":7}'), await mark("{")]).toEqual([
      200, 422, 400,
    ]);
    for (const pairRefusalStatus of [404, 403] as const) {
      looker.control.changeSettings({ pairRefusalStatus });
      for (const operation of [list, create, read, update, remove]) {
        const sent = { token: others, parameters, ...(operation === update ? { body: "{}" } : {}) };
        expect((await answered(operation, sent)).status, operation).toBe(pairRefusalStatus);
      }
      const sent = { token: await tokenOf(viewer), parameters: ["api3", "reader"] };
      expect((await answered(byCredential, sent)).status).toBe(pairRefusalStatus);
    }
    expect((await answered(remove, { token, parameters })).status).toBe(204);
    expect((await answered(remove, { token, parameters })).status).toBe(404);
    for (const tooManyPairsStatus of [422, 409] as const) {
      looker.control.changeSettings({ maxPairsPerUser: 1, tooManyPairsStatus });
      expect((await answered(create, { token, parameters: ["9"] })).status).toBe(tooManyPairsStatus);
    }
    looker.control.addFault({ route: "credentials", kind: "status", status: 429, times: 1 });
    expect((await answered(create, { token, parameters: ["9"] })).status).toBe(429);
    looker.control.changeSettings({ pairRefusalStatus: 404, maxPairsPerUser: 100, tooManyPairsStatus: 422 });
  });

  test.each(["GET /user", "GET /versions", "GET /permissions"])(
    "%s, whole and by fields",
    async (operation) => {
      const token = await tokenOf(reader);
      await answered(operation, { token });
      await answered(operation, { token }, "?fields=id,current_version(version)");
    },
  );

  test("an OAuth app registered, read, changed, revoked and deleted, with each refusal", async () => {
    const [token, others] = [await tokenOf(admin), await tokenOf(reader)];
    const sent = { token, parameters: ["app"] };
    const ofUser = { token, parameters: ["app", "7"] };
    const details = { redirect_uri: "https://app.example/", display_name: "App", group_id: null };
    const statusOf = async (operation: string, more: Sent) => (await answered(operation, more)).status;
    const one = "/oauth_client_apps/{client_guid}";
    const register = (body: unknown) => statusOf(`POST ${one}`, { ...sent, body: JSON.stringify(body) });
    const change = (body: string) => statusOf(`PATCH ${one}`, { ...sent, body });
    expect([
      await register(details),
      await register(details),
      await register({}),
      await register([]),
    ]).toEqual([200, 409, 422, 400]);
    expect([await change('{"enabled":false}'), await change('{"enabled":7}'), await change("{")]).toEqual([
      200, 422, 400,
    ]);
    expect(await statusOf(`POST ${one}/users/{user_id}`, ofUser)).toBe(204);
    expect((await answered(`GET ${one}`, sent)).json.activated_users).toHaveLength(1);
    await answered("GET /oauth_client_apps", { token }, "?fields=client_guid,activated_users(id)");
    await answered("GET /oauth_client_apps", { token });
    for (const operation of [`DELETE ${one}/users/{user_id}`, `DELETE ${one}/tokens`, `DELETE ${one}`]) {
      expect(await statusOf(operation, { ...ofUser, token: others })).toBe(404);
      expect(await statusOf(operation, ofUser)).toBe(204);
    }
    expect(await statusOf(`DELETE ${one}`, sent)).toBe(404);
  });

  test("each route that the document has was seen to succeed", () => {
    const both = Object.keys(ROUTES).filter((route) => document.operations.has(route));
    expect([...served].toSorted()).toEqual([...both, "POST /login", "DELETE /logout"].toSorted());
  });
});
