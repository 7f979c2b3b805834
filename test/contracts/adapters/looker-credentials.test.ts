import { expect, it } from "vitest";
import { lookerPairs } from "../../../functions/adapters/looker-credentials.ts";
import { lookerHttp } from "../../../functions/adapters/looker-http.ts";
import { canary } from "../../support/canary.ts";
import {
  impatient,
  jsonSays,
  listening,
  lookerSays,
  onRequest,
  proxySays,
  startServer,
} from "./looker-under-test.ts";

const pairs = (timeoutMs = 10_000) => lookerPairs(lookerHttp(), timeoutMs);
const token = "a-token-of-an-administrator";
const path = "/api/4.0/users/7/credentials_api3";
const pair = { id: "12", client_id: "client-12", created_at: "2026-11-28T10:00:00.000Z", is_disabled: false };
const read = { id: "12", clientId: "client-12", createdAt: Date.UTC(2026, 10, 28, 10), isDisabled: false };

it("the owner of a client id is asked for by the client id", async () => {
  const { url, received } = await startServer({
    "GET /api/4.0/users/credential/api3/client%2F12?fields=id,display_name,is_disabled": jsonSays(200, {
      ...{ id: "7", display_name: "Sales reports", is_disabled: false },
    }),
  });
  expect(await pairs().ownerOf(url, token, "client/12")).toEqual({
    kind: "ok",
    value: { id: "7", displayName: "Sales reports", isDisabled: false },
  });
  expect(received).toMatchObject([{ headers: { authorization: `Bearer ${token}` }, body: "" }]);
});

it("pairs are listed without their secrets", async () => {
  const { url } = await startServer({
    [`GET ${path}`]: jsonSays(200, [{ ...pair, client_secret: canary.clientSecret, purpose: "by hand" }]),
  });
  expect(await pairs().list(url, token, "7")).toEqual({
    kind: "ok",
    value: [{ ...read, purpose: "by hand" }],
  });
});

it("a new pair comes with its secret, from a request without a body", async () => {
  const { url, received } = await startServer({
    [`POST ${path}`]: jsonSays(200, { ...pair, client_secret: canary.clientSecret }),
  });
  expect(await pairs().create(url, token, "7")).toEqual({
    kind: "ok",
    value: { ...read, clientSecret: canary.clientSecret },
  });
  expect(received).toMatchObject([{ method: "POST", body: "", headers: { "content-length": "0" } }]);
});

it.each([
  ["without a secret", jsonSays(200, pair), { kind: "unknown", reason: "shape" }],
  ["that is a page", proxySays(200), { kind: "unknown", reason: "shape" }],
  ["of an error behind Looker's work", proxySays(500), { kind: "unknown", reason: "status_500" }],
  ["of a proxy that withholds the secret", proxySays(403), { kind: "unknown", reason: "status_403" }],
  ["of a proxy that gave up", proxySays(504), { kind: "unknown", reason: "status_504" }],
  ["that refuses the account", lookerSays(404), { kind: "refused", status: 404 }],
  ["that refuses one pair more", lookerSays(422), { kind: "refused", status: 422 }],
  ["that asks for less", lookerSays(429), { kind: "failed", reason: "status_429" }],
])("an answer to a creation %s is told apart", async (_, said, told) => {
  const { url } = await startServer({ [`POST ${path}`]: said });
  expect(await pairs().create(url, token, "7")).toEqual(told);
});

it("a creation is sent once, even if its connection breaks", async () => {
  let requests = 0;
  const port = await listening(
    onRequest((socket) => {
      requests++;
      socket.destroy();
    }),
  );
  const { kind } = await pairs().create(`http://127.0.0.1:${port}`, token, "7");
  expect({ kind, requests }).toEqual({ kind: "unknown", requests: 1 });
});

it("a creation without an answer in time is unknown", async () => {
  const port = await listening(onRequest(() => {}));
  expect(await pairs(impatient.userMs).create(`http://127.0.0.1:${port}`, token, "7")).toEqual({
    ...{ kind: "unknown", reason: "timeout" },
  });
});

it("a mark is the purpose alone", async () => {
  const purpose = "looker-token-broker Broker arn:aws:secretsmanager:x version";
  const { url, received } = await startServer({
    [`PATCH ${path}/12`]: () => jsonSays(200, { ...pair, purpose }),
  });
  const marked = await pairs().mark(url, token, { userId: "7", pairId: "12", purpose });
  expect(marked).toEqual({ kind: "ok", value: { ...read, purpose } });
  expect(JSON.parse(received[0]?.body ?? "")).toEqual({ purpose });
});

it.each([
  ["Looker's 204", { status: 204 }, { kind: "ok", value: undefined }],
  ["Looker's 404", lookerSays(404), { kind: "refused", status: 404 }],
  ["a proxy's 404, which proves nothing", proxySays(404), { kind: "failed", reason: "status_404" }],
  ["a page, which proves nothing", proxySays(200), { kind: "failed", reason: "shape" }],
])("a deletion answered by %s", async (_, said, told) => {
  const { url } = await startServer({ [`DELETE ${path}/12`]: said });
  expect(await pairs().remove(url, token, { userId: "7", pairId: "12" })).toEqual(told);
});

it("no token is sent in the clear", async () => {
  const unreached = { kind: "failed", reason: "not_https" };
  expect(await pairs().list("http://looker.example", token, "7")).toEqual(unreached);
  expect(await pairs().create("http://looker.example", token, "7")).toEqual(unreached);
});
