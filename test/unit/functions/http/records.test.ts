/** What the records tell of each path, one record a request. test/support/fakes/recorded.ts holds each to the schema. */

import middy from "@middy/core";
import { describe, expect, it } from "vitest";
import { resources } from "../../../../functions/contract.ts";
import { sha256Of } from "../../../../functions/domain/digest.ts";
import { lookerGraceMs } from "../../../../functions/domain/lease.ts";
import { json } from "../../../../functions/http/answer.ts";
import { scheduledAudit } from "../../../../functions/http/audit.ts";
import type { MintPorts } from "../../../../functions/use-cases/mint-job.ts";
import { sweep } from "../../../../functions/use-cases/sweep.ts";
import { apiEvent, apiFunction, roleIdentity } from "../../../support/fakes/api-function.ts";
import { inMemoryApi } from "../../../support/fakes/in-memory-api.ts";
import { account, inMemoryBroker, lookerUrl } from "../../../support/fakes/in-memory-broker.ts";
import { inMemoryOperator, operatePorts } from "../../../support/fakes/in-memory-operator.ts";
import { recorded } from "../../../support/fakes/recorded.ts";

const minute = 60_000;

/** The function as functions/sweep.ts puts it together. */
function sweeper(broker = inMemoryBroker()) {
  const { audit: options, lines, leaseEnds } = recorded(broker.clock.now);
  const records = scheduledAudit("sweep", options);
  const handler = middy(async (event: object) => {
    const { audit, timings } = records.entryOf(event);
    return await sweep(timings.of(operatePorts(broker)), {
      deadline: broker.clock.now() + 52_000,
      audit,
    });
  }).use(records) as unknown as (event: unknown, context: object) => Promise<unknown>;
  return { run: () => handler({}, { awsRequestId: "sweep-1" }), lines, leaseEnds };
}

function whole() {
  const broker = inMemoryBroker();
  return { broker, api: inMemoryApi(broker), operator: inMemoryOperator(broker), sweeper: sweeper(broker) };
}

/** After a request during whose login the whole scope was revoked. Looker does not confirm the end of its token. */
async function withOvertakenLogin() {
  const { broker, api, operator } = whole();
  let revoked: Promise<unknown> | undefined;
  broker.looker.onLogin = async (call) => {
    if (call === 1) revoked = operator.revoke({ all: "true" });
    await revoked;
    return undefined;
  };
  broker.looker.onLogout = () => "unconfirmed";
  await api.token();
  return { broker, api };
}

describe("a record of a token request", () => {
  it("tells the lease and its token, the end of both, and the time in each dependency", async () => {
    const { broker, api } = whole();
    broker.looker.loginMs = 300;
    const { body } = await api.token();
    const begun = broker.clock.now() - 300;
    expect(api.lines).toHaveLength(1);
    expect(api.lines[0]).toMatchObject({
      verb: "token",
      scope: "sales",
      code: "ok",
      status: 200,
      outcome: "minted",
      login_attempts: 1,
      logins: 1,
      lease_id: body.lease_id,
      token_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      client_id: "clientOne",
      secret_version: "version-1",
      lease_ends_at: new Date(begun + 15 * minute).toISOString(),
      token_ends_at: new Date(begun + 60 * minute + lookerGraceMs).toISOString(),
      duration_ms: 300,
      looker_ms: 300,
      dynamodb_ms: 0,
      kms_ms: 0,
      secretsmanager_ms: 0,
    });
  });

  it.each(["slot", "secret"])(
    "counts an unreadable row of the %s, so that the alarm on edited rows sees it",
    async (kind) => {
      const { broker, api } = whole();
      await api.token();
      if (kind === "secret") await api.logOut();
      const name = [...broker.table.items.keys()].find((key) => key.startsWith("secret#")) ?? "";
      const row = kind === "slot" ? broker.row() : broker.table.items.get(name);
      Object.assign(row ?? {}, { schema: 99 });
      await api.token();
      expect(api.lines.at(-1)).toMatchObject({
        verb: "token",
        code: kind === "slot" ? "internal" : "busy",
        unreadable: 1,
      });
      expect(broker.looker.logins()).toBe(1);
    },
  );

  it("from the table has the same lease and token, and no login", async () => {
    const { api } = whole();
    await api.token();
    await api.token();
    const [minted, hit] = api.lines;
    expect(hit).toMatchObject({
      outcome: "hit",
      lease_id: minted?.lease_id,
      token_sha256: minted?.token_sha256,
    });
    expect(hit).not.toHaveProperty("logins");
    expect(hit).not.toHaveProperty("looker_ms");
    expect(hit).not.toHaveProperty("secretsmanager_ms");
  });

  it("names the lease that its caller reports stale, which ends, and the new one", async () => {
    const { broker, api } = whole();
    const first = await api.token();
    await broker.clock.advance(minute);
    const second = await api.token({ body: { stale_lease_id: first.body.lease_id } });
    expect(api.lines[1]).toMatchObject({
      outcome: "minted",
      stale_lease_id: first.body.lease_id,
      lease_id: second.body.lease_id,
    });
  });

  it("that is refused says which list refused, and by which patterns; the caller hears neither", async () => {
    const { api } = whole();
    const answer = await api.token({ identity: roleIdentity("nightly-job") });
    expect(api.lines).toHaveLength(1);
    expect(api.lines[0]).toMatchObject({
      code: "not_allowed",
      status: 403,
      reason: "not_in_callers",
      lock: "callers",
      patterns: [`arn:aws:iam::${account}:role/report-*`, `arn:aws:iam::${account}:user/alice`],
      caller: { arn: `arn:aws:iam::${account}:role/nightly-job` },
    });
    expect(answer.body).toEqual({
      title: "Not allowed",
      status: 403,
      code: "not_allowed",
      request_id: api.lines[0]?.request_id,
    });
  });

  it("of an unknown scope has a list that refused, and no patterns", async () => {
    const { api } = whole();
    await api.token({ scope: "payroll" });
    expect(api.lines[0]).toMatchObject({ code: "not_allowed", reason: "unknown_scope", lock: "callers" });
    expect(api.lines[0]).not.toHaveProperty("patterns");
  });

  it("that failed at Looker says how", async () => {
    const { broker, api } = whole();
    broker.looker.onLogin = () => ({ kind: "unknown", reason: "timed_out" });
    await api.token();
    expect(api.lines[0]).toMatchObject({
      code: "looker_unavailable",
      status: 503,
      reason: "login_unknown_timed_out",
      possible_orphans: 1,
      login_attempts: 1,
      LoginAttempts: 1,
      LookerUnavailable: 1,
    });
    expect(api.lines[0]).not.toHaveProperty("logins");
    expect(api.mints).toEqual([]);
  });

  it("whose own login was overtaken by a revocation names that lease, and is no mint", async () => {
    const { broker, api } = await withOvertakenLogin();
    const { minted_lease_id, outcome, logins } = api.lines[0] ?? {};
    expect([typeof minted_lease_id, outcome, logins]).toEqual(["string", undefined, 1]);
    expect(broker.row().outbox).toMatchObject([{ lease_id: minted_lease_id }]);
  });

  it("names no holder where the token came too late to be handed out", async () => {
    const { broker, api } = whole();
    await api.token();
    const unseal = broker.sealer.unseal;
    broker.sealer.unseal = async (sealed, context) => {
      await broker.clock.advance(30_000);
      return await unseal(sealed, context);
    };
    expect((await api.token({ context: { getRemainingTimeInMillis: () => 28_000 } })).status).toBe(503);
    expect(api.lines[1]).toMatchObject({ code: "busy", reason: "timed_out" });
    expect(api.lines[1]).not.toHaveProperty("token_sha256");
    expect(api.lines[1]).not.toHaveProperty("lease_id");
  });

  it("that was served though its refresh failed says how that failed", async () => {
    const { broker, api } = whole();
    await api.token();
    await broker.clock.advance(13 * minute);
    broker.looker.onLogin = () => ({ kind: "rejected" });
    await api.token();
    expect(api.lines[1]).toMatchObject({
      code: "ok",
      outcome: "hit",
      mint_failure: "looker_rejected_credentials",
      RejectedCredentials: 1,
    });
  });

  it("whose login was not tried says that a lock-out was avoided", async () => {
    const { broker, api } = whole();
    broker.looker.onLogin = () => ({ kind: "rejected" });
    await api.token();
    await broker.clock.advance(30_000);
    await api.token();
    expect(api.lines[0]).not.toHaveProperty("lockouts_avoided");
    expect(api.lines[1]).toMatchObject({
      code: "looker_rejected_credentials",
      reason: "secret_rejected",
      lockouts_avoided: 1,
    });
    expect(broker.looker.logins()).toBe(1);
  });

  it("that ran out of time says what it was waiting for", async () => {
    const { audit, lines } = recorded(() => Math.floor(performance.now()));
    const { first, looker } = inMemoryBroker();
    const silent: MintPorts = { ...first, looker: { ...looker, login: () => new Promise(() => {}) } };
    const send = apiFunction({
      routes: {
        [`POST ${resources.token}`]: {
          verb: "token",
          lock: "callers",
          handle: async ({ timings }) => {
            const ports = timings.of(silent);
            await ports.looker.login(lookerUrl, { clientId: "clientOne", clientSecret: "secret-of-one" });
            throw new Error("Looker never answers");
          },
        },
      },
      audit,
    });
    const answer = await send(apiEvent(), { getRemainingTimeInMillis: () => 330 });
    expect(answer.status).toBe(503);
    expect(lines).toMatchObject([{ code: "busy", reason: "timed_out", looker_ms: expect.any(Number) }]);
    expect(lines[0]?.looker_ms).toBeGreaterThan(0);
  });
});

describe("a record of a token that Looker made", () => {
  it("is there for one that was given out, with what finds it again, and without its holder", async () => {
    const { api } = whole();
    const { body } = await api.token();
    await api.token();
    const { request_id, token_sha256, token_ends_at } = api.lines[0] ?? {};
    expect(api.mints).toEqual([
      {
        time: expect.any(String),
        kind: "mint",
        broker: "test/Broker",
        verb: "token",
        scope: "sales",
        client_id: "clientOne",
        lease_id: body.lease_id,
        ...{ request_id, token_sha256, token_ends_at },
      },
    ]);
  });

  it("is there for one that a revocation overtook: no record says that anybody was given it", async () => {
    const { broker, api } = await withOvertakenLogin();
    const [made] = api.mints;
    expect(made).toMatchObject({ lease_id: api.lines[0]?.minted_lease_id, client_id: "clientOne" });
    expect(broker.row().outbox).toMatchObject([{ token_sha256: made?.token_sha256 }]);
    for (const line of api.lines) expect(line.token_sha256).not.toBe(made?.token_sha256);
  });

  it("is there for one that cannot be used, and so is its end", async () => {
    const { broker, api } = whole();
    broker.looker.onLogin = () => ({ kind: "failed", reason: "expires_in", unusableToken: "unusable-token" });
    await api.token();
    expect(api.lines[0]).toMatchObject({ code: "looker_unavailable", logins: 1, logouts: 1 });
    const [made] = api.mints;
    expect(made).toMatchObject({ client_id: "clientOne", token_sha256: sha256Of("unusable-token") });
    expect(made).not.toHaveProperty("token_ends_at");
    expect(api.leaseEnds).toMatchObject([{ lease_id: made?.lease_id, client_id: "clientOne" }]);
  });

  it("is there for one that could neither be sealed nor stored, and so is its end", async () => {
    const { broker, api } = whole();
    broker.sealer.down = true;
    await api.token();
    expect(api.mints).toMatchObject([{ lease_id: api.lines[0]?.minted_lease_id }]);
    expect(api.leaseEnds).toMatchObject([{ lease_id: api.lines[0]?.minted_lease_id }]);
  });
});

describe("a late record", () => {
  /** A login that Looker answers when told, in a function whose time is nearly over. */
  function late() {
    const broker = inMemoryBroker();
    const api = inMemoryApi(broker);
    let answer = () => {};
    broker.looker.onLogin = (call) =>
      call === 1
        ? new Promise<undefined>((resolve) => {
            answer = () => resolve(undefined);
          })
        : undefined;
    const settled = async () => {
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    };
    return { broker, api, answer: () => answer(), settled };
  }

  it("tells what was made after the early time-out had answered, and only that", async () => {
    const { broker, api, answer, settled } = late();
    // Enough for a login when it begins; the timer of the early time-out asks a second time.
    let asked = 0;
    const getRemainingTimeInMillis = () => (asked++ === 0 ? 28_000 : 310);
    const response = await api.send(apiEvent(), { getRemainingTimeInMillis });
    expect([response.status, response.body.code]).toEqual([503, "busy"]);
    expect(api.lines).toMatchObject([{ reason: "timed_out", login_attempts: 1 }]);
    expect(api.lines[0]).not.toHaveProperty("late");
    expect(api.mints).toEqual([]);

    // As after an hour in which the sandbox was frozen.
    await broker.clock.advance(60 * minute);
    answer();
    await settled();
    expect(api.lines).toHaveLength(2);
    const [first, second] = api.lines;
    expect(second).toMatchObject({
      late: true,
      verb: "token",
      code: "busy",
      scope: "sales",
      request_id: first?.request_id,
      caller: first?.caller,
      time: first?.time,
      logins: 1,
      minted_lease_id: expect.any(String),
      LateRecords: 1,
    });
    for (const field of [
      "login_attempts",
      "LoginAttempts",
      "status",
      "Latency",
      "Failures",
      "token_sha256",
      "lease_id",
    ])
      expect(second).not.toHaveProperty(field);
    expect(api.mints).toMatchObject([
      { lease_id: second?.minted_lease_id, request_id: first?.request_id, client_id: "clientOne" },
    ]);
    // The sweeper finds it there.
    expect(JSON.stringify(broker.row())).toContain(second?.minted_lease_id);
  });

  it("names no holder, though the work came to a token", async () => {
    const { audit, lines } = recorded(() => 1_700_000_000_000);
    let finish = () => {};
    const send = apiFunction({
      routes: {
        [`POST ${resources.token}`]: {
          verb: "token",
          lock: "callers",
          handle: async ({ audit: found }) => {
            await new Promise<void>((resolve) => {
              finish = resolve;
            });
            Object.assign(found, {
              outcome: "minted",
              lease_id: "lease-one",
              token_sha256: "0".repeat(64),
              lease_ends_at: 1,
              token_ends_at: 2,
              logins: 1,
            });
            return json(200, {});
          },
        },
      },
      audit,
    });
    await send(apiEvent(), { getRemainingTimeInMillis: () => 310 });
    finish();
    await new Promise(setImmediate);
    expect(lines[1]).toMatchObject({ late: true, logins: 1 });
    for (const field of ["outcome", "lease_id", "token_sha256", "lease_ends_at", "token_ends_at"])
      expect(lines[1]).not.toHaveProperty(field);
  });

  it("is of a sweep too, and names an unexpected error, not its message", async () => {
    const { audit, lines } = recorded(() => 1_700_000_000_000);
    const records = scheduledAudit("sweep", audit);
    let fail = (_: Error) => {};
    const handler = middy(async (event: object) =>
      records.follow(
        event,
        new Promise((_, reject) => {
          fail = reject;
        }),
      ),
    ).use(records) as unknown as (event: unknown, context: object) => Promise<unknown>;
    await expect(handler({}, { getRemainingTimeInMillis: () => 6 })).rejects.toThrow();
    fail(new TypeError("do-not-show-this-text"));
    await new Promise(setImmediate);
    expect(lines).toMatchObject([{ verb: "sweep" }, { verb: "sweep", late: true, error: "TypeError" }]);
    expect(lines[1]).not.toHaveProperty("Sweeps");
    expect(JSON.stringify(lines)).not.toContain("do-not-show");
  });
});

describe("a record of a lease's end", () => {
  it("is there once Looker confirmed a caller's logout, beside the request's own", async () => {
    const { api } = whole();
    const { body } = await api.token();
    await api.logOut({ body: { lease_id: body.lease_id } });
    expect(api.lines[1]).toMatchObject({
      verb: "logout",
      outcome: "revoked",
      lease_id: body.lease_id,
      revoked: 1,
      pending: 0,
      logouts: 1,
    });
    expect(api.leaseEnds).toEqual([
      {
        time: expect.any(String),
        kind: "lease_end",
        broker: "test/Broker",
        request_id: api.lines[1]?.request_id,
        verb: "logout",
        scope: "sales",
        account,
        unique_id: "AROAREPORTSERVICE000",
        lease_id: body.lease_id,
        client_id: "clientOne",
      },
    ]);
  });

  it("is not there while Looker has not confirmed it, and comes with the sweep that ends it", async () => {
    const { broker, api, sweeper } = whole();
    const { body } = await api.token();
    broker.looker.onLogout = () => "unconfirmed";
    await api.logOut();
    expect(api.leaseEnds).toEqual([]);
    await broker.clock.advance(7 * minute);
    await sweeper.run();
    expect(sweeper.leaseEnds).toEqual([]);
    expect(sweeper.lines[0]).toMatchObject({
      verb: "sweep",
      outcome: "swept",
      code: "ok",
      revoked: 0,
      pending: 1,
      // Its next try comes half a minute later.
      oldest_pending_ms: 7.5 * minute,
    });
    broker.looker.onLogout = undefined;
    await broker.clock.advance(5 * minute);
    await sweeper.run();
    expect(sweeper.leaseEnds).toMatchObject([{ verb: "sweep", lease_id: body.lease_id }]);
    expect(sweeper.lines[1]).toMatchObject({ revoked: 1, pending: 0, oldest_pending_ms: 0, logouts: 1 });
  });

  it("is there for every lease that a freeze ended", async () => {
    const { api, operator } = whole();
    const first = await api.token();
    const second = await api.token({
      identity: roleIdentity("report-nightly", { uniqueId: "AROAREPORTNIGHTLY000" }),
    });
    await operator.freeze();
    expect(operator.lines[0]).toMatchObject({ verb: "freeze", outcome: "frozen", revoked: 2, logouts: 2 });
    expect(operator.leaseEnds.map(({ lease_id, verb }) => [lease_id, verb]).sort()).toEqual(
      [
        [first.body.lease_id, "freeze"],
        [second.body.lease_id, "freeze"],
      ].sort(),
    );
    await api.token();
    expect(api.lines[2]).toMatchObject({ code: "scope_frozen", status: 403 });
  });
});

describe("a record of a sweep", () => {
  it("tells how late the longest due row was", async () => {
    const { broker, api, sweeper } = whole();
    await api.token();
    await broker.clock.advance(15 * minute);
    const late = 20 * minute;
    await broker.clock.advance(late);
    await sweeper.run();
    const { sweep_lag_ms = 0 } = sweeper.lines[0] ?? {};
    // Index times are whole seconds, rounded up.
    expect(sweep_lag_ms).toBeLessThanOrEqual(late);
    expect(sweep_lag_ms).toBeGreaterThan(late - 1_000);
  });

  it("with nothing to do is there all the same: it is the sign of life", async () => {
    const { sweeper } = whole();
    await sweeper.run();
    expect(sweeper.lines).toMatchObject([
      {
        verb: "sweep",
        outcome: "swept",
        code: "ok",
        pending: 0,
        oldest_pending_ms: 0,
        sweep_lag_ms: 0,
        Sweeps: 1,
      },
    ]);
  });

  it("that failed is no sign of life", async () => {
    const { broker, sweeper } = whole();
    broker.table.before = (operation) => {
      if (operation === "queryDue") throw new Error("no such index");
    };
    await expect(sweeper.run()).rejects.toThrow();
    expect(sweeper.lines).toMatchObject([{ verb: "sweep", code: "internal", error: "Error" }]);
    expect(sweeper.lines[0]).not.toHaveProperty("Sweeps");
  });
});

describe("a record of an operator's revocation", () => {
  it.each<[string, Record<string, string>, object]>([
    ["everything", { all: "true" }, { filters: ["all"] }],
    [
      "a caller and a time",
      { caller: `arn:aws:iam::${account}:role/report-service`, issued_before: "2023-11-14T22:13:00Z" },
      {
        filters: ["caller", "issued_before"],
        target_caller: `arn:aws:iam::${account}:role/report-service`,
        issued_before: "2023-11-14T22:13:00.000Z",
      },
    ],
    ["a client id", { client_id: "clientOne" }, { filters: ["client_id"] }],
  ])("tells by what the leases were named: %s", async (_, query, expected) => {
    const { operator } = whole();
    await operator.revoke(query);
    expect(operator.lines[0]).toMatchObject({ verb: "revoke", outcome: "revoked", code: "ok", ...expected });
  });

  it("names the lease, and who asked", async () => {
    const { api, operator } = whole();
    const { body } = await api.token();
    await operator.revoke({ lease_id: body.lease_id });
    expect(operator.lines[0]).toMatchObject({
      lease_id: body.lease_id,
      filters: ["lease_id"],
      matched: 1,
      revoked: 1,
      caller: { arn: `arn:aws:iam::${account}:role/oncall` },
    });
  });
});
