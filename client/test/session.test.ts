import { afterEach, describe, expect, it } from "vitest";
import { failure } from "../../test/support/failure.ts";
import { TokenBrokerClient } from "../src/token/token-broker-client.ts";
import { answerTaken, clientStand, credentials, stopStands } from "./stand.ts";

afterEach(stopStands);

const bodies = (asked: readonly { path: string; text: string }[], route: string) =>
  asked.filter(({ path }) => path.endsWith(route)).map(({ text }) => (text === "" ? "" : JSON.parse(text)));

describe("a client with a session", () => {
  it("names it with each request for a token, also where it reports a refused one", async () => {
    const { another, asked } = await clientStand();
    const client = another({ session: "nightly-2026.11" });
    let calls = 0;
    await client.withToken(() => (++calls === 1 ? { status: 401, headers: {} } : "done"));
    expect(asked()).toEqual([
      { min_ttl_seconds: 60, session: "nightly-2026.11" },
      { min_ttl_seconds: 60, stale_lease_id: "lease-1", session: "nightly-2026.11" },
    ]);
  });

  it("ends exactly its session", async () => {
    const { another, broker } = await clientStand();
    const client = another({ session: "nightly" });
    const { leaseId } = await client.token();
    await client.logout({ leaseId });
    await client.logout();
    expect(bodies(broker.asked, "/logout")).toEqual([
      { lease_id: leaseId, session: "nightly" },
      { session: "nightly" },
    ]);
  });

  it("says its name", async () => {
    const { client, another } = await clientStand();
    expect([client.session, another({ session: "nightly" }).session]).toEqual([undefined, "nightly"]);
  });
});

it("a client without a session sends no such field, which an older broker would refuse", async () => {
  const { client, broker, asked } = await clientStand();
  await client.token();
  await client.logout();
  expect(asked()).toEqual([{ min_ttl_seconds: 60 }]);
  expect(bodies(broker.asked, "/logout")).toEqual([""]);
});

it.each(["", ".hidden", "-x", "a/b", "a b", "ä", "a".repeat(65), "a\n"])(
  "the session name %j is refused before anything is sent",
  (session) => {
    const options = { endpoint: "http://127.0.0.1:1/v1", region: "eu-west-1", credentials, scope: "sales" };
    expect(() => new TokenBrokerClient({ ...options, session })).toThrow(
      expect.objectContaining({
        code: "bad_request",
        message: expect.stringMatching(/^A session's name is 1 to 64/),
      }),
    );
  },
);

describe("await using", () => {
  it("ends the client's session", async () => {
    const { another, broker } = await clientStand();
    const client = another({ session: "nightly" });
    await client.token();
    await client[Symbol.asyncDispose]();
    expect(bodies(broker.asked, "/logout")).toEqual([{ session: "nightly" }]);
    expect(client.hasToken).toBe(false);
  });

  it("in the turn of a token() ends its waiting, asks for no lease and ends the session", async () => {
    const { another, broker } = await clientStand();
    const client = another({ session: "nightly" });
    const waiting = failure(client.token());
    await client[Symbol.asyncDispose]();
    expect((await waiting).code).toBe("aborted");
    await answerTaken();
    expect(broker.asked.map(({ path, text }) => [path, text])).toEqual([
      ["/v1/scopes/sales/logout", '{"session":"nightly"}'],
    ]);
    expect(client.hasToken).toBe(false);
  });

  it("behind a logout ends a token() that waits for it", async () => {
    const { another, asked } = await clientStand();
    const client = another({ session: "nightly" });
    const logout = client.logout();
    const waiting = failure(client.token());
    await client[Symbol.asyncDispose]();
    expect((await waiting).code).toBe("aborted");
    await logout;
    await answerTaken();
    expect(asked()).toEqual([]);
  });

  it("never ends the lease that the role shares", async () => {
    const { client, broker } = await clientStand();
    await client.token();
    await client[Symbol.asyncDispose]();
    expect(bodies(broker.asked, "/logout")).toEqual([]);
    expect(client.hasToken).toBe(true);
  });

  it("asks nothing where the session got no token", async () => {
    const { another, broker } = await clientStand();
    await another({ session: "nightly" })[Symbol.asyncDispose]();
    expect(broker.asked.length).toBe(0);
  });
});
