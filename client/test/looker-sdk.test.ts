import { Looker40SDK } from "@looker/sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { plantedToken, problem, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import { type Answering, type Asked, FakeServer, type Reply } from "../../test/support/fake-server.ts";
import { TokenBrokerError } from "../src/errors/token-broker-error.ts";
import { lookerSession, type TokenSource } from "../src/looker-sdk.ts";
import { type ClientStand, clientStand, credentials, gate, stopStands, until } from "./stand.ts";

let looker: FakeServer;
let stand: ClientStand;
/** Leases that Looker refuses. */
const dead = new Set<string>();

const user: Answering = ({ headers }) => {
  const lease = headers.authorization?.slice(plantedToken("").length + "Bearer ".length) ?? "";
  if (!lease || dead.has(lease))
    return { status: 401, body: { message: "Requires authentication.", documentation_url: "" } };
  return { status: 200, body: { id: lease } };
};

beforeEach(async () => {
  dead.clear();
  looker = await FakeServer.start(user);
  let leases = 0;
  stand = await clientStand(({ path }) =>
    path.endsWith("/logout")
      ? { status: 202, body: { revoked: 1, pending: 1 } }
      : tokenReply(`lease-${++leases}`, 900, looker.url),
  );
});
afterEach(async () => {
  await looker.stop();
  await stopStands();
});

const fakeToken = () => ({
  accessToken: plantedToken("fake"),
  baseUrl: looker.url,
  expiresAt: new Date(Date.now() + 900_000),
});
const fakeSource = (): TokenSource => ({
  hasToken: true,
  token: async () => fakeToken(),
  withToken: async (use) => use(fakeToken()),
  logout: async () => ({ pending: 0 }),
});

const newSdk = (settings?: Parameters<typeof lookerSession>[1]) => {
  const session = lookerSession(stand.client, settings);
  return { session, sdk: new Looker40SDK(session) };
};

describe("new Looker40SDK(lookerSession(client))", () => {
  it("calls the Looker that the broker's answer names", async () => {
    const { sdk, session } = newSdk();
    expect((await sdk.ok(sdk.me())).id).toBe("lease-1");
    expect(looker.asked[0]?.path).toBe("/api/4.0/user");
    expect(session.settings.base_url).toBe(looker.url);
  });

  it("made after the first token calls the same", async () => {
    const { session } = newSdk();
    await session.getToken();
    const late = new Looker40SDK(session);
    expect((await late.ok(late.me())).id).toBe("lease-1");
    expect(looker.asked[0]?.path).toBe("/api/4.0/user");
  });

  it("asks the broker once for parallel cold calls", async () => {
    const { sdk } = newSdk();
    await Promise.all(Array.from({ length: 20 }, () => sdk.ok(sdk.me())));
    expect(stand.broker.asked.length).toBe(1);
  });

  it("recovers a 401 once, with the body sent again", async () => {
    const { sdk } = newSdk();
    dead.add("lease-1");
    await sdk.ok(sdk.create_query({ model: "m", view: "v" }));
    expect(looker.asked.map(({ method, text }) => [method, JSON.parse(text).model])).toEqual([
      ["POST", "m"],
      ["POST", "m"],
    ]);
    expect(stand.asked()[1]).toEqual({ min_ttl_seconds: 60, stale_lease_id: "lease-1" });
  });

  it("passes the second 401 on as Looker's error", async () => {
    const { sdk } = newSdk();
    dead.add("lease-1").add("lease-2");
    expect((await failure(sdk.ok(sdk.me()))).message).toBe("Requires authentication.");
    expect(looker.asked.length).toBe(2);
  });

  it("throws what the broker refuses, with its code", async () => {
    const { sdk } = newSdk();
    stand.broker.answering = () => problem(403, "scope_frozen");
    expect((await failure(sdk.ok(sdk.me()))).code).toBe("scope_frozen");
  });

  it("streams with a token, and recovers a 401 there too", async () => {
    const { sdk } = newSdk();
    dead.add("lease-1");
    const text = await sdk.authStream((response) => response.text(), "GET", "/user", { fields: "id" });
    expect(JSON.parse(text)).toEqual({ id: "lease-2" });
    expect(looker.asked.at(-1)?.path).toBe("/api/4.0/user?fields=id");
  });

  it("sends the token nowhere else", async () => {
    const { sdk } = newSdk();
    const elsewhere = await FakeServer.start(user);
    try {
      expect((await failure(sdk.ok(sdk.get(`${elsewhere.url}/user`)))).code).toBe("bad_request");
      expect((await failure(sdk.ok(sdk.get(`${looker.url}.example.com/user`)))).code).toBe("bad_request");
      expect(elsewhere.asked.length).toBe(0);
    } finally {
      await elsewhere.stop();
    }
  });

  it("follows when the scope moves to another Looker", async () => {
    const { sdk, session } = newSdk();
    await sdk.ok(sdk.me());
    const moved = await FakeServer.start(user);
    try {
      const sdkOfThen = new Looker40SDK(session);
      stand.broker.answering = () => tokenReply("lease-moved", 900, moved.url);
      dead.add("lease-1");
      expect((await sdkOfThen.ok(sdkOfThen.me())).id).toBe("lease-moved");
      expect((await sdk.ok(sdk.me())).id).toBe("lease-moved");
      expect(moved.asked.length).toBe(2);
    } finally {
      await moved.stop();
    }
  });
});

describe("lookerSession()", () => {
  it("takes what a service's test has in place of a client", async () => {
    const session = lookerSession(fakeSource());
    const sdk = new Looker40SDK(session);
    expect((await sdk.ok(sdk.me())).id).toBe("fake");
    expect(session.isAuthenticated()).toBe(true);
    expect(await session.logout()).toBe(true);
    expect(stand.broker.asked.length).toBe(0);
  });

  it("knows the refusals of a client from another copy of the package", async () => {
    vi.resetModules();
    const copy = await import("../src/token/token-broker-client.ts");
    const { TokenBrokerError: CopysError } = await import("../src/errors/token-broker-error.ts");
    expect(CopysError).not.toBe(TokenBrokerError);
    stand.broker.answering = () => problem(403, "scope_frozen");
    const client = new copy.TokenBrokerClient({
      endpoint: `${stand.broker.url}/v1`,
      scope: "sales",
      region: "eu-west-1",
      credentials,
    });
    const sdk = new Looker40SDK(lookerSession(client));
    const error = await failure(sdk.me());
    expect(error.code).toBe("scope_frozen");
    expect(error).toBeInstanceOf(TokenBrokerError);
    expect(new Error("scope_frozen")).not.toBeInstanceOf(TokenBrokerError);
  });
});

describe("ending and sudo", () => {
  it("logout() of the session asks the broker, and says whether Looker confirmed", async () => {
    const { session, sdk } = newSdk();
    await sdk.ok(sdk.me());
    expect(session.isAuthenticated()).toBe(true);
    expect(await session.logout()).toBe(false);
    expect(session.isAuthenticated()).toBe(false);
    expect(stand.broker.asked.at(-1)?.path).toBe("/v1/scopes/sales/logout");
  });

  it("logout() of the SDK asks the broker too, and not Looker", async () => {
    const { sdk } = newSdk();
    await sdk.ok(sdk.me());
    await sdk.ok(sdk.logout());
    expect(looker.asked.filter(({ method }: Asked) => method === "DELETE").length).toBe(0);
    expect(stand.broker.asked.at(-1)?.path).toBe("/v1/scopes/sales/logout");
  });

  it("login() as another user is refused, and says why", async () => {
    const { session } = newSdk();
    const error = await failure(session.login("42"));
    expect(error.code).toBe("sudo_unsupported");
    expect(error.hint).toContain("service account");
    expect(session.isSudo()).toBe(false);
    expect((await session.login()).access_token).toBe(plantedToken("lease-1"));
  });
});

describe("what Looker's SDK ignores", () => {
  it("time-out: a call that Looker does not answer fails in time", async () => {
    const { sdk } = newSdk();
    looker.answering = () => new Promise(() => {});
    const error = await failure(sdk.ok(sdk.me(undefined, { timeout: 0.1 })));
    expect(error.message).toBe("Looker gave no answer within 0.1 s.");
  });

  it("time-out: it counts while the broker is waited for, too", async () => {
    const { sdk } = newSdk();
    stand.broker.answering = () => new Promise(() => {});
    const error = await failure(sdk.ok(sdk.me(undefined, { timeout: 0.1 })));
    expect(error.code).toBe("timed_out");
    expect(error.summary).toBe("No token came within the call's time-out of 0.1 s.");
    expect(error.hint).toContain("timeout");
  });

  it("time-out: it is one for both attempts and what is between them", async () => {
    const recovering: TokenSource = {
      ...fakeSource(),
      async withToken(use, { signal } = {}) {
        await use(fakeToken());
        await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
        return use(fakeToken());
      },
    };
    const sdk = new Looker40SDK(lookerSession(recovering));
    const error = await failure(sdk.ok(sdk.me(undefined, { timeout: 0.1 })));
    expect(error.message).toBe("Looker gave no answer within 0.1 s.");
    expect(looker.asked.length).toBe(1);
  });

  it("time-out: it ends a wait between Looker's own tries", async () => {
    const { sdk } = newSdk();
    looker.answering = () => ({ status: 429, body: {} });
    const options = { timeout: 0.1, maxTries: 2, waitHandler: () => new Promise<never>(() => {}) };
    const error = await failure(sdk.ok(sdk.me(undefined, options)));
    expect(error.message).toBe("Looker gave no answer within 0.1 s.");
  });

  it("signal: a call stops when it aborts", async () => {
    const { sdk } = newSdk();
    looker.answering = () => new Promise(() => {});
    const controller = new AbortController();
    const call = failure(sdk.ok(sdk.me(undefined, { signal: controller.signal })));
    await until(() => looker.asked.length === 1);
    controller.abort(new Error("The visitor has left."));
    expect((await call).message).toBe("The visitor has left.");
  });

  it("signal: a wait for the broker stops too, and nobody else's", async () => {
    const { sdk } = newSdk();
    const opened = gate<Reply>();
    stand.broker.answering = () => opened.opened;
    const controller = new AbortController();
    const stopped = failure(sdk.ok(sdk.me(undefined, { signal: controller.signal })));
    const other = sdk.ok(sdk.me());
    await until(() => stand.broker.asked.length === 1);
    controller.abort();
    expect((await stopped).code).toBe("aborted");
    opened.open(tokenReply("lease-1", 900, looker.url));
    expect((await other).id).toBe("lease-1");
  });

  it("time-out: a stream may take longer than it once it has begun", async () => {
    const { sdk } = newSdk();
    const begun = await sdk.authStream(
      async (response) => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        return response.text();
      },
      "GET",
      "/user",
      undefined,
      undefined,
      { timeout: 0.15 },
    );
    expect(JSON.parse(begun)).toEqual({ id: "lease-1" });
  });

  it("its lines for debugging do not appear on the console", async () => {
    const { sdk } = newSdk();
    const debug = console.debug;
    const lines: unknown[] = [];
    console.debug = (...line) => lines.push(line);
    try {
      await sdk.ok(sdk.me());
      await sdk.authStream((response) => response.text(), "GET", "/user");
    } finally {
      console.debug = debug;
    }
    expect(lines).toEqual([]);
  });

  it("a setting that is undefined does not hide its default", () => {
    const { session } = newSdk({ timeout: undefined, agentTag: undefined, headers: undefined });
    expect(session.settings.timeout).toBe(120);
  });

  it("settings of the service's own reach Looker", async () => {
    const { sdk } = newSdk({ agentTag: "report-service 7", headers: { "x-report": "weekly" } });
    await sdk.ok(sdk.me());
    expect(looker.asked[0]?.headers["x-looker-appid"]).toBe("report-service 7");
    expect(looker.asked[0]?.headers["x-report"]).toBe("weekly");
  });
});
