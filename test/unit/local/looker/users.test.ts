import { describe, expect, test } from "vitest";
import type { LookerAccount } from "../../../../local/looker/accounts.ts";
import { ADMIN, call, login, lookerUnderTest, NOT_FOUND, READER, tryLogin } from "./looker-client.ts";

const SALES = { name: "Sales", permissions: ["access_data"], models: ["sales"] } as const;
const EVERYTHING = { name: "Everything", permissions: "all", models: "all" } as const;
const other = { clientId: "other", clientSecret: "s" };

/** A Looker with one more account, the user 8, and the answers that one account gets. */
async function reading(account: Partial<LookerAccount>, who = other) {
  const looker = await lookerUnderTest();
  looker.addAccount({ userId: "8", displayName: "Other", credentials: [other], ...account });
  const token = `token ${await login(looker, who)}`;
  const get = async (path: string) => JSON.parse((await call(looker, `GET /api/4.0${path}`, token)).body);
  return { looker, token, get };
}

describe("a user's answer", () => {
  test("has its roles, groups and kind", async () => {
    const { get } = await reading({ roles: [SALES, EVERYTHING], groupIds: ["1"], serviceAccount: false });
    const [sales, everything] = await get("/users/8/roles");
    expect(await get("/user")).toMatchObject({
      id: "8",
      is_disabled: false,
      role_ids: [sales.id, everything.id],
      group_ids: ["1"],
      is_service_account: false,
    });
  });

  test("tells of pairs to the account itself and to admins, and not to others who see users", async () => {
    const own = await reading({ canManageCredentials: true });
    const shown = { can_manage_api3_creds: true, credentials_api3: [{ client_id: "other" }] };
    expect(await own.get("/users/8")).toMatchObject(shown);
    const asAdmin = await reading({ canManageCredentials: true }, ADMIN);
    expect(await asAdmin.get("/users/8")).toMatchObject(shown);
    expect(await asAdmin.get("/users/credential/api3/other")).toMatchObject({ id: "8", ...shown });
    const asReader = await reading({ canManageCredentials: true }, READER);
    for (const path of ["/users/8", "/users/credential/api3/other"]) {
      const seen = await asReader.get(path);
      expect(seen).toMatchObject({ id: "8", display_name: "Other" });
      expect(Object.keys(seen)).not.toContain("credentials_api3");
      expect(Object.keys(seen)).not.toContain("can_manage_api3_creds");
    }
    expect(JSON.stringify(await asReader.get("/users"))).not.toContain('"other"');
  });

  test.each(["/user", "/users/8"])("%s has is_iam_admin only if it is named", async (path) => {
    const { get } = await reading({ iamAdmin: true });
    expect(await get(path)).not.toHaveProperty("is_iam_admin");
    expect(await get(`${path}?fields=id,is_iam_admin`)).toEqual({ id: "8", is_iam_admin: true });
    expect(await get(`${path}?fields=id`)).toEqual({ id: "8" });
  });

  test("is found by a client id, and by no other type of credential", async () => {
    const { looker, token, get } = await reading({ permissions: ["access_data"] });
    expect(await get("/users/credential/api3/other")).toMatchObject({ id: "8" });
    for (const path of ["api3/reader", "api3/nobody", "email/other", "api3/__proto__"]) {
      const route = `GET /api/4.0/users/credential/${path}`;
      expect(await call(looker, route, token)).toMatchObject({ status: 404, body: NOT_FOUND });
      looker.control.changeSettings({ pairRefusalStatus: 403 });
      expect((await call(looker, route, token)).status).toBe(403);
      looker.control.changeSettings({ pairRefusalStatus: 404 });
    }
  });
});

describe("roles", () => {
  test("each has a permission set and a model set", async () => {
    const { get } = await reading({ roles: [SALES, EVERYTHING] });
    const [sales, everything] = await get("/users/8/roles");
    expect(sales).toMatchObject({
      name: "Sales",
      permission_set: { all_access: false, built_in: false, name: "Sales", permissions: ["access_data"] },
      model_set: { all_access: false, built_in: false, name: "Sales", models: ["sales"] },
    });
    expect(everything).toMatchObject({
      permission_set: { all_access: true, built_in: false, name: "Everything" },
      model_set: { all_access: true, built_in: true, name: "All", models: ["sales", "finance"] },
    });
    expect(everything.permission_set.permissions).toContain("see_system_activity");
    expect(everything.permission_set.permissions).not.toContain("administer");
  });

  test("the role Admin has everything, and comes with others", async () => {
    const { get } = await reading({ admin: true, roles: [SALES] });
    const [admin, sales] = await get("/users/8/roles");
    expect(admin).toMatchObject({
      name: "Admin",
      permission_set: { all_access: true, built_in: true, name: "Admin" },
      model_set: { all_access: true },
    });
    expect(admin.permission_set.permissions).toContain("administer");
    expect(sales.name).toBe("Sales");
    expect(await get("/users/1/roles")).toEqual([admin]);
  });

  test("several roles give the permissions of all", async () => {
    const looks = { name: "Looks", permissions: ["see_looks"], models: [] } as const;
    const { looker, token } = await reading({ roles: [SALES, looks] });
    const statusOf = async (path: string) => (await call(looker, `GET /api/4.0${path}`, token)).status;
    expect([await statusOf("/folders"), await statusOf("/looks"), await statusOf("/projects")]).toEqual([
      200, 200, 404,
    ]);
  });

  test("a changed user has other rights with the token that it holds", async () => {
    const { looker, token, get } = await reading({ roles: [SALES] });
    expect((await call(looker, "GET /api/4.0/users/1", token)).status).toBe(404);
    expect(looker.control.changeUser("8", { permissions: ["see_users"], models: ["finance"] })).toBe(true);
    expect(await get("/users/8/roles")).toMatchObject([
      { permission_set: { permissions: ["see_users"] }, model_set: { models: ["finance"] } },
    ]);
    expect((await call(looker, "GET /api/4.0/users/1", token)).status).toBe(200);
    looker.control.changeUser("8", { admin: true });
    expect((await call(looker, "POST /api/4.0/login/7", token)).status).toBe(200);
    expect(looker.control.changeUser("99", { admin: true })).toBe(false);
  });
});

test("a disabled user logs in no more, and says so with a token from before", async () => {
  const { looker, get } = await reading({});
  looker.control.changeUser("8", { disabled: true });
  expect(await get("/user")).toMatchObject({ is_disabled: true });
  expect(await tryLogin(looker, other)).toMatchObject({ status: 404, body: NOT_FOUND });
  expect(looker.ledger().at(-1)).toMatchObject({ event: "login_failed", clientId: "other" });
});
