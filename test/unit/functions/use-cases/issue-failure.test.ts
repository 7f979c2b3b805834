import { describe, expect, it } from "vitest";
import { digestOf } from "../../../../functions/domain/digest.ts";
import { loginTimeoutMs } from "../../../../functions/domain/lease.ts";
import { lockMs } from "../../../../functions/domain/slot.ts";
import { type LoginOutcome, Unavailable, Unreadable } from "../../../../functions/use-cases/ports.ts";
import { callerKey, inMemoryBroker, secretId } from "../../../support/fakes/in-memory-broker.ts";

const lost = () => {
  throw new Unavailable("dynamodb");
};

describe("a login that brings no token", () => {
  it.each<[LoginOutcome, string]>([
    [{ kind: "rejected" }, "looker_rejected_credentials"],
    [{ kind: "throttled", retryAfterSeconds: 30 }, "looker_unavailable"],
    [{ kind: "throttled", retryAfterSeconds: undefined }, "looker_unavailable"],
    [{ kind: "unreached", reason: "refused" }, "looker_unavailable"],
    [{ kind: "failed", reason: "html" }, "looker_unavailable"],
    [{ kind: "unknown", reason: "timeout" }, "looker_unavailable"],
  ])("%o is answered %s, gives the lock back, and is tried once", async (outcome, code) => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => outcome;
    const answer = await broker.ask();
    expect(answer.code).toBe(code);
    expect(answer.problem?.detail).toBeTruthy();
    expect(answer.problem?.detail).not.toMatch(/secret-of-one|clientOne/);
    expect(broker.looker.logins()).toBe(1);
    expect(await broker.slot()).toMatchObject({ mint: undefined, lease: undefined, failures: [{ code }] });
  });

  it("and whose end is unknown counts as a possible orphan", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "unknown", reason: "timeout" });
    expect((await broker.ask()).audit.possible_orphans).toBe(1);
  });

  it("and did not reach Looker is tried again soon, as if it had not been", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = (call) => (call === 1 ? { kind: "unreached", reason: "refused" } : undefined);
    await broker.ask();
    broker.clock.jump(1_000);
    expect((await broker.ask()).code).toBe("ok");
  });

  it("because Looker asks for fewer rests the secret for all callers", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = (call) => (call === 1 ? { kind: "throttled", retryAfterSeconds: 30 } : undefined);
    expect((await broker.ask()).problem?.retryAfterSeconds).toBe(30);
    const other = await broker.ask({ key: callerKey("AROAREPORTSERVICE999"), on: broker.instance() });
    expect([other.code, other.problem?.retryAfterSeconds]).toEqual(["looker_unavailable", 30]);
    expect(broker.looker.logins()).toBe(1);
  });
});

describe("a lease that is due for renewal", () => {
  it("is served when the lock for renewing it cannot be written", async () => {
    const broker = inMemoryBroker();
    const { accessToken } = await broker.issue();
    broker.clock.jump(800_000);
    broker.table.before = (operation) => {
      if (operation === "write") lost();
    };
    const { code, token } = await broker.ask();
    expect([code, token?.accessToken]).toEqual(["ok", accessToken]);
    expect(broker.looker.logins()).toBe(1);
  });
});

describe("a secret that cannot be used", () => {
  it.each(["not_found", "access_denied", "malformed", "deleted"] as const)(
    "(%s) sends nothing to Looker",
    async (reason) => {
      const broker = inMemoryBroker();
      broker.stored.set(secretId, reason);
      const { code, audit } = await broker.ask();
      expect(code).toBe("looker_rejected_credentials");
      expect(audit.reason).toBe(`secret_${reason}`);
      expect(broker.looker.ledger).toEqual([]);
      expect((await broker.slot()).mint).toBeUndefined();
    },
  );

  it("because its client id was denied logs in no more", async () => {
    const broker = inMemoryBroker();
    await broker.table.secretControls.write(
      secretId,
      {
        version: 1,
        writeId: "w",
        attempts: [],
        throttles: [],
        deniedClientIds: [digestOf("clientOne")],
      },
      0,
    );
    expect((await broker.ask()).code).toBe("looker_rejected_credentials");
    expect(broker.looker.ledger).toEqual([]);
  });

  it("because Secrets Manager is down is a matter of trying again", async () => {
    const broker = inMemoryBroker();
    broker.first.secrets.down = true;
    expect((await broker.ask()).code).toBe("busy");
    broker.first.secrets.down = false;
    broker.clock.jump(1_000);
    expect((await broker.ask()).code).toBe("ok");
  });

  it("in time, since Secrets Manager was slow, does not begin a login that would outlive its lock", async () => {
    const broker = inMemoryBroker();
    broker.table.after = (operation) => {
      if (operation === "readControls") broker.clock.jump(lockMs - loginTimeoutMs + 1);
    };
    expect((await broker.ask()).code).toBe("busy");
    expect(broker.looker.ledger).toEqual([]);
    broker.table.after = undefined;
    broker.clock.jump(1_000);
    expect((await broker.ask()).code).toBe("ok");
  });
});

it("a request with too little time left begins no login", async () => {
  const broker = inMemoryBroker();
  expect((await broker.ask({ budgetMs: 17_000 })).code).toBe("busy");
  expect(broker.table.calls.map(({ operation }) => operation)).toEqual(["readForIssue"]);
});

describe("a token with less than 30 seconds to live", () => {
  it("is ended, never served, and is a failure", async () => {
    const broker = inMemoryBroker();
    broker.looker.lifeSeconds = 29;
    const { code, audit } = await broker.ask();
    expect(code).toBe("looker_unavailable");
    expect(audit.reason).toBe("token_too_short");
    expect(broker.looker.live.size).toBe(0);
    expect(await broker.slot()).toMatchObject({
      lease: undefined,
      mint: undefined,
      outbox: [],
      failures: [{ count: 1 }],
    });
  });

  it("stays tracked when its end is not confirmed", async () => {
    const broker = inMemoryBroker();
    broker.looker.lifeSeconds = 29;
    broker.looker.onLogout = () => "unconfirmed";
    await broker.ask();
    expect((await broker.slot()).outbox).toHaveLength(1);
  });
});

describe("without KMS", () => {
  it("a fresh token is ended, since it cannot be kept", async () => {
    const broker = inMemoryBroker();
    broker.sealer.down = true;
    const { code, audit } = await broker.ask();
    expect(code).toBe("busy");
    expect(broker.looker.logouts()).toEqual(["looker-token-1"]);
    expect(audit.possible_orphans).toBeUndefined();
    expect((await broker.slot()).mint).toBeUndefined();
    broker.sealer.down = false;
    broker.clock.jump(1_000);
    expect((await broker.ask()).token?.accessToken).toBe("looker-token-2");
  });

  it("a fresh token whose end Looker does not confirm is counted", async () => {
    const broker = inMemoryBroker();
    broker.sealer.down = true;
    broker.looker.onLogout = () => "unconfirmed";
    expect((await broker.ask()).audit.possible_orphans).toBe(1);
  });

  it("a lease that is there is not replaced: the request is to be repeated", async () => {
    const broker = inMemoryBroker();
    const token = await broker.issue();
    broker.sealer.down = true;
    expect((await broker.ask()).code).toBe("busy");
    broker.sealer.down = false;
    expect(await broker.issue()).toEqual(token);
    expect(broker.looker.logins()).toBe(1);
  });
});

describe("the answer to the store", () => {
  const isSlot = (key: string) => key.includes("caller#");

  it.each(["before", "after"] as const)("lost once %s its effect changes nothing", async (when) => {
    const broker = inMemoryBroker();
    let losses = 0;
    broker.table[when] = (operation, key) => {
      if (operation === "write" && isSlot(key) && broker.looker.logins() === 1 && losses++ === 0) lost();
    };
    expect((await broker.ask()).token?.accessToken).toBe("looker-token-1");
    expect(broker.looker.logouts()).toEqual([]);
    expect(losses).toBeGreaterThan(0);
  });

  it("lost for good after its effect ends the token: its lease heals by a stale report", async () => {
    const broker = inMemoryBroker();
    let down = false;
    broker.table.before = () => {
      if (down) lost();
    };
    broker.table.after = (operation, key) => {
      if (operation !== "write" || !isSlot(key) || broker.looker.logins() === 0) return;
      down = true;
      lost();
    };
    const { code, audit } = await broker.ask();
    expect([code, audit.possible_orphans]).toEqual(["busy", undefined]);
    expect(broker.looker.live.size).toBe(0);
    broker.table.before = undefined;
    broker.table.after = undefined;
    // Nobody could be told that it is dead.
    const { token } = await broker.ask();
    expect(token?.accessToken).toBe("looker-token-1");
    // The attempt that was written ahead stands: its end could not be recorded either.
    broker.clock.jump(360_000);
    expect((await broker.ask({ staleLeaseId: token?.leaseId })).token?.accessToken).toBe("looker-token-2");
  });

  it("lost for good before its effect ends the token, and the lock runs out", async () => {
    const broker = inMemoryBroker();
    broker.table.before = () => {
      if (broker.looker.logins() > 0) lost();
    };
    const { code, audit } = await broker.ask();
    expect([code, audit.possible_orphans]).toEqual(["busy", undefined]);
    expect(broker.looker.live.size).toBe(0);
    broker.table.before = undefined;
    expect((await broker.ask()).code).not.toBe("ok");
    broker.clock.jump(360_000);
    expect((await broker.ask()).token?.accessToken).toBe("looker-token-2");
  });
});

it("the loss of the note that a version worked costs nobody the token", async () => {
  const broker = inMemoryBroker();
  broker.table.before = (operation, key) => {
    if (operation === "write" && key.startsWith("secret#") && broker.looker.logins() > 0) lost();
  };
  expect((await broker.ask()).token?.accessToken).toBe("looker-token-1");
});

describe("a row that was written by a newer version, or edited", () => {
  it("sends nothing and serves nothing", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.row().schema = 99;
    await expect(broker.ask()).rejects.toBeInstanceOf(Unreadable);
    expect(broker.looker.ledger).toHaveLength(1);
  });

  it("while a login was under way leaves no token that nobody ends or counts", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => {
      broker.row().schema = 99;
      return undefined;
    };
    await broker.ask().catch(() => undefined);
    expect(broker.looker.live.size).toBe(0);
  });
});

describe("a lease whose row was edited", () => {
  it.each<[string, (lease: Record<string, unknown>) => void]>([
    ["base_url", (lease) => Object.assign(lease, { base_url: "https://evil.example.com" })],
    ["client_id", (lease) => Object.assign(lease, { client_id: "another" })],
    ["lease_id", (lease) => Object.assign(lease, { lease_id: "lease-of-somebody" })],
    ["sealed", (lease) => Object.assign(lease, { sealed: new Uint8Array([1, 2, 3]) })],
  ])("(%s) is reported, sends nothing anywhere, and is replaced", async (_, edit) => {
    const broker = inMemoryBroker();
    await broker.issue();
    edit(broker.row().lease as Record<string, unknown>);
    const { token, audit } = await broker.ask();
    expect(token?.accessToken).toBe("looker-token-2");
    expect(audit.unreadable).toBe(1);
    expect(broker.looker.logouts()).toEqual([]);
    expect(broker.looker.ledger.map(({ baseUrl }) => baseUrl)).not.toContain("https://evil.example.com");
    expect((await broker.ask()).audit).toMatchObject({ outcome: "hit" });
  });
});
