import { describe, expect, it } from "vitest";
import {
  announceVersion,
  beginAttempt,
  type Credential,
  denyClientId,
  endAttempt,
  isDenied,
  isProven,
  knowsNewerVersion,
  maxDeniedClientIds,
  newSecretControl,
  planLogin,
  type SecretControl,
} from "../../../../functions/domain/control.ts";
import type { RetiringPair } from "../../../../functions/domain/rotation.ts";

const now = 1_700_000_000_000;
const credential: Credential = {
  versionId: "v1",
  clientId: "old",
  baseUrl: "https://example.cloud.looker.com",
};
const pair: RetiringPair = { clientId: "old", userId: "7", versionId: "v1", queuedAt: now, movedAt: now };
const waiting = (more: Partial<RetiringPair> = {}): SecretControl => ({
  ...newSecretControl,
  rotation: { retiring: [{ ...pair, ...more }] },
});

describe("a pair that waits for its retirement", () => {
  it("logs in until it is denied", () => {
    expect(planLogin(waiting(), credential, now).kind).toBe("log_in");
    const denied = waiting({ denied: { at: now, by: "rotation" } });
    expect(planLogin(denied, credential, now)).toEqual({ kind: "denied", by: "rotation" });
    expect(beginAttempt(denied, credential, "owner", now)).toBeUndefined();
  });

  it("is denied by an operator if one denied it before the rotation did", () => {
    const first = denyClientId(newSecretControl, "old", now) ?? expect.fail("not denied");
    const denied = {
      ...first,
      ...waiting({ denied: { at: now, by: "rotation" } }),
      deniedClientIds: first.deniedClientIds,
    };
    expect(planLogin(denied, credential, now)).toEqual({ kind: "denied", by: "operator" });
  });

  it("takes none of the operators' places while the rotation denies it", () => {
    expect(waiting({ denied: { at: now, by: "rotation" } }).deniedClientIds).toEqual([]);
  });

  it("and that an operator denies is denied on both lists, with the time", () => {
    const denied = denyClientId(waiting({ denied: { at: 1, by: "rotation" } }), "old", now) ?? expect.fail();
    expect(denied.deniedClientIds).toHaveLength(1);
    expect(denied.rotation?.retiring[0]?.denied).toEqual({ at: now, by: "operator" });
    expect(planLogin(denied, credential, now)).toEqual({ kind: "denied", by: "operator" });
    expect(denyClientId(denied, "old", now + 1)).toBeUndefined();
  });

  it("can be denied where the operators' places are all taken", () => {
    const full = { ...waiting(), deniedClientIds: Array.from({ length: maxDeniedClientIds }, String) };
    const denied = denyClientId(full, "old", now) ?? expect.fail("no room");
    expect(planLogin(denied, credential, now)).toEqual({ kind: "denied", by: "operator" });
    expect(isDenied(denied, "old")).toBe(true);
    expect(denied.deniedClientIds).toHaveLength(maxDeniedClientIds);
    expect(denyClientId(full, "another", now)).toBeUndefined();
  });
});

it("only the rotation of a denied pair still logs in with it", () => {
  const denied = denyClientId(newSecretControl, "old", now) ?? expect.fail("not denied");
  const options = { evenDenied: true };
  expect(planLogin(denied, credential, now, options)).toEqual({ kind: "log_in", writeAhead: true });
  expect(beginAttempt(denied, credential, "owner", now, options)?.attempts).toHaveLength(1);
});

describe("a version that became current", () => {
  const begun = beginAttempt(newSecretControl, credential, "owner", now) ?? expect.fail("not begun");
  const worked = endAttempt(begun, credential, "owner", { kind: "worked" }, now) ?? expect.fail("not ended");

  it("is announced to instances that read the secret before", () => {
    expect(knowsNewerVersion(worked, "v0", now + 60_000)).toBe(false);
    const announced = announceVersion(worked, credential, now + 90_000) ?? expect.fail("not announced");
    expect(knowsNewerVersion(announced, "v0", now + 60_000)).toBe(true);
    expect(planLogin(announced, credential, now)).toEqual({ kind: "log_in", writeAhead: false });
  });

  it("is not announced before it has logged in", () => {
    expect([isProven(begun, credential), isProven(worked, credential)]).toEqual([false, true]);
    expect(announceVersion(begun, credential, now)).toBeUndefined();
  });
});
