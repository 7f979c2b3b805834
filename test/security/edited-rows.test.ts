/** Somebody who can write to the table edits a row: to have a token sent to a server of his, or to be served more. */
import { describe, expect, it } from "vitest";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";
import { callerKey, inMemoryBroker } from "../support/fakes/in-memory-broker.ts";

const evil = "https://evil.example.com";

async function withLease() {
  const broker = inMemoryBroker();
  const token = await broker.issue();
  const lease = broker.row().lease as Record<string, unknown>;
  return { ...broker, token, lease };
}
const hosts = ({ looker }: { looker: { ledger: { baseUrl: string }[] } }) =>
  looker.ledger.map(({ baseUrl }) => baseUrl);

describe("another base_url", () => {
  it("in the lease is never sent the token, by a request or by a logout", async () => {
    const broker = await withLease();
    broker.lease.base_url = evil;
    const { token } = await broker.ask();
    expect(token?.baseUrl).not.toBe(evil);
    await broker.logOut();
    expect(hosts(broker)).not.toContain(evil);
  });

  it("in the outbox is never sent the token", async () => {
    const broker = await withLease();
    broker.looker.onLogout = () => "unconfirmed";
    await broker.logOut();
    for (const token of broker.row().outbox as Record<string, unknown>[]) token.base_url = evil;
    expect(await broker.logOut()).toMatchObject({ pending: 1, audit: { unreadable: 1 } });
    expect(hosts(broker)).not.toContain(evil);
  });

  it("is never told to the caller, though the digest was edited to fit", async () => {
    const api = inMemoryApi();
    await api.token();
    Object.assign(api.broker.row().lease as object, { base_url: evil });
    const { text } = await api.token();
    expect(text).not.toContain("evil.example.com");
    expect(api.lines.at(-1)).toMatchObject({ unreadable: 1 });
  });
});

it("another SHA-256 gets into no record: the lease is replaced, and the edit is told", async () => {
  const api = inMemoryApi();
  const first = await api.token();
  Object.assign(api.broker.row().lease as object, { token_sha256: "ab".repeat(32) });
  const second = await api.token();
  expect(second.body.lease_id).not.toBe(first.body.lease_id);
  expect(api.lines[1]).toMatchObject({ outcome: "minted", unreadable: 1 });
  expect(JSON.stringify(api.lines)).not.toContain("ab".repeat(32));
});

describe("a row that is no row any more", () => {
  it.each<[string, (row: Record<string, unknown>) => void]>([
    ["schema", (row) => Object.assign(row, { schema: 2 })],
    ["no schema", (row) => Reflect.deleteProperty(row, "schema")],
    ["text for a version", (row) => Object.assign(row, { version: "1" })],
    ["text for a lease", (row) => Object.assign(row, { lease: "lease" })],
    ["text for a sealed token", (row) => Object.assign(row.lease as object, { sealed: "looker-token-1" })],
    ["text for an end", (row) => Object.assign(row.lease as object, { ends_at: "never" })],
    ["an end that is no number", (row) => Object.assign(row.lease as object, { ends_at: Number.NaN })],
    ["an end that no date can hold", (row) => Object.assign(row.lease as object, { ends_at: 9e15 })],
    [
      "a start that no date can hold",
      (row) => Object.assign(row.lease as object, { issued_at: -8_640_000_000_000_001 }),
    ],
    ["text for a SHA-256", (row) => Object.assign(row.lease as object, { token_sha256: "\u2028line" })],
    ["a holder that is no ARN", (row) => Object.assign(row, { names: ["\u001b[2Jroot"] })],
    ["an outbox that is no list", (row) => Object.assign(row, { outbox: {} })],
    [
      "a lock that is neither doomed nor not",
      (row) => Object.assign(row, { mint: { owner: "x", since: 1, until: 2, epoch: 0, doomed: "no" } }),
    ],
    [
      "an unknown failure",
      (row) =>
        Object.assign(row, { failures: [{ digest: "d", code: "internal", at: 1, until: 2, count: 1 }] }),
    ],
  ])("(%s) serves nothing and sends nothing", async (_, edit) => {
    const api = inMemoryApi();
    await api.token();
    edit(api.broker.row());
    for (const answer of [await api.token(), await api.logOut()]) {
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect(answer.body.access_token).toBeUndefined();
      expect(answer.text).not.toContain("looker-token");
    }
    expect(api.broker.looker.ledger).toHaveLength(1);
    expect(api.lines).toHaveLength(3);
  });

  it("hinders no other caller", async () => {
    const broker = await withLease();
    broker.row().schema = 2;
    expect((await broker.ask({ key: callerKey("AROAREPORTSERVICE999") })).code).toBe("ok");
  });
});

it("a lease that was revoked cannot be brought back by undoing the row: its token is dead", async () => {
  const broker = await withLease();
  const backup = structuredClone(broker.row());
  await broker.logOut();
  Object.assign(broker.row(), backup);
  const { token } = await broker.ask();
  expect(token?.accessToken).toBe("looker-token-1");
  expect(broker.looker.live).not.toContain("looker-token-1");
});
