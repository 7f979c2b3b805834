import { describe, expect, it } from "vitest";
import { problem } from "../../../test/support/broker-replies.ts";
import { bearer, form, startStand } from "./stand.ts";

const notFound = { message: "Not found", documentation_url: "http://docs.looker.com/" };

describe("a login", () => {
  it.each([
    "/login",
    "/api/login",
    "/api//login",
    "/api/3.0/login",
    "/api/3.1/login",
    "/api/4.0/login",
    "//api///4.0//login/",
  ])("at %s is answered with a local token, and the rest of the lease's life", async (path) => {
    const { send, pair } = await startStand();
    const body = `client_id=${pair.id}&client_secret=${pair.secret}`;
    const { status, text, headers } = await send(path, { method: "POST", headers: form, body });
    expect([status, headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(JSON.parse(text)).toEqual({
      access_token: expect.stringMatching(/^[0-9a-f]{40}$/),
      token_type: "Bearer",
      expires_in: expect.toSatisfy((seconds: number) => seconds > 890 && seconds <= 900),
      refresh_token: null,
    });
  });

  it("may send its pair as a form, as JSON, or in the query", async () => {
    const { send, pair } = await startStand();
    const fields = { client_id: pair.id, client_secret: pair.secret };
    const query = new URLSearchParams(fields).toString();
    const json = { "content-type": "application/json" };
    const answers = await Promise.all([
      send("/api/4.0/login", { method: "POST", headers: form, body: query }),
      send("/api/4.0/login", { method: "POST", headers: json, body: JSON.stringify(fields) }),
      send(`/api/4.0/login?${query}`, { method: "POST" }),
      send("/api/4.0/login", { method: "POST", body: query }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it("asks the broker once for many logins, and each has a token of its own", async () => {
    const { login, asked } = await startStand();
    const tokens = await Promise.all([login(), login(), login()]);
    expect([new Set(tokens).size, asked().length]).toEqual([3, 1]);
  });

  it("with another pair is answered as Looker does, and asks nobody", async () => {
    const { send, pair, broker } = await startStand();
    const wrong = [
      "",
      "client_id=x&client_secret=y",
      `client_id=${pair.id}`,
      `client_id=${pair.id}&client_secret=${pair.secret.slice(1)}`,
      `client_id=${pair.id}&client_secret=${pair.secret}0`,
      `client_secret=${pair.secret}`,
    ];
    for (const body of wrong) {
      const { status, text } = await send("/api/4.0/login", { method: "POST", headers: form, body });
      expect([status, JSON.parse(text)]).toEqual([404, notFound]);
    }
    expect(broker.asked).toEqual([]);
  });

  it("by another method, or with a body that is none, is Looker's 404", async () => {
    const { send } = await startStand();
    const json = { "content-type": "application/json" };
    expect((await send("/api/4.0/login")).status).toBe(404);
    for (const body of ["{", "null", "[1]", '{"client_id": {}}'])
      expect((await send("/login", { method: "POST", headers: json, body })).status).toBe(404);
    const huge = "x".repeat(20_000);
    expect((await send("/login", { method: "POST", headers: json, body: huge })).status).toBe(413);
  });

  it("without a broker says so, which no tool takes for a wrong pair", async () => {
    const { send, pair, notes } = await startStand({ broker: () => problem(403, "scope_frozen") });
    const body = `client_id=${pair.id}&client_secret=${pair.secret}`;
    const { status, text } = await send("/api/4.0/login", { method: "POST", headers: form, body });
    expect([status, JSON.parse(text).message]).toEqual([
      403,
      "An operator has frozen the scope. Ask the scope's operators: `looker-token leases` shows them why.",
    ]);
    expect(notes).toEqual([JSON.parse(text).message]);
  });
});

describe("a logout", () => {
  it.each(["/logout", "/api/logout", "/api/4.0/logout", "/api/4.0//logout", "/api/3.1/logout"])(
    "at %s forgets the local token alone",
    async (path) => {
      const paths: unknown[] = [];
      const { send, login, broker } = await startStand({
        looker(request, response) {
          paths.push(request.url);
          response.end("{}");
        },
      });
      const [mine, another] = [await login(), await login()];
      const answer = await send(path, { method: "DELETE", headers: { authorization: `token ${mine}` } });
      expect([answer.status, answer.text]).toEqual([204, ""]);
      expect((await send("/api/4.0/user", { headers: bearer(mine) })).status).toBe(401);
      expect((await send("/api/4.0/user", { headers: bearer(another) })).status).toBe(200);
      expect([paths, broker.asked.length]).toEqual([["/api/4.0/user"], 1]);
    },
  );

  it("of a token that is dead, or none, is Looker's 404", async () => {
    const { send, login } = await startStand();
    const token = await login();
    const options = { method: "DELETE", headers: bearer(token) };
    await send("/api/logout", options);
    const again = await send("/api/logout", options);
    expect([again.status, JSON.parse(again.text)]).toEqual([404, notFound]);
    expect((await send("/api/logout", { method: "DELETE" })).status).toBe(404);
  });
});
