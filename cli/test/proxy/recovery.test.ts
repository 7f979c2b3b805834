import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { plantedToken, problem, tokenReply } from "../../../test/support/broker-replies.ts";
import { bearer, bodyOf, startStand } from "./stand.ts";

/** A Looker whose API sessions are as the real ones: each token has its own workspace, and may be dead. */
function statefulLooker() {
  const dead = new Set<string>();
  const workspaces = new Map<string, string>();
  const asked: string[] = [];
  let refusesWorkspaces = false;
  return {
    asked,
    kill: (lease: string) => void dead.add(plantedToken(lease)),
    refuseWorkspaces: () => {
      refusesWorkspaces = true;
    },
    async handler(...[request, response]: Parameters<import("./stand.ts").LookerHandler>) {
      const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
      const lease = token.slice(plantedToken("").length);
      const { method, url } = request;
      if (dead.has(token)) {
        asked.push(`${method} ${url} ${lease}: 401`);
        // As Looker may, before it has read the body.
        return void response.writeHead(401).end(JSON.stringify({ message: "Requires authentication." }));
      }
      const body = await bodyOf(request);
      if (method === "PATCH" && url?.endsWith("/session")) {
        if (refusesWorkspaces) return void response.writeHead(422).end("{}");
        workspaces.set(token, JSON.parse(body.toString()).workspace_id);
      }
      const workspace = workspaces.get(token) ?? "production";
      asked.push(`${method} ${url} ${lease}: ${workspace}`);
      response.end(JSON.stringify({ workspace_id: workspace, length: body.length }));
    },
  };
}

const choose = (workspace: string, token: string) => ({
  method: "PATCH",
  headers: { ...bearer(token), "content-type": "application/json" },
  body: JSON.stringify({ workspace_id: workspace }),
});

describe("a token refused by Looker", () => {
  it("is replaced, and the request sent again with its body", async () => {
    const looker = statefulLooker();
    const { send, login, asked } = await startStand({ looker: looker.handler });
    const token = await login();
    looker.kill("lease-1");
    const answer = await send("/api/4.0/x", { method: "POST", headers: bearer(token), body: "some words" });
    expect([answer.status, JSON.parse(answer.text).length]).toEqual([200, 10]);
    expect(looker.asked).toEqual(["POST /api/4.0/x lease-1: 401", "POST /api/4.0/x lease-2: production"]);
    expect(asked().at(-1)).toMatchObject({ stale_lease_id: "lease-1" });
    // The local token goes on as if nothing had been.
    expect((await send("/api/4.0/x", { headers: bearer(token) })).status).toBe(200);
  });

  it("is replaced once for many requests", async () => {
    const looker = statefulLooker();
    const { send, login, asked } = await startStand({ looker: looker.handler });
    const headers = bearer(await login());
    looker.kill("lease-1");
    const answers = await Promise.all(Array.from({ length: 10 }, () => send("/api/4.0/x", { headers })));
    expect([new Set(answers.map(({ status }) => status)), asked().length]).toEqual([new Set([200]), 2]);
  });

  it("under a body too large to keep gives 401, and the next request has the new token", async () => {
    const looker = statefulLooker();
    const { send, login } = await startStand({ looker: looker.handler });
    const headers = bearer(await login());
    looker.kill("lease-1");
    const upload = () =>
      send("/api/4.0/x", { method: "POST", headers, body: randomBytes(1_500_000) }).catch(() => undefined);
    const first = await upload();
    if (first)
      expect([first.status, JSON.parse(first.text).message]).toEqual([401, "Requires authentication."]);
    expect((await upload())?.status).toBe(200);
  });

  it("and its successor refused as well give the tool a 401", async () => {
    const looker = statefulLooker();
    const { send, login } = await startStand({ looker: looker.handler });
    const token = await login();
    looker.kill("lease-1");
    looker.kill("lease-2");
    const { status, text } = await send("/api/4.0/x", { headers: bearer(token) });
    expect([status, JSON.parse(text)]).toEqual([401, { message: "Requires authentication." }]);
    expect(looker.asked).toHaveLength(2);
  });

  it("without a replacement by the broker gives the broker's refusal", async () => {
    const looker = statefulLooker();
    let isFrozen = false;
    const stand = await startStand({
      looker: looker.handler,
      broker: () => (isFrozen ? problem(403, "scope_frozen") : tokenReply("lease-1", 900, stand.lookerUrl)),
    });
    const token = await stand.login();
    looker.kill("lease-1");
    isFrozen = true;
    const { status, text } = await stand.send("/api/4.0/x", { headers: bearer(token) });
    expect([status, JSON.parse(text).message]).toEqual([
      403,
      expect.stringMatching(/^An operator has frozen the scope\./),
    ]);
  });
});

describe("a workspace", () => {
  it("chosen by a tool is for its login alone, on a token of its own", async () => {
    const looker = statefulLooker();
    const { send, login, asked, proxy } = await startStand({ looker: looker.handler, session: "exec-1" });
    const [developing, reading] = [await login(), await login()];
    const chosen = await send("/api/4.0/session", choose("dev", developing));
    expect([chosen.status, JSON.parse(chosen.text).workspace_id]).toEqual([200, "dev"]);
    await send("/api/4.0/x", { headers: bearer(developing) });
    await send("/api/4.0/x", { headers: bearer(reading) });
    await send("/api/4.0/x", { headers: bearer(await login()) });
    expect(looker.asked).toEqual([
      "PATCH /api/4.0/session lease-2: dev",
      "GET /api/4.0/x lease-2: dev",
      "GET /api/4.0/x lease-1: production",
      "GET /api/4.0/x lease-1: production",
    ]);
    expect(asked()).toMatchObject([{ session: "exec-1" }, { session: "exec-1.dev" }]);
    expect(proxy.sessions).toEqual(["exec-1", "exec-1.dev"]);
  });

  it("of a run on the shared token takes a session, and leaves the shared token alone", async () => {
    const looker = statefulLooker();
    const { send, login, asked, proxy } = await startStand({ looker: looker.handler });
    const token = await login();
    await send("/api/4.0/session", choose("dev", token));
    expect(asked()).toEqual([{ min_ttl_seconds: 60 }, { min_ttl_seconds: 60, session: "exec-1.dev" }]);
    expect(proxy.sessions).toEqual(["exec-1.dev"]);
  });

  it("is chosen again before the request, once, when its token was replaced", async () => {
    const looker = statefulLooker();
    const { send, login } = await startStand({ looker: looker.handler });
    const token = await login();
    await send("/api/4.0/session", choose("dev", token));
    looker.kill("lease-2");
    const headers = bearer(token);
    const answers = await Promise.all([
      send("/api/4.0/x", { headers }),
      send("/api/4.0/x", { headers }),
      send("/api/4.0/x", { headers }),
    ]);
    expect(answers.map(({ text }) => JSON.parse(text).workspace_id)).toEqual(["dev", "dev", "dev"]);
    expect(looker.asked.filter((line) => line.includes("lease-3"))).toEqual([
      "PATCH /api/4.0/session lease-3: dev",
      "GET /api/4.0/x lease-3: dev",
      "GET /api/4.0/x lease-3: dev",
      "GET /api/4.0/x lease-3: dev",
    ]);
  });

  it("not to be chosen again lets no request run in another one", async () => {
    const looker = statefulLooker();
    const { send, login, notes } = await startStand({ looker: looker.handler });
    const token = await login();
    await send("/api/4.0/session", choose("dev", token));
    looker.kill("lease-2");
    looker.refuseWorkspaces();
    const { status } = await send("/api/4.0/x", { headers: bearer(token) });
    expect([status, notes]).toEqual([
      502,
      ["Looker did not choose the workspace dev again for a new token (status 422)."],
    ]);
    expect(looker.asked.filter((line) => line.includes("/x lease-3"))).toEqual([]);
  });

  it("refused by Looker stays unchosen", async () => {
    const looker = statefulLooker();
    looker.refuseWorkspaces();
    const { send, login } = await startStand({ looker: looker.handler });
    const token = await login();
    expect((await send("/api/4.0/session", choose("dev", token))).status).toBe(422);
    await send("/api/4.0/x", { headers: bearer(token) });
    expect(looker.asked).toEqual(["GET /api/4.0/x lease-1: production"]);
  });

  it("goes back to production on the first token", async () => {
    const looker = statefulLooker();
    const { send, login } = await startStand({ looker: looker.handler });
    const token = await login();
    await send("/api/4.0/session", choose("dev", token));
    await send("/api/4.0/session", choose("production", token));
    await send("/api/4.0/x", { headers: bearer(token) });
    expect(looker.asked.slice(1)).toEqual([
      "PATCH /api/4.0/session lease-1: production",
      "GET /api/4.0/x lease-1: production",
    ]);
  });

  it.each(["{", "[]", '{"workspace_id": 5}', '{"workspace_id": "a/b"}', '{"workspace_id": ""}'])(
    "in a body such as %s is a validation error, and reaches nobody",
    async (body) => {
      const looker = statefulLooker();
      const { send, login } = await startStand({ looker: looker.handler });
      const options = { method: "PATCH", headers: bearer(await login()), body };
      expect((await send("/api/4.0/session", options)).status).toBe(422);
      expect(looker.asked).toEqual([]);
    },
  );
});
