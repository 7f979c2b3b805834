import { describe, expect, it } from "vitest";
import { logoutNeedsMs } from "../../../../functions/use-cases/end-tokens.ts";
import { callerKey, firstSecret, inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";
import { sweepNow } from "../../../support/fakes/in-memory-operator.ts";

const session = callerKey(undefined, undefined, "job");

async function withShared() {
  const broker = inMemoryBroker();
  const token = await broker.issue();
  broker.table.calls.length = 0;
  return { ...broker, broker, token };
}

describe("a confirmed end is on record", () => {
  it("with its holder, and an unconfirmed one is not", async () => {
    const { broker, logOut, looker, token } = await withShared();
    const job = await broker.issue({ key: session });
    looker.onLogout = (ended) => (ended === job.accessToken ? "unconfirmed" : undefined);
    const { scope, account, uniqueId } = callerKey();
    const ofCaller = { scope, account, unique_id: uniqueId, client_id: firstSecret.clientId };
    const { audit } = await logOut();
    expect(audit.logouts).toBe(1);
    expect(audit.lease_ends).toStrictEqual([{ ...ofCaller, lease_id: token.leaseId }]);
    looker.onLogout = undefined;
    const { audit: later } = await logOut({ key: session });
    expect(later.lease_ends).toEqual([{ ...ofCaller, session: "job", lease_id: job.leaseId }]);
  });
});

describe("a logout", () => {
  it("needs nine seconds, and not a millisecond more", async () => {
    const { logOut, looker } = await withShared();
    expect(await logOut({ budgetMs: logoutNeedsMs - 1 })).toMatchObject({ revoked: 0, pending: 1 });
    expect(looker.logouts()).toEqual([]);
    expect(await logOut({ budgetMs: logoutNeedsMs })).toMatchObject({ revoked: 1, pending: 0 });
  });

  it("costs no call beyond the fence if it is not begun", async () => {
    const { logOut, table } = await withShared();
    await logOut({ budgetMs: logoutNeedsMs - 1 });
    expect(table.calls.map(({ operation }) => operation)).toEqual(["queryOwnSlots", "write"]);
  });

  it("keeps its age if a sweep does not begin it", async () => {
    const { logOut, broker } = await withShared();
    await logOut({ budgetMs: logoutNeedsMs - 1 });
    broker.clock.jump(60_000);
    const { audit } = await sweepNow(broker, { budgetMs: logoutNeedsMs - 1 });
    expect(audit.oldest_pending_ms).toBe(60_000);
  });

  it("without KMS permission is reported as such, not as an edited row", async () => {
    const { logOut, sealer } = await withShared();
    sealer.unseal = () => Promise.reject(new Error("AccessDeniedException"));
    const { revoked, pending, audit } = await logOut();
    expect([revoked, pending, audit.reason, audit.unreadable]).toEqual([0, 1, "unseal_failed", undefined]);
  });

  it("fails on an unexpected error of the table", async () => {
    const { logOut, table, looker } = await withShared();
    table.before = () => {
      if (looker.logouts().length > 0) throw new Error("AccessDeniedException");
    };
    await expect(logOut()).rejects.toThrow("AccessDeniedException");
  });
});
