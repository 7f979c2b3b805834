import { describe, expect, it } from "vitest";
import type { LoginOutcome } from "../../../../functions/use-cases/ports.ts";
import { callerKey, firstSecret, inMemoryBroker, secretId } from "../../../support/fakes/in-memory-broker.ts";
import { sweepNow } from "../../../support/fakes/in-memory-operator.ts";

/** Looker has made an unusable token. The token lives until it is logged out. */
function withUnusableToken() {
  const broker = inMemoryBroker();
  broker.looker.onLogin = (call): LoginOutcome | undefined => {
    if (call > 1) return undefined;
    broker.looker.live.add("odd-token");
    return { kind: "failed", reason: "status_201", unusableToken: "odd-token" };
  };
  return broker;
}

describe("an answer with an unusable token", () => {
  it("has the token logged out, and is a failure with nothing left behind", async () => {
    const broker = withUnusableToken();
    const { code, problem, audit } = await broker.ask();
    expect(code).toBe("looker_unavailable");
    expect(problem?.detail).toContain("status_201");
    expect(JSON.stringify([problem, audit])).not.toContain("odd-token");
    expect(broker.looker.logouts()).toEqual(["odd-token"]);
    expect(broker.looker.live.size).toBe(0);
    expect(audit.possible_orphans).toBeUndefined();
    // The login brought nothing, so the budget has it back.
    expect(Object.values((await broker.slot()).mintedAt)).toEqual([[]]);
  });

  it("proves the secret by the token's end, so nobody else waits for a trial of the secret", async () => {
    const broker = withUnusableToken();
    await broker.ask();
    const attempts = async () => (await broker.table.secretControls.read(secretId)).attempts;
    expect(await attempts()).toMatchObject([{ state: "worked" }]);
    expect((await broker.ask({ key: callerKey("AROAANOTHERSERVICE00") })).code).toBe("ok");
  });

  it("proves nothing if Looker does not confirm the token's end", async () => {
    const broker = withUnusableToken();
    broker.looker.onLogout = () => "unconfirmed";
    await broker.ask();
    expect((await broker.table.secretControls.read(secretId)).attempts).toMatchObject([{ state: "trying" }]);
  });

  it("is tracked, and spends the budget, until Looker confirms the token's end", async () => {
    const broker = withUnusableToken();
    broker.looker.onLogout = () => "unconfirmed";
    const { code, audit } = await broker.ask();
    expect([code, audit.possible_orphans]).toEqual(["looker_unavailable", undefined]);
    expect(broker.looker.logouts().length).toBeGreaterThan(1);
    expect(Object.values((await broker.slot()).mintedAt)).toMatchObject([[expect.any(Number)]]);
    expect(await broker.logOut()).toMatchObject({ revoked: 0, pending: 1 });
    broker.looker.onLogout = undefined;
    broker.clock.jump(60_000);
    expect(await sweepNow(broker)).toMatchObject({ revoked: 1, pending: 0 });
    expect(broker.looker.live.size).toBe(0);
  });

  it("is counted as a possible orphan if it could not be sealed, and Looker does not confirm its end", async () => {
    const broker = withUnusableToken();
    broker.sealer.seal = () => Promise.reject(new Error("kms"));
    broker.looker.onLogout = () => "unconfirmed";
    const { code, audit } = await broker.ask();
    expect([code, audit.possible_orphans]).toEqual(["looker_unavailable", 1]);
  });

  it("has the logout tried again after a moment's trouble at Looker", async () => {
    const broker = withUnusableToken();
    let asked = 0;
    broker.looker.onLogout = () => (++asked === 1 ? "failed" : undefined);
    expect((await broker.ask()).audit.possible_orphans).toBeUndefined();
    expect(broker.looker.live.size).toBe(0);
  });
});

describe("a clear answer other than a login", () => {
  it("with status 403 blames the port or the path, to the caller and in the record", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "failed", reason: "status_403" });
    const { code, problem, audit } = await broker.ask();
    expect([code, audit.reason]).toEqual(["looker_unavailable", "login_failed_status_403"]);
    expect(problem?.detail).toMatch(/403: the port or the path is wrong.*lookerUrl/);
  });

  it.each(["html", "status_302", "wrong_shape"])(
    "(%s) is named to the caller, and is not blamed on a slow Looker",
    async (reason) => {
      const broker = inMemoryBroker();
      broker.looker.onLogin = () => ({ kind: "failed", reason });
      const { problem, audit } = await broker.ask();
      expect(problem?.detail).toContain(reason);
      expect(problem?.detail).not.toContain("in time");
      expect(audit.possible_orphans).toBeUndefined();
    },
  );

  it("leaves the attempt written ahead standing, because Looker may have counted it", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "failed", reason: "html" });
    await broker.ask();
    expect((await broker.table.secretControls.read(secretId)).attempts).toMatchObject([{ state: "trying" }]);
  });
});

it("a version that blocks logins stops blocking them once it is replaced, also on an instance with a copy of it", async () => {
  const broker = inMemoryBroker();
  broker.looker.onLogin = (call) => (call === 1 ? { kind: "unknown", reason: "timeout" } : undefined);
  await broker.ask();
  broker.stored.set(secretId, { ...firstSecret, versionId: "version-2" });
  broker.clock.jump(30_000);
  const { code, audit } = await broker.ask({ key: callerKey("AROAANOTHERSERVICE00") });
  expect([code, audit.secret_version]).toEqual(["ok", "version-2"]);
});

describe("a login that did not reach Looker", () => {
  it.each(["certificate", "ECONNREFUSED"])(
    "(%s) blocks nobody: a right new secret is tried again at once",
    async (reason) => {
      const broker = inMemoryBroker();
      broker.looker.onLogin = (call) => (call === 1 ? { kind: "unreached", reason } : undefined);
      const { problem, audit } = await broker.ask();
      expect(problem?.detail).toMatch(/lookerUrl and its certificate/);
      expect([audit.reason, audit.possible_orphans]).toEqual([`login_unreached_${reason}`, undefined]);
      expect((await broker.ask({ key: callerKey("AROAREPORTSERVICE001") })).code).toBe("ok");
    },
  );
});

it("a login with a lost answer is counted, and leaves its budget spent, because a token may be there", async () => {
  const broker = inMemoryBroker();
  broker.looker.onLogin = () => ({ kind: "unknown", reason: "timeout" });
  const { problem, audit } = await broker.ask();
  expect(audit.possible_orphans).toBe(1);
  expect(problem?.detail).toMatch(/in time/);
  expect(Object.values((await broker.slot()).mintedAt)).toMatchObject([[expect.any(Number)]]);
});
