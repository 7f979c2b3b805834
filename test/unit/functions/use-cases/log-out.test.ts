import { describe, expect, it } from "vitest";
import { lookerGraceMs, refreshAt } from "../../../../functions/domain/lease.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { callerKey, inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";

const other = callerKey("AROAREPORTSERVICE999");

async function withLease() {
  const broker = inMemoryBroker();
  return { ...broker, token: await broker.issue() };
}

/** A live lease and the one that it superseded. */
async function withTwo() {
  const broker = await withLease();
  const { lease } = await broker.slot();
  if (!lease) throw new Error("no lease");
  broker.clock.jump(refreshAt(lease) - broker.clock.now());
  return { ...broker, renewed: await broker.issue() };
}

describe("logging out", () => {
  it("ends the lease at Looker, and it is served no more", async () => {
    const { logOut, looker, ask, token } = await withLease();
    expect(await logOut()).toMatchObject({ revoked: 1, pending: 0 });
    expect(looker.logouts()).toEqual([token.accessToken]);
    expect(looker.live.size).toBe(0);
    expect((await ask()).token).toMatchObject({ accessToken: "looker-token-2" });
  });

  it("leaves nothing behind in the row", async () => {
    const { logOut, slot } = await withLease();
    await logOut();
    expect(await slot()).toMatchObject({ lease: undefined, superseded: [], outbox: [] });
  });

  it("twice, or with nothing to end, is no error", async () => {
    const { logOut, looker } = await withLease();
    await logOut();
    expect(await logOut()).toMatchObject({ revoked: 0, pending: 0 });
    expect(await logOut({ key: other })).toMatchObject({ revoked: 0, pending: 0 });
    expect(looker.logouts()).toHaveLength(1);
  });

  it("ends the superseded lease too", async () => {
    const { logOut, looker } = await withTwo();
    expect(await logOut()).toMatchObject({ revoked: 2, pending: 0 });
    expect(looker.live.size).toBe(0);
  });

  it("of one lease leaves the other", async () => {
    const { logOut, ask, token, renewed } = await withTwo();
    expect(await logOut({ leaseId: token.leaseId })).toMatchObject({ revoked: 1, pending: 0 });
    expect((await ask()).token?.leaseId).toBe(renewed.leaseId);
  });

  it("of another caller's lease ends nothing", async () => {
    const { logOut, looker, token } = await withLease();
    expect(await logOut({ key: other, leaseId: token.leaseId })).toMatchObject({ revoked: 0, pending: 0 });
    expect(looker.logouts()).toEqual([]);
    expect(looker.live).toContain(token.accessToken);
  });

  it("of everything leaves the leases of others", async () => {
    const { logOut, issue, looker } = await withLease();
    const theirs = await issue({ key: other });
    await logOut();
    expect([...looker.live]).toEqual([theirs.accessToken]);
  });
});

describe("what Looker does not confirm", () => {
  it("is pending, is served no more, and is tried again when asked again", async () => {
    const { logOut, looker, ask, token } = await withLease();
    looker.onLogout = () => "unconfirmed";
    expect(await logOut()).toMatchObject({ revoked: 0, pending: 1 });
    expect((await ask()).token?.leaseId).not.toBe(token.leaseId);
    looker.onLogout = undefined;
    expect(await logOut({ leaseId: token.leaseId })).toMatchObject({ revoked: 1, pending: 0 });
  });

  it("is told apart from what it confirms", async () => {
    const { logOut, looker, slot, token } = await withTwo();
    looker.onLogout = (ended) => (ended === token.accessToken ? "unconfirmed" : undefined);
    const { audit, ...ended } = await logOut();
    expect(ended).toEqual({ revoked: 1, pending: 1 });
    expect(audit).toMatchObject({ outcome: "revoked", revoked: 1, pending: 1 });
    expect((await slot()).outbox).toMatchObject([{ leaseId: token.leaseId, attempts: 1 }]);
  });

  it("is expired, not revoked, once its Looker life is over", async () => {
    const { logOut, looker, clock } = await withLease();
    looker.onLogout = () => "unconfirmed";
    await logOut();
    clock.jump(3_600_000 + lookerGraceMs + 1_000);
    expect(await logOut()).toMatchObject({ revoked: 0, pending: 0 });
    expect(looker.logouts()).toHaveLength(1);
  });

  it("is never served, though it is fenced before Looker is asked", async () => {
    const { logOut, looker, ask, token } = await withLease();
    let served: string | undefined;
    looker.onLogout = async () => {
      served ??= (await ask()).token?.leaseId;
      return undefined;
    };
    await logOut();
    expect(served).toBeDefined();
    expect(served).not.toBe(token.leaseId);
  });

  it("for want of time is pending, and nothing is sent that could not be waited for", async () => {
    const { logOut, looker, slot } = await withLease();
    expect(await logOut({ budgetMs: 8_000 })).toMatchObject({ revoked: 0, pending: 1 });
    expect(looker.logouts()).toEqual([]);
    expect((await slot()).outbox).toHaveLength(1);
  });
});

describe("a login under way", () => {
  it("is pending, and its token is ended, not served", async () => {
    const broker = inMemoryBroker();
    let ended: Awaited<ReturnType<typeof broker.logOut>> | undefined;
    broker.looker.onLogin = async () => {
      ended ??= await broker.logOut();
      return undefined;
    };
    const { code, token } = await broker.ask();
    expect(ended).toMatchObject({ revoked: 0, pending: 1 });
    expect(broker.looker.logouts()).toEqual(["looker-token-1"]);
    expect([code, token]).toEqual(["busy", undefined]);
    expect(await broker.slot()).toMatchObject({ mint: undefined, lease: undefined, outbox: [] });
  });

  it("is not caught by the name of another lease", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = async () => {
      await broker.logOut({ leaseId: "lease-of-yesterday" });
      return undefined;
    };
    expect((await broker.ask()).token?.accessToken).toBe("looker-token-1");
  });
});

describe("a row that was edited", () => {
  it.each<[string, object]>([
    ["base_url", { base_url: "https://evil.example.com" }],
    ["client_id", { client_id: "another" }],
    ["sealed", { sealed: new Uint8Array([1, 2, 3]) }],
  ])("(%s) sends nothing anywhere, is reported, and stays pending", async (_, edit) => {
    const { logOut, looker, row } = await withLease();
    Object.assign(row().lease as object, edit);
    const { revoked, pending, audit } = await logOut();
    expect({ revoked, pending }).toEqual({ revoked: 0, pending: 1 });
    expect(audit.unreadable).toBe(1);
    expect(looker.logouts()).toEqual([]);
  });
});

describe("a dependency that does not answer", () => {
  const lost = () => {
    throw new Unavailable("dynamodb");
  };

  it("when it is the table before the fence, promises nothing", async () => {
    const { logOut, table, looker } = await withLease();
    table.before = lost;
    await expect(logOut()).rejects.toBeInstanceOf(Unavailable);
    expect(looker.logouts()).toEqual([]);
  });

  it("when it is the table, and a session is to be ended, promises nothing either", async () => {
    const { logOut, table } = await withLease();
    table.before = lost;
    await expect(logOut({ key: { ...callerKey(), session: "job" } })).rejects.toBeInstanceOf(Unavailable);
  });

  it("when it is the table after Looker's word, does not take that word back", async () => {
    const { logOut, table, looker } = await withLease();
    table.before = () => {
      if (looker.logouts().length > 0) lost();
    };
    expect(await logOut()).toMatchObject({ revoked: 1, pending: 0 });
  });

  it("when it is KMS, leaves the tokens pending", async () => {
    const { logOut, sealer, looker, slot } = await withLease();
    sealer.down = true;
    expect(await logOut()).toMatchObject({ revoked: 0, pending: 1 });
    expect(looker.logouts()).toEqual([]);
    expect((await slot()).outbox).toMatchObject([{ attempts: 1 }]);
  });

  it("when the fence's answer is lost, still ends each token once", async () => {
    const { logOut, table, looker } = await withLease();
    let losses = 0;
    table.after = (operation) => {
      if (operation === "write" && losses++ === 0) lost();
    };
    expect(await logOut()).toMatchObject({ revoked: 1, pending: 0 });
    expect(looker.logouts()).toHaveLength(1);
  });

  it("when it denies one token, leaves no other's logout under way behind the answer", async () => {
    const { logOut, sealer, looker, clock } = await withTwo();
    const unseal = sealer.unseal;
    let asked = 0;
    sealer.unseal = async (...parameters) => {
      if (++asked === 1) throw new Error("AccessDeniedException");
      return await unseal(...parameters);
    };
    let underWay = 0;
    looker.onLogout = async () => {
      underWay++;
      await clock.sleep(1_000);
      underWay--;
      return undefined;
    };
    await logOut().catch(() => undefined);
    expect(underWay).toBe(0);
  });
});
