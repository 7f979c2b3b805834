import { describe, expect, test } from "vitest";
import type { RunningLooker } from "../../../../local/looker/server.ts";
import {
  ADMIN,
  call,
  FORBIDDEN,
  login,
  lookerUnderTest,
  NOT_FOUND,
  READER,
  tryLogin,
} from "./looker-client.ts";

const PAIRS = "/api/4.0/users/7/credentials_api3";

/** Calls of one account, with the JSON of each answer. */
async function caller(looker: RunningLooker, who = ADMIN) {
  const token = `token ${await login(looker, who)}`;
  return async (route: string, init: RequestInit = {}) => {
    const { status, body } = await call(looker, route, token, init);
    return { status, json: body === "" ? undefined : JSON.parse(body) };
  };
}

const secretOf = ({ client_id: clientId, client_secret: clientSecret }: Record<string, string>) => ({
  clientId: String(clientId),
  clientSecret: String(clientSecret),
});

const changes = (id: string) => [`POST ${PAIRS}`, `PATCH ${PAIRS}/${id}`, `DELETE ${PAIRS}/${id}`];

describe("a pair's life", () => {
  test("an admin makes, marks and deletes it, and the ledger tells each without the secret", async () => {
    const looker = await lookerUnderTest();
    const admin = await caller(looker);
    const { status, json: made } = await admin(`POST ${PAIRS}`);
    expect(status).toBe(200);
    expect(made).toEqual({
      can: {},
      id: expect.stringMatching(/^\d+$/),
      client_id: expect.stringMatching(/^\w{20}$/),
      client_secret: expect.stringMatching(/^\w{24}$/),
      created_at: "2023-11-14T22:13:20.000+00:00",
      is_disabled: false,
      type: "api3",
      purpose: null,
      url: `${looker.url}${PAIRS}/${made.id}`,
    });
    const body = JSON.stringify({ purpose: "rotation" });
    const { client_secret: _, ...shown } = { ...made, purpose: "rotation" };
    expect(await admin(`PATCH ${PAIRS}/${made.id}`, { body })).toEqual({ status: 200, json: shown });
    expect((await admin(`GET ${PAIRS}/${made.id}`)).json).toEqual(shown);
    expect((await admin(`GET ${PAIRS}`)).json).toEqual([
      expect.objectContaining({ client_id: "reader" }),
      shown,
    ]);
    expect(await admin(`DELETE ${PAIRS}/${made.id}`)).toEqual({ status: 204, json: undefined });
    expect((await admin(`DELETE ${PAIRS}/${made.id}`)).status).toBe(404);

    const pair = { id: made.id, clientId: made.client_id, userId: "7" };
    expect(looker.ledger().filter((entry) => entry.pair !== undefined)).toMatchObject(
      ["pair_created", "pair_marked", "pair_deleted"].map((event) => ({ event, pair, userId: "1" })),
    );
    expect(JSON.stringify([looker.ledger(), looker.control.pairs()])).not.toContain(made.client_secret);
  });

  test("a new pair works next to the old one, until it is deleted", async () => {
    const looker = await lookerUnderTest();
    const admin = await caller(looker);
    const { json: made } = await admin(`POST ${PAIRS}`);
    const pair = secretOf(made);
    expect([(await tryLogin(looker)).status, (await tryLogin(looker, pair)).status]).toEqual([200, 200]);
    await admin(`DELETE ${PAIRS}/${made.id}`);
    expect([(await tryLogin(looker)).status, (await tryLogin(looker, pair)).status]).toEqual([200, 404]);
    expect(looker.control.pairs().map(({ clientId }) => clientId)).toEqual(["reader", "admin"]);
  });

  test("no id and no client id comes back after a deletion", async () => {
    const looker = await lookerUnderTest();
    const admin = await caller(looker);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { json: made } = await admin(`POST ${PAIRS}`);
      await admin(`DELETE ${PAIRS}/${made.id}`);
      ids.push(made.id, made.client_id);
    }
    expect(new Set(ids)).toHaveLength(6);
    await admin(`DELETE ${PAIRS}/1`);
    const again = () => looker.addAccount({ userId: "9", displayName: "X", credentials: [READER] });
    expect(again).toThrow("already in use");
  });

  test("logins with a deleted pair count for a lock-out, as those of an unknown client do", async () => {
    const looker = await lookerUnderTest();
    const admin = await caller(looker);
    await admin(`DELETE ${PAIRS}/1`);
    for (let i = 0; i < 4; i++)
      expect(await tryLogin(looker)).toMatchObject({ status: 404, body: NOT_FOUND });
    await tryLogin(looker);
    expect(looker.ledger().map(({ event }) => event)).toEqual([
      "login",
      "pair_deleted",
      ...Array(4).fill("login_failed"),
      "login_locked_out",
    ]);
    expect((await admin("GET /api/4.0/user_login_lockouts")).json).toMatchObject([
      { remote_id: "reader", user_id: null },
    ]);
  });

  test("a pair's creation has the stand-in's time, or the one that its account names", async () => {
    const looker = await lookerUnderTest();
    looker.addAccount({
      userId: "9",
      displayName: "Old",
      credentials: [{ clientId: "old", clientSecret: "s", createdAt: 0, purpose: "by hand" }],
    });
    looker.control.advanceClock(1_000);
    const admin = await caller(looker);
    await admin("POST /api/4.0/users/9/credentials_api3");
    const { json } = await admin("GET /api/4.0/users/9/credentials_api3?fields=created_at,purpose");
    expect(json).toEqual([
      { created_at: "1970-01-01T00:00:00.000+00:00", purpose: "by hand" },
      { created_at: "2023-11-14T22:13:21.000+00:00", purpose: null },
    ]);
  });
});

describe("PATCH writes the purpose alone", () => {
  test.each([
    ['{"purpose":null}', 200, null],
    ['{"id":"99","client_id":"x","is_disabled":true,"created_at":"x"}', 200, "first"],
    ['{"purpose":7}', 422, "first"],
    ['{"client_secret":"chosen"}', 422, "first"],
    ['["purpose"]', 400, "first"],
    ["{", 400, "first"],
  ])("%s is a %i", async (body, status, purpose) => {
    const looker = await lookerUnderTest();
    const admin = await caller(looker);
    await admin(`PATCH ${PAIRS}/1`, { body: '{"purpose":"first"}' });
    expect((await admin(`PATCH ${PAIRS}/1`, { body })).status).toBe(status);
    expect((await admin(`GET ${PAIRS}/1`)).json).toMatchObject({
      id: "1",
      client_id: "reader",
      is_disabled: false,
      purpose,
    });
    expect((await tryLogin(looker)).status).toBe(200);
  });
});

describe("an account without the right changes no pair", () => {
  test.each([404, 403] as const)("of its own: %i", async (status) => {
    const looker = await lookerUnderTest();
    looker.control.changeSettings({ pairRefusalStatus: status });
    const reader = await caller(looker, READER);
    for (const route of changes("1")) expect((await reader(route, { body: "{}" })).status).toBe(status);
    expect((await reader(`GET ${PAIRS}`)).json).toMatchObject([{ id: "1", purpose: null }]);
    expect((await tryLogin(looker)).status).toBe(200);
  });

  test("of another, known or not, and does not see it either", async () => {
    const looker = await lookerUnderTest();
    looker.control.changeSettings({ ownPairsByApi: true });
    looker.control.changeUser("7", { canManageCredentials: true });
    const token = `token ${await login(looker, READER)}`;
    for (const userId of ["1", "42", "99"])
      for (const route of ["GET", "POST"].map(
        (method) => `${method} /api/4.0/users/${userId}/credentials_api3`,
      ))
        expect(await call(looker, route, token)).toMatchObject({ status: 404, body: NOT_FOUND });
    // Pair 2 is the admin's. Its id under one's own user is no way in.
    for (const route of [...changes("2").slice(1), `GET ${PAIRS}/2`])
      expect((await call(looker, route, token, route.startsWith("PATCH") ? { body: "{}" } : {})).status).toBe(
        404,
      );
    looker.control.changeSettings({ pairRefusalStatus: 403 });
    expect(await call(looker, "POST /api/4.0/users/1/credentials_api3", token)).toMatchObject({
      status: 403,
      body: FORBIDDEN,
    });
    expect(looker.control.pairs()).toHaveLength(2);
  });

  test.each([
    [false, true, 404],
    [true, false, 404],
    [true, true, 200],
  ])("of its own: can_manage_api3_creds %s, accepted by the API %s: %i", async (can, byApi, status) => {
    const looker = await lookerUnderTest();
    looker.control.changeSettings({ ownPairsByApi: byApi });
    looker.control.changeUser("7", { canManageCredentials: can });
    const reader = await caller(looker, READER);
    expect((await reader(`POST ${PAIRS}`)).status).toBe(status);
    expect((await reader(`PATCH ${PAIRS}/1`, { body: "{}" })).status).toBe(status);
  });

  test("an admin learns that a user or a pair is unknown", async () => {
    const looker = await lookerUnderTest();
    looker.control.changeSettings({ pairRefusalStatus: 403 });
    const admin = await caller(looker);
    for (const route of ["POST /api/4.0/users/99/credentials_api3", ...changes("99").slice(1)])
      expect((await admin(route, { body: "{}" })).status).toBe(404);
  });
});

test.each([
  [422, "Validation Failed"],
  [409, "Conflict"],
] as const)("beyond the maximum of pairs a user gets a %i, and no pair", async (status, message) => {
  const looker = await lookerUnderTest();
  looker.control.changeSettings({ maxPairsPerUser: 2, tooManyPairsStatus: status });
  const admin = await caller(looker);
  expect((await admin(`POST ${PAIRS}`)).status).toBe(200);
  expect(await admin(`POST ${PAIRS}`)).toMatchObject({ status, json: { message } });
  expect((await admin(`GET ${PAIRS}`)).json).toHaveLength(2);
  await admin(`DELETE ${PAIRS}/1`);
  expect((await admin(`POST ${PAIRS}`)).status).toBe(200);
});

describe("the tokens of a deleted pair", () => {
  test.each([
    ["live", 200, 204, 401],
    ["ended", 401, 404, 401],
    ["live_without_logout", 200, 404, 200],
  ] as const)(
    "%s: GET /user %i, logout %i, GET /user again %i",
    async (tokensOfDeletedPairs, ...statuses) => {
      const looker = await lookerUnderTest();
      looker.control.changeSettings({ tokensOfDeletedPairs });
      const [reader, admin] = [await caller(looker, READER), await caller(looker)];
      await admin(`DELETE ${PAIRS}/1`);
      const seen: number[] = [];
      for (const route of ["GET /api/4.0/user", "DELETE /api/4.0/logout", "GET /api/4.0/user"])
        seen.push((await reader(route)).status);
      expect(seen).toEqual(statuses);
      expect((await admin("DELETE /api/4.0/logout")).status).toBe(204);
    },
  );
});
