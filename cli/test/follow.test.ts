import { TokenBrokerError } from "@looker-token-broker/client/broker";
import { describe, expect, test } from "vitest";
import type { Broker } from "../src/broker.ts";
import { type Filter, matches } from "../src/filter.ts";
import { type FollowJob, follow } from "../src/follow.ts";
import type { ListedLease } from "../src/listing.ts";
import type { RevocationResult } from "../src/outcome.ts";

const start = Date.parse("2026-11-24T13:00:00Z");
const caller = "arn:aws:iam::111122223333:role/report-service";

const lease = (id: string, state: ListedLease["state"], more: Partial<ListedLease> = {}): ListedLease => ({
  lease_id: id,
  caller,
  unique_id: `AROA-${id}`,
  state,
  issued_at: "2026-11-24T12:55:00Z",
  ends_at: "2026-11-24T13:10:00Z",
  token_ends_at: "2026-11-24T13:55:13Z",
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

  beforeCount = () => {};
  /** By how much the broker's clock is ahead of `now`; the moments of its rows are by the broker's. */
  ahead = 0;

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
    now: () => this.now + this.ahead,
    askOnce: () => Promise.reject(new Error("Nothing is begun here.")),
    ask: async ({ method, query = {} }) => {
      if (this.fails) throw this.fails;
      if (method === "GET") return { leases: this.rows };
      const { dry_run, ...filter } = query;
      if (dry_run) this.beforeCount();
      const matched = this.rows.filter((row) => matches(row, filter as Filter));
      if (dry_run) return { matched: matched.length + this.unreadable };
      this.asked.push(filter);
      const dead = matched.filter(({ lease_id }) => this.dies.has(lease_id ?? ""));
      for (const { lease_id } of dead) this.drop(lease_id ?? "");
      return { matched: matched.length, revoked: dead.length, pending: matched.length - dead.length };
    },
  };

  async follow(first: FollowJob["first"], filter: Filter = { caller }, waitMs = 60_000) {
    const seen: RevocationResult[] = [];
    const result = await follow({
      broker: this.broker,
      scope: "sales",
      filter,
      first,
      waitMs,
      signal: new AbortController().signal,
      onProgress: (each) => seen.push(each),
      sleep: this.sleep,
      monotonic: () => this.now,
    });
    return { result, seen };
  }
}

const none = { revoked: 0, pending: 0, expired: 0, gone: 0, unknown: 0 };

test("nothing pending is not followed", async () => {
  const rows = new Rows(lease("a", "live"));
  expect(await rows.follow({ revoked: 2, pending: 0 })).toEqual({
    result: { ...none, revoked: 2 },
    seen: [],
  });
});

test("a pending lease of an IAM user stays pending if the user is renamed meanwhile", async () => {
  const rows = new Rows(lease("a", "pending"));
  rows.at(3, () => {
    rows.rows = [lease("a", "pending", { caller: "arn:aws:iam::111122223333:user/new-name" })];
  });
  const { result, seen } = await rows.follow({ revoked: 0, pending: 1 }, { caller }, 20_000);
  expect(result).toEqual({ ...none, pending: 1 });
  expect(seen.every(({ revoked, gone }) => revoked + gone === 0)).toBe(true);
});

test("a pending lease is asked for again by its id until Looker confirms; a new lease of its caller is left alone", async () => {
  const rows = new Rows(lease("a", "pending"), lease("new", "live", { issued_at: "2026-11-24T13:00:01Z" }));
  rows.at(5, () => rows.dies.add("a"));
  const { result } = await rows.follow({ revoked: 1, pending: 1 });
  expect(result).toEqual({ ...none, revoked: 2 });
  expect(rows.rows.map(({ lease_id }) => lease_id)).toEqual(["new"]);
  expect(new Set(rows.asked.map((each) => JSON.stringify(each)))).toEqual(new Set(['{"lease_id":"a"}']));
});

test.each([
  ["long before Looker itself ends its token", "13:55:13", 0, "revoked"],
  ["after its lease's end, and before its token's", "13:55:13", 12 * 60, "revoked"],
  ["after Looker itself has ended its token", "13:00:02", 0, "expired"],
  ["so shortly before that another instance's clock may say after", "13:00:08", 0, "expired"],
  ["before that by this machine's clock, after by the broker's", "13:55:13", 60 * 60, "expired"],
  ["after that by this machine's clock, before by the broker's", "12:59:00", -10 * 60, "revoked"],
] as const)("one that leaves the list %s", async (_, ends, aheadSeconds, outcome) => {
  const rows = new Rows(lease("a", "pending", { token_ends_at: `2026-11-24T${ends}Z` }));
  rows.ahead = aheadSeconds * 1_000;
  rows.at(3, () => rows.drop("a"));
  expect((await rows.follow({ revoked: 0, pending: 1 })).result).toEqual({ ...none, [outcome]: 1 });
});

test("two sessions of one caller that began in the same millisecond are two", async () => {
  const twins = ["one", "two"].map((session) =>
    lease(session, "pending", { unique_id: "AROA-TWIN", session }),
  );
  const rows = new Rows(...twins);
  rows.at(3, () => rows.drop("one"));
  const { result } = await rows.follow({ revoked: 0, pending: 2 }, { caller }, 10_000);
  expect(result).toEqual({ ...none, revoked: 1, pending: 1 });
});

test("what is pending when the time is over stays pending", async () => {
  const rows = new Rows(lease("a", "pending"));
  const { result } = await rows.follow({ revoked: 0, pending: 1 }, { caller }, 10_000);
  expect(result).toEqual({ ...none, pending: 1 });
  expect(rows.now).toBe(start + 10_000);
});

test("--wait 0 asks nothing more", async () => {
  const rows = new Rows(lease("a", "pending"));
  expect((await rows.follow({ revoked: 0, pending: 1 }, { caller }, 0)).seen).toEqual([]);
});

test("a login that was caught under way is followed until its token is dead", async () => {
  const minting = lease("m", "minting", {
    lease_id: null,
    ends_at: null,
    token_ends_at: null,
    client_id: null,
  });
  const rows = new Rows(minting);
  rows.at(3, () => {
    rows.rows = [lease("m", "pending")];
    rows.dies.add("m");
  });
  expect((await rows.follow({ revoked: 0, pending: 1 })).result).toEqual({ ...none, revoked: 1 });
});

test("a login that brings no token is gone, and is not counted as confirmed", async () => {
  const rows = new Rows(
    lease("m", "minting", { lease_id: null, ends_at: null, token_ends_at: null, client_id: null }),
  );
  rows.at(3, () => {
    rows.rows = [];
  });
  expect((await rows.follow({ revoked: 0, pending: 1 })).result).toEqual({ ...none, gone: 1 });
});

test("a login that began only after the revocation is not waited for", async () => {
  const minting = lease("m", "minting", {
    lease_id: null,
    ends_at: null,
    token_ends_at: null,
    client_id: null,
  });
  const rows = new Rows(lease("a", "pending"), minting);
  rows.dies.add("a");
  rows.at(3, () => {
    rows.rows = [lease("m", "live")];
  });
  const { result } = await rows.follow({ revoked: 0, pending: 1 });
  expect(result).toEqual({ ...none, revoked: 1 });
});

test("a new lease that begins between the list and the count is not waited for", async () => {
  const rows = new Rows(lease("a", "pending"));
  rows.beforeCount = () => {
    rows.rows = [...rows.rows, lease("new", "live")];
    rows.beforeCount = () => {};
  };
  const { result } = await rows.follow({ revoked: 0, pending: 1 }, { caller }, 1);
  expect(result).toEqual({ ...none, pending: 1 });
});

test("a row that the broker cannot read is never called dead", async () => {
  const rows = new Rows();
  rows.unreadable = 1;
  expect((await rows.follow({ revoked: 0, pending: 1 })).result).toEqual({ ...none, pending: 1 });
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
  expect((await rows.follow({ revoked: 0, pending: 1 })).result).toEqual({ ...none, revoked: 1 });
});

test("who may revoke but not list is told at once what is known", async () => {
  const rows = new Rows();
  rows.fails = new TokenBrokerError("access_denied", "x");
  expect((await rows.follow({ revoked: 1, pending: 2 })).result).toEqual({ ...none, revoked: 1, pending: 2 });
  expect(rows.now).toBe(start);
});

describe("after a lost answer", () => {
  const [a, b] = [lease("a", "live"), lease("b", "live")];
  const lost = { ...none, answerLost: true };

  test("what was meant and is not listed any more is dead", async () => {
    const rows = new Rows(lease("new", "live", { issued_at: "2026-11-24T13:00:01Z" }));
    const { result } = await rows.follow({ lost: [a, b] }, { all: "true" });
    expect(result).toEqual({ ...lost, revoked: 2 });
    expect(rows.rows.map(({ lease_id }) => lease_id)).toEqual(["new"]);
    expect(rows.asked).toEqual([]);
  });

  test("what is still given out is ended by its id, and nothing that began since", async () => {
    const rows = new Rows(a, b, lease("new", "live", { issued_at: "2026-11-24T13:00:01Z" }));
    rows.dies.add("a").add("b").add("new");
    const { result } = await rows.follow({ lost: [a, b] }, { all: "true" });
    expect(result).toEqual({ ...lost, revoked: 2 });
    expect(rows.rows.map(({ lease_id }) => lease_id)).toEqual(["new"]);
  });

  test("what is listed as pending is pending, and what is listed as given out is unknown", async () => {
    const rows = new Rows({ ...a, state: "pending" }, b);
    const { result } = await rows.follow({ lost: [a, b] }, { all: "true" }, 0);
    expect(result).toEqual({ ...lost, pending: 1, unknown: 1 });
  });

  test("a list that cannot be had leaves all unknown, and is not waited for longer than was asked", async () => {
    const rows = new Rows(a);
    rows.fails = new TokenBrokerError("unavailable", "x");
    expect((await rows.follow({ lost: [a, b] }, { all: "true" }, 0)).result).toEqual({ ...lost, unknown: 2 });
    expect(rows.now).toBe(start);
  });
});
