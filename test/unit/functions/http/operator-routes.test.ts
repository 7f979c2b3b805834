import { describe, expect, it } from "vitest";
import { lookerGraceMs } from "../../../../functions/domain/lease.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { callerKey, sales } from "../../../support/fakes/in-memory-broker.ts";
import { inMemoryOperator, numberedCaller, sweepNow } from "../../../support/fakes/in-memory-operator.ts";

const role = "arn:aws:iam::111122223333:role/report-service";

async function withLeases(count = 2) {
  const operator = inMemoryOperator();
  const tokens = [];
  for (let number = 0; number < count; number++)
    tokens.push(await operator.broker.issue({ key: numberedCaller(number) }));
  const [first] = tokens;
  if (!first) throw new Error("no lease");
  return { ...operator, tokens, first };
}

describe("GET leases", () => {
  it("tells who holds what, and no token", async () => {
    const { list, first, broker, lines } = await withLeases(1);
    const answer = await list();
    const issuedAt = broker.clock.now();
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        leases: [
          {
            lease_id: first.leaseId,
            caller: role,
            unique_id: numberedCaller(0).uniqueId,
            session: null,
            state: "live",
            issued_at: new Date(issuedAt).toISOString(),
            ends_at: new Date(issuedAt + 900_000).toISOString(),
            token_ends_at: new Date(issuedAt + 3_600_000 + lookerGraceMs).toISOString(),
            client_id: "clientOne",
          },
        ],
      },
    ]);
    expect(answer.headers["Cache-Control"]).toBe("no-store");
    expect(answer.text).not.toContain("looker-token");
    expect(lines).toMatchObject([{ verb: "list", code: "ok", outcome: "listed" }]);
  });

  it("goes through 250 slots by next_token, each lease once", async () => {
    const { list, tokens } = await withLeases(250);
    const seen: string[] = [];
    let query: Record<string, string> = {};
    let pages = 0;
    do {
      const { status, body } = await list(query);
      expect(status).toBe(200);
      seen.push(...body.leases.map(({ lease_id }: { lease_id: string }) => lease_id));
      query = body.next_token === undefined ? {} : { next_token: body.next_token };
      pages++;
    } while (query.next_token !== undefined);
    expect(pages).toBe(3);
    expect(seen.sort()).toEqual(tokens.map(({ leaseId }) => leaseId).sort());
  });
});

it("GET leases goes on behind a session's row, where a page ends with one", async () => {
  const { list, broker } = inMemoryOperator();
  const scope = { ...sales, sessionMintsPerTenMinutes: 600 };
  for (let run = 0; run < 150; run++)
    await broker.issue({ key: callerKey(undefined, "sales", `run-${String(run).padStart(3, "0")}`), scope });
  const first = await list();
  const second = await list({ next_token: String(first.body.next_token) });
  const sessions = [...first.body.leases, ...second.body.leases].map(
    ({ session }: { session: string }) => session,
  );
  expect([second.status, new Set(sessions).size, sessions.length]).toEqual([200, 150, 150]);
});

describe("DELETE leases", () => {
  it("200 when everything is confirmed", async () => {
    const { revoke, broker, lines } = await withLeases(3);
    const answer = await revoke({ caller: role });
    expect([answer.status, answer.body]).toEqual([200, { matched: 3, revoked: 3, pending: 0 }]);
    expect(broker.looker.live.size).toBe(0);
    expect(lines).toMatchObject([
      { verb: "revoke", code: "ok", outcome: "revoked", matched: 3, revoked: 3, pending: 0 },
    ]);
  });

  it("202 while anything is pending", async () => {
    const { revoke, broker, first } = await withLeases(3);
    broker.looker.onLogout = (token) => (token === first.accessToken ? "unconfirmed" : undefined);
    const answer = await revoke({ all: "true" });
    expect([answer.status, answer.body]).toEqual([202, { matched: 3, revoked: 2, pending: 1 }]);
  });

  it("200 and nothing for what matches nothing", async () => {
    const { revoke, broker } = await withLeases(1);
    const answer = await revoke({ lease_id: "no-such-lease" });
    expect([answer.status, answer.body]).toEqual([200, { matched: 0, revoked: 0, pending: 0 }]);
    expect(broker.looker.live.size).toBe(1);
  });

  it("a dry run only counts", async () => {
    const { revoke, broker, lines } = await withLeases(3);
    const before = structuredClone([...broker.table.items]);
    const denial = { scopes: ["sales"], in_use: true };
    for (const [query, more] of [
      [{ all: "true" }, {}],
      [{ caller: role }, {}],
      [{ client_id: "clientOne" }, { denial }],
    ] as const) {
      const answer = await revoke({ ...query, dry_run: "true" });
      expect([answer.status, answer.body]).toEqual([200, { matched: 3, ...more }]);
    }
    expect([...broker.table.items]).toEqual(before);
    expect(lines[0]).toMatchObject({ verb: "revoke", outcome: "counted", matched: 3 });
  });

  it("filters are combined", async () => {
    const { revoke, first } = await withLeases(3);
    expect((await revoke({ caller: role, lease_id: first.leaseId })).body.matched).toBe(1);
    const other = "arn:aws:iam::111122223333:role/report-other";
    expect((await revoke({ caller: other, client_id: "clientOne" })).body.matched).toBe(0);
  });

  it.each([
    ["in UTC", (at: Date) => at.toISOString()],
    ["without milliseconds", (at: Date) => `${at.toISOString().slice(0, 19)}Z`],
    [
      "with an offset",
      (at: Date) => `${new Date(at.getTime() + 7_200_000).toISOString().slice(0, 23)}+02:00`,
    ],
  ])("takes a time %s", async (_, format) => {
    const { revoke, broker } = await withLeases(2);
    broker.clock.jump(60_000);
    const at = new Date(broker.clock.now());
    broker.clock.jump(60_000);
    await broker.issue({ key: numberedCaller(7) });
    const answer = await revoke({ issued_before: format(at) });
    expect([answer.status, answer.body]).toEqual([200, { matched: 2, revoked: 2, pending: 0 }]);
    expect(broker.looker.live.size).toBe(1);
  });

  it("takes a time of a clock that is a few seconds ahead", async () => {
    const { revoke, broker } = await withLeases(1);
    const ahead = (ms: number) => revoke({ issued_before: new Date(broker.clock.now() + ms).toISOString() });
    expect((await ahead(5_001)).status).toBe(400);
    expect((await ahead(5_000)).status).toBe(200);
  });

  it("29 February of a leap year is a day", async () => {
    const { revoke } = await withLeases(1);
    expect((await revoke({ issued_before: "2020-02-29T00:00:00Z" })).body).toEqual({
      matched: 0,
      revoked: 0,
      pending: 0,
    });
  });

  it("503 with Retry-After when the table fails, and the record says why", async () => {
    const { revoke, broker, lines } = await withLeases(2);
    broker.table.before = (operation) => {
      if (operation === "querySlots") throw new Unavailable("dynamodb");
    };
    const answer = await revoke({ caller: role });
    expect([answer.status, answer.body.code, answer.headers["Retry-After"]]).toEqual([503, "busy", "1"]);
    expect(lines).toMatchObject([{ code: "busy", reason: "dynamodb_unavailable" }]);
  });

  it("202 with at least one pending when only the fence of the whole scope could be written", async () => {
    const { revoke, broker } = await withLeases(2);
    broker.table.before = (operation) => {
      if (operation === "querySlots") throw new Unavailable("dynamodb");
    };
    const answer = await revoke({ all: "true" });
    expect([answer.status, answer.body.revoked, answer.body.pending >= 1]).toEqual([202, 0, true]);
    broker.table.before = undefined;
    await sweepNow(broker);
    expect(broker.looker.live.size).toBe(0);
  });
});

describe("PUT and DELETE freeze", () => {
  it("say who froze it, when and why, and what was ended", async () => {
    const { freeze, unfreeze, broker, lines } = await withLeases(2);
    const answer = await freeze("credentials leaked");
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        frozen: {
          by: "arn:aws:iam::111122223333:role/oncall",
          at: new Date(broker.clock.now()).toISOString(),
          reason: "credentials leaked",
        },
        matched: 2,
        revoked: 2,
        pending: 0,
      },
    ]);
    expect((await broker.ask({ key: numberedCaller(0) })).code).toBe("scope_frozen");
    const undone = await unfreeze();
    expect([undone.status, undone.body]).toEqual([200, { frozen: null, was: answer.body.frozen }]);
    expect((await broker.ask({ key: numberedCaller(0) })).code).toBe("ok");
    expect(lines.map(({ verb, outcome }) => [verb, outcome])).toEqual([
      ["freeze", "frozen"],
      ["unfreeze", "unfrozen"],
    ]);
    expect(JSON.stringify(lines)).not.toContain("credentials leaked");
  });

  it("are idempotent", async () => {
    const { freeze, unfreeze } = await withLeases(1);
    expect((await freeze("first")).body).toMatchObject({ revoked: 1 });
    expect((await freeze("second")).body).toMatchObject({
      frozen: { reason: "second" },
      matched: 0,
      revoked: 0,
    });
    expect((await unfreeze()).body).toMatchObject({ was: { reason: "second" } });
    expect((await unfreeze()).body).toEqual({ frozen: null, was: null });
  });

  it.each([
    ["null", null],
    ["a number", 7],
    ["empty", ""],
    ["blank", "  "],
    ["two lines", "a\nb"],
    ["a control character", "a\u0007b"],
    ["text that turns what follows around", "a\u202eb"],
    ["too long", "x".repeat(257)],
    ["a list", ["a"]],
  ])("a reason that is %s: a 400 that names the field, and nothing is frozen", async (_, reason) => {
    const { freeze, broker } = await withLeases(1);
    const answer = await freeze(reason);
    expect([answer.status, answer.body.code]).toEqual([400, "bad_request"]);
    expect(answer.body.detail).toMatch(/^reason: /);
    expect((await broker.table.scopeControls.read("sales")).frozen).toBeUndefined();
    expect(broker.looker.live.size).toBe(1);
  });

  it.each(["x".repeat(256), "Ticket #7: réponse à l'incident 🔥"])("takes %s as a reason", async (reason) => {
    const { freeze } = await withLeases(1);
    expect((await freeze(reason)).body.frozen.reason).toBe(reason);
  });

  it.each([
    ["a body of unknown fields", { body: { reason: "x", until: "tomorrow" } }],
    ["no body", { body: null }],
    ["no reason", { body: {} }],
    ["a query", { event: { multiValueQueryStringParameters: { reason: ["x"] } } }],
  ])("freeze with %s: a 400", async (_, more) => {
    const { freeze, broker } = await withLeases(1);
    expect((await freeze("x", more)).status).toBe(400);
    expect((await broker.table.scopeControls.read("sales")).epoch).toBe(0);
  });

  it("unfreeze with a body: a 400, and the scope stays frozen", async () => {
    const { freeze, unfreeze, broker } = await withLeases(1);
    await freeze();
    expect((await unfreeze({ body: { scope: "people" } })).status).toBe(400);
    expect((await broker.ask({ key: numberedCaller(0) })).code).toBe("scope_frozen");
  });
});

describe("a body where none is read", () => {
  it.each(["revoke", "list"] as const)(
    "%s: a 400, since what it says would be passed over in silence",
    async (verb) => {
      const { list, revoke, broker } = await withLeases(1);
      const body = { dry_run: true, lease_id: "no-such-lease" };
      const answer = verb === "list" ? await list({}, { body }) : await revoke({ all: "true" }, { body });
      expect([answer.status, answer.body.code]).toEqual([400, "bad_request"]);
      expect(broker.looker.live.size).toBe(1);
    },
  );
});
