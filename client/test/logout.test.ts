import { afterEach, describe, expect, it } from "vitest";
import { problem, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import type { Reply } from "../../test/support/fake-server.ts";
import { clientStand, gate, newLeases, stopStands, until } from "./stand.ts";

afterEach(stopStands);

describe("logout()", () => {
  it("says what the broker says, and forgets the token", async () => {
    const { client, broker } = await clientStand();
    await client.token();
    broker.answering = () => ({ status: 202, body: { revoked: 1, pending: 2 } });
    expect(await client.logout()).toEqual({ revoked: 1, pending: 2 });
    expect(client.hasToken).toBe(false);
    expect(broker.asked.at(-1)?.path).toBe("/v1/scopes/sales/logout");
    expect(broker.asked.at(-1)?.text).toBe("");
  });

  it("of one lease names it", async () => {
    const { client, broker } = await clientStand();
    const { leaseId } = await client.token();
    await client.logout({ leaseId });
    expect(JSON.parse(broker.asked.at(-1)?.text ?? "")).toEqual({ lease_id: leaseId });
    expect(client.hasToken).toBe(false);
  });

  it("of another lease keeps the token", async () => {
    const { client } = await clientStand();
    await client.token();
    await client.logout({ leaseId: "lease-of-old" });
    expect(client.hasToken).toBe(true);
  });

  it("ends the waiting of a token() under way, whose lease does not come back", async () => {
    const opened = gate<Reply>();
    const { client, broker } = await clientStand(({ path }) =>
      path.endsWith("/logout") ? { status: 200, body: { revoked: 0, pending: 0 } } : opened.opened,
    );
    const waiting = failure(client.token());
    await until(() => broker.asked.length === 1);
    await client.logout();
    expect((await waiting).code).toBe("aborted");
    opened.open(tokenReply("lease-of-before"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.hasToken).toBe(false);
  });

  it("ends the waiting of a token() that was after a better one than it had", async () => {
    const { client, clock, broker, asked } = await clientStand(newLeases(300));
    await client.token();
    clock.advance(260_000);
    broker.answering = ({ path }) =>
      path.endsWith("/logout") ? { status: 200, body: { revoked: 1, pending: 0 } } : new Promise(() => {});
    const waiting = failure(client.token());
    await until(() => broker.asked.length === 2);
    await client.logout();
    expect((await waiting).code).toBe("aborted");
    expect(client.hasToken).toBe(false);
    expect(asked().length).toBe(2);
  });

  it("makes a token() that comes meanwhile wait, and then get a new lease", async () => {
    const { client, broker } = await clientStand();
    await client.token();
    const ended = gate<Reply>();
    const earlier = broker.answering;
    broker.answering = (asked) => (asked.path.endsWith("/logout") ? ended.opened : earlier(asked));
    const logout = client.logout();
    const token = client.token();
    await until(() => broker.asked.length === 2);
    ended.open({ status: 200, body: { revoked: 1, pending: 0 } });
    await logout;
    expect((await token).leaseId).toBe("lease-2");
    expect(broker.asked.map(({ path }) => path.slice("/v1/scopes/sales/".length))).toEqual([
      "token",
      "logout",
      "token",
    ]);
  });

  it("does not let a token() that waits behind it wait for longer than its own budget", async () => {
    const { another, broker } = await clientStand(({ path }) =>
      path.endsWith("/logout") ? new Promise(() => {}) : tokenReply("lease-1"),
    );
    const client = another({ timeoutMs: 200 });
    await client.token();
    const ended = new AbortController();
    const logout = failure(client.logout({ signal: ended.signal }));
    const error = await failure(client.token());
    expect(error.code).toBe("timed_out");
    expect(error.summary).toBe("No token came within 0.2 s.");
    expect(broker.asked.filter(({ path }) => path.endsWith("/token")).length).toBe(1);
    ended.abort();
    await logout;
  });

  it("of another lease leaves a token() of a client without one waiting", async () => {
    const opened = gate<Reply>();
    const { client, broker } = await clientStand(({ path }) =>
      path.endsWith("/logout") ? { status: 200, body: { revoked: 0, pending: 0 } } : opened.opened,
    );
    const waiting = client.token();
    await until(() => broker.asked.length === 1);
    await client.logout({ leaseId: "lease-of-old" });
    opened.open(tokenReply("lease-1"));
    expect((await waiting).leaseId).toBe("lease-1");
    expect(client.hasToken).toBe(true);
  });

  it("of the very lease that a waiting token() then gets ends its waiting", async () => {
    const opened = gate<Reply>();
    const { client, broker } = await clientStand(({ path }) =>
      path.endsWith("/logout") ? { status: 200, body: { revoked: 1, pending: 0 } } : opened.opened,
    );
    const waiting = failure(client.token());
    await until(() => broker.asked.length === 1);
    await client.logout({ leaseId: "lease-1" });
    opened.open(tokenReply("lease-1"));
    expect((await waiting).code).toBe("aborted");
    expect(client.hasToken).toBe(false);
  });

  it("that fails has forgotten the token all the same", async () => {
    const { client, broker } = await clientStand();
    await client.token();
    broker.answering = () => problem(500, "internal");
    expect((await failure(client.logout())).code).toBe("internal");
    expect(client.hasToken).toBe(false);
  });

  it("waits for a broker that is busy", async () => {
    let requests = 0;
    const { client } = await clientStand(() =>
      ++requests === 1 ? problem(503, "busy", 1) : { status: 200, body: { revoked: 3, pending: 0 } },
    );
    expect(await client.logout()).toEqual({ revoked: 3, pending: 0 });
  });
});
