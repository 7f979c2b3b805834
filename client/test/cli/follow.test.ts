import { expect, test } from "vitest";
import type { Broker } from "../../src/cli/broker.ts";
import { type Filter, matches } from "../../src/cli/filter.ts";
import { follow } from "../../src/cli/follow.ts";
import type { ListedLease } from "../../src/cli/listing.ts";
import type { Ending } from "../../src/cli/outcome.ts";
import { TokenBrokerError } from "../../src/errors.ts";

const start = Date.parse("2026-11-24T13:00:00Z");
const caller = "arn:aws:iam::111122223333:role/report-service";

const lease = (id: string, state: ListedLease["state"], more: Partial<ListedLease> = {}): ListedLease => ({
  lease_id: id,
  caller,
  unique_id: `AROA-${id}`,
  state,
  issued_at: "2026-11-24T12:55:00Z",
  ends_at: "2026-11-24T13:10:00Z",
  client_id: "sales",
  ...more,
});

/** A broker's rows, which a test changes at given seconds; `dies`: leases that Looker confirms when asked again. */
class Rows {
  rows: ListedLease[];
  unreadable = 0;
  dies = new Set<string>();
  fails: TokenBrokerError | undefined;
  readonly asked: object[] = [];
  now = start;
  readonly #changes: { at: number; change: () => void }[] = [];

  constructor(...rows: ListedLease[]) {
    this.rows = rows;
  }

  at(seconds: number, change: () => void): this {
    this.#changes.push({ at: start + seconds * 1_000, change });
    return this;
  }

  drop(id: string): void {
    this.rows = this.rows.filter(({ lease_id }) => lease_id !== id);
  }

  sleep = async (milliseconds: number) => {
    this.now += milliseconds;
    for (const each of this.#changes.splice(0))
      if (each.at <= this.now) each.change();
      else this.#changes.push(each);
  };

  broker: Broker = {
    endpoint: "",
    region: "",
    ask: async ({ method, query = {} }) => {
      if (this.fails) throw this.fails;
      if (method === "GET") return { leases: this.rows };
      const { dry_run, ...filter } = query;
      const matched = this.rows.filter((row) => matches(row, filter as Filter));
      if (dry_run) return { matched: matched.length + this.unreadable };
      this.asked.push(filter);
      const dead = matched.filter(({ lease_id }) => this.dies.has(lease_id ?? ""));
      for (const { lease_id } of dead) this.drop(lease_id ?? "");
      return { matched: matched.length, revoked: dead.length, pending: matched.length - dead.length };
    },
  };

  async follow(first: { revoked: number; pending: number }, filter: Filter = { caller }, waitMs = 60_000) {
    const seen: Ending[] = [];
    const ending = await follow({
      broker: this.broker,
      scope: "sales",
      filter,
      first,
      waitMs,
      signal: new AbortController().signal,
      onProgress: (each) => seen.push(each),
      sleep: this.sleep,
      now: () => this.now,
    });
    return { ending, seen };
  }
}

const none = { revoked: 0, pending: 0, expired: 0, gone: 0 };

test("nothing pending is not followed", async () => {
  const rows = new Rows(lease("a", "live"));
  expect(await rows.follow({ revoked: 2, pending: 0 })).toEqual({
    ending: { ...none, revoked: 2 },
    seen: [],
  });
});

test("a pending lease is asked for again by its id until Looker confirms; a new lease of its caller is left alone", async () => {
  const rows = new Rows(lease("a", "pending"), lease("new", "live", { issued_at: "2026-11-24T13:00:01Z" }));
  rows.at(5, () => rows.dies.add("a"));
  const { ending } = await rows.follow({ revoked: 1, pending: 1 });
  expect(ending).toEqual({ ...none, revoked: 2 });
  expect(rows.rows.map(({ lease_id }) => lease_id)).toEqual(["new"]);
  expect(new Set(rows.asked.map((each) => JSON.stringify(each)))).toEqual(new Set(['{"lease_id":"a"}']));
});

test("one that leaves the list before its end was confirmed to the sweeper: revoked", async () => {
  const rows = new Rows(lease("a", "pending"));
  rows.at(3, () => rows.drop("a"));
  expect((await rows.follow({ revoked: 0, pending: 1 })).ending).toEqual({ ...none, revoked: 1 });
});

test("one that leaves the list after its end is called expired, not revoked", async () => {
  const rows = new Rows(lease("a", "pending", { ends_at: "2026-11-24T13:00:02Z" }));
  rows.at(30, () => rows.drop("a"));
  expect((await rows.follow({ revoked: 0, pending: 1 })).ending).toEqual({ ...none, expired: 1 });
});

test("what is pending when the time is over stays pending", async () => {
  const rows = new Rows(lease("a", "pending"));
  const { ending } = await rows.follow({ revoked: 0, pending: 1 }, { caller }, 10_000);
  expect(ending).toEqual({ ...none, pending: 1 });
  expect(rows.now).toBe(start + 10_000);
});

test("--wait 0 asks nothing more", async () => {
  const rows = new Rows(lease("a", "pending"));
  expect((await rows.follow({ revoked: 0, pending: 1 }, { caller }, 0)).seen).toEqual([]);
});

test("a login that was caught under way is followed until its token is dead", async () => {
  const minting = lease("m", "minting", { lease_id: null, ends_at: null, client_id: null });
  const rows = new Rows(minting);
  rows.at(3, () => {
    rows.rows = [lease("m", "pending")];
    rows.dies.add("m");
  });
  expect((await rows.follow({ revoked: 0, pending: 1 })).ending).toEqual({ ...none, revoked: 1 });
});

test("a login that brings no token is gone, and is not counted as confirmed", async () => {
  const rows = new Rows(lease("m", "minting", { lease_id: null, ends_at: null, client_id: null }));
  rows.at(3, () => {
    rows.rows = [];
  });
  expect((await rows.follow({ revoked: 0, pending: 1 })).ending).toEqual({ ...none, gone: 1 });
});

test("a login that began only after the revocation is not waited for", async () => {
  const minting = lease("m", "minting", { lease_id: null, ends_at: null, client_id: null });
  const rows = new Rows(lease("a", "pending"), minting);
  rows.dies.add("a");
  rows.at(3, () => {
    rows.rows = [lease("m", "live")];
  });
  const { ending } = await rows.follow({ revoked: 0, pending: 1 });
  expect(ending).toEqual({ ...none, revoked: 1 });
});

test("a row that the broker cannot read is never called dead", async () => {
  const rows = new Rows();
  rows.unreadable = 1;
  expect((await rows.follow({ revoked: 0, pending: 1 })).ending).toEqual({ ...none, pending: 1 });
});

test("a broker that is away for a while costs patience, not the truth", async () => {
  const rows = new Rows(lease("a", "pending"));
  rows.at(1, () => {
    rows.fails = new TokenBrokerError("unavailable", "x");
  });
  rows.at(9, () => {
    rows.fails = undefined;
    rows.dies.add("a");
  });
  expect((await rows.follow({ revoked: 0, pending: 1 })).ending).toEqual({ ...none, revoked: 1 });
});

test("who may revoke but not list is told at once what is known", async () => {
  const rows = new Rows();
  rows.fails = new TokenBrokerError("access_denied", "x");
  expect((await rows.follow({ revoked: 1, pending: 2 })).ending).toEqual({ ...none, revoked: 1, pending: 2 });
  expect(rows.now).toBe(start);
});
