/** The broker's requests to Looker compared with Looker's OpenAPI document. */
import { describe, expect, onTestFinished, test } from "vitest";
import { lookerApi } from "../../../functions/adapters/looker-api.ts";
import { type Asked, FakeServer, type Reply } from "../../support/fake-server.ts";
import { virtualClock } from "../../support/fakes/virtual-clock.ts";
import { hasLookerDocument, readLookerDocument } from "../../support/openapi/looker-document.ts";

const timeouts = { loginMs: 10_000, logoutMs: 10_000, userMs: 10_000 };
const token = "a-token-of-the-reader";
const gone: Reply = {
  status: 404,
  body: { message: "Not found", documentation_url: "http://docs.looker.com/" },
};

/** The adapter, with a server that records its requests. */
async function recorded(reply: Reply) {
  const server = await FakeServer.start(() => reply);
  onTestFinished(() => server.stop());
  return { api: lookerApi(timeouts, virtualClock()), server };
}

/** Differences between a request and the document. Empty if there are none. */
function violations({ method, path, headers, text }: Asked): string[] {
  const { pathname, searchParams } = new URL(path, "http://looker.example");
  const operation = readLookerDocument().operations.get(`${method} ${pathname.replace(/^\/api\/4\.0/, "")}`);
  if (operation === undefined) return [`${method} ${pathname} is not documented`];
  const { parameters = [], requestBody } = operation;
  const types = Object.keys(requestBody?.content ?? {});
  const type = headers["content-type"];
  const hasType = type === undefined ? text === "" : types.includes(type);
  const queryNames = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
  // A form names its fields as the query does. The document has no schema for the form.
  const names = [...searchParams.keys(), ...new URLSearchParams(text).keys()];
  return [
    ...(hasType ? [] : [`content type ${type} is not documented`]),
    ...names.filter((name) => !queryNames.includes(name)).map((name) => `${name} is not documented`),
    // Documented still, and in every access log.
    ...[...searchParams.keys()].map((name) => `${name} is in the query`),
  ];
}

describe.runIf(hasLookerDocument)("the broker's requests are in Looker's document", () => {
  test("login: a form, with no token and nothing in the query", async () => {
    const { api, server } = await recorded(gone);
    await api.login(server.url, { clientId: "reader", clientSecret: "s+c/r&t=" });
    expect(server.asked).toHaveLength(1);
    const [asked] = server.asked as [Asked];
    expect(asked).toMatchObject({ method: "POST", path: "/api/4.0/login" });
    expect(violations(asked)).toEqual([]);
    expect(asked.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(asked.text))).toEqual({
      client_id: "reader",
      client_secret: "s+c/r&t=",
    });
  });

  test("logout, and the proof of it: the token in the header, no body", async () => {
    const { api, server } = await recorded(gone);
    await api.logout(server.url, token);
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "DELETE /api/4.0/logout",
      "GET /api/4.0/user",
    ]);
    for (const asked of server.asked) {
      expect(violations(asked)).toEqual([]);
      expect(asked).toMatchObject({ headers: { authorization: `Bearer ${token}` }, text: "" });
    }
  });
});
