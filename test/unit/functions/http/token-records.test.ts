/** Records of requests for a token. test/support/fakes/recorded.ts holds each to the schema. */
import { describe, expect, it } from "vitest";
import { resources } from "../../../../functions/contract.ts";
import { lookerGraceMs } from "../../../../functions/domain/lease.ts";
import type { MintPorts } from "../../../../functions/use-cases/mint-job.ts";
import { apiEvent, apiFunction, roleIdentity } from "../../../support/fakes/api-function.ts";
import { account, inMemoryBroker, lookerUrl } from "../../../support/fakes/in-memory-broker.ts";
import { recorded } from "../../../support/fakes/recorded.ts";
import { whole, withOvertakenLogin } from "../../../support/fakes/recorded-broker.ts";

const minute = 60_000;

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

  it("names the lease reported stale by its caller, and the new one", async () => {
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

  it("of a refusal names the refusing list and its patterns, and the caller hears neither", async () => {
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

  it("of an unknown scope names the refusing list, and no patterns", async () => {
    const { api } = whole();
    await api.token({ scope: "payroll" });
    expect(api.lines[0]).toMatchObject({ code: "not_allowed", reason: "unknown_scope", lock: "callers" });
    expect(api.lines[0]).not.toHaveProperty("patterns");
  });

  it("of a failure at Looker says how it failed", async () => {
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

  it("of a login overtaken by a revocation names its lease, and does not count as a mint", async () => {
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

  it("of a token served after a failed refresh gives the reason of the failure", async () => {
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

  it("of a login not tried counts the lock-out avoided", async () => {
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

  it("of a request out of time names the dependency that it waited for", async () => {
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
