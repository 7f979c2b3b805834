import { describe, expect, it } from "vitest";
import {
  type AttemptOutcome,
  attemptBackoffMs,
  beginAttempt,
  denyClientId,
  endAttempt,
  knowsNewerVersion,
  newSecretControl,
  planLogin,
  type SecretControl,
} from "../../../../functions/domain/control.ts";
import { digestOf } from "../../../../functions/domain/digest.ts";

const now = 1_700_000_000_000;
const baseUrl = "https://example.cloud.looker.com";
const secret = { versionId: "version-1", clientId: "clientOne", baseUrl };

function begin(control: SecretControl, owner = "owner-1", at = now): SecretControl {
  const begun = beginAttempt(control, secret, owner, at);
  if (!begun) throw new Error("the attempt was not begun");
  return begun;
}
const end = (control: SecretControl, outcome: AttemptOutcome, owner = "owner-1", at = now) =>
  endAttempt(control, secret, owner, outcome, at) ?? control;

describe("a version that was never tried", () => {
  it("is written ahead of its first login", () => {
    expect(planLogin(newSecretControl, secret, now)).toEqual({ kind: "log_in", writeAhead: true });
    expect(begin(newSecretControl).attempts).toEqual([
      {
        versionId: "version-1",
        baseUrl,
        state: "trying",
        owner: "owner-1",
        at: now,
        until: now + attemptBackoffMs,
        clientId: digestOf("clientOne"),
      },
    ]);
  });

  it("is tried by one at a time", () => {
    const trying = begin(newSecretControl);
    expect(planLogin(trying, secret, now + 1)).toMatchObject({ kind: "trying" });
    expect(beginAttempt(trying, secret, "owner-2", now + 1)).toBeUndefined();
  });

  it("may be begun twice by the same owner, whose first answer was lost", () => {
    const trying = begin(newSecretControl);
    expect(begin(trying, "owner-1", now + 1)).toEqual(trying);
  });

  it.each(["__proto__", "constructor", "toString"])("may be called %s", (versionId) => {
    const odd = { ...secret, versionId };
    expect(planLogin(newSecretControl, odd, now)).toEqual({ kind: "log_in", writeAhead: true });
    const begun = beginAttempt(newSecretControl, odd, "owner-1", now);
    expect(begun && planLogin(begun, odd, now)).toMatchObject({ kind: "trying" });
  });
});

describe("a version under trial whose end nobody told", () => {
  it("is not tried again before Looker's lock-out has passed", () => {
    const trying = begin(newSecretControl);
    expect(planLogin(trying, secret, now + attemptBackoffMs - 1)).toMatchObject({ kind: "trying" });
    expect(planLogin(trying, secret, now + attemptBackoffMs)).toEqual({ kind: "log_in", writeAhead: true });
  });

  it("waits for longer than Looker locks a credential out", () => {
    expect(attemptBackoffMs).toBeGreaterThan(300_000);
  });
});

describe("a version that worked", () => {
  const worked = end(begin(newSecretControl), { kind: "worked" });

  it("is used by all at once from then on, with nothing written ahead", () => {
    expect(planLogin(worked, secret, now + 1)).toEqual({ kind: "log_in", writeAhead: false });
    expect(planLogin(worked, secret, now + 100 * attemptBackoffMs)).toEqual({
      kind: "log_in",
      writeAhead: false,
    });
  });

  it("is recorded once", () => {
    expect(endAttempt(worked, secret, "owner-2", { kind: "worked" }, now + 1)).toBeUndefined();
  });

  it("stops everybody when Looker rejects it later", () => {
    const rejected = end(worked, { kind: "rejected" }, "owner-2", now + 5);
    expect(planLogin(rejected, secret, now + 6)).toMatchObject({
      kind: "rejected",
      until: now + 5 + attemptBackoffMs,
    });
  });
});

describe("a version that was rejected", () => {
  const rejected = end(begin(newSecretControl), { kind: "rejected" });

  it("is tried once per back-off", () => {
    expect(planLogin(rejected, secret, now + attemptBackoffMs - 1)).toMatchObject({ kind: "rejected" });
    const again = begin(rejected, "owner-2", now + attemptBackoffMs);
    expect(planLogin(again, secret, now + attemptBackoffMs)).toMatchObject({ kind: "trying" });
    expect(beginAttempt(again, secret, "owner-3", now + attemptBackoffMs)).toBeUndefined();
  });

  it("does not hinder another version", () => {
    expect(planLogin(rejected, { ...secret, versionId: "version-2" }, now)).toMatchObject({ kind: "log_in" });
  });

  it("is not pushed further away by others that were rejected at the same time", () => {
    expect(endAttempt(rejected, secret, "owner-2", { kind: "rejected" }, now + 1_000)).toBeUndefined();
  });
});

describe("a login that did not reach Looker", () => {
  it("was no attempt", () => {
    expect(end(begin(newSecretControl), { kind: "not_tried" }).attempts).toEqual([]);
  });

  it("does not take back another's attempt", () => {
    expect(
      endAttempt(begin(newSecretControl), secret, "owner-2", { kind: "not_tried" }, now),
    ).toBeUndefined();
  });

  it("does not take back what worked meanwhile", () => {
    const worked = end(begin(newSecretControl), { kind: "worked" });
    expect(endAttempt(worked, secret, "owner-1", { kind: "not_tried" }, now)).toBeUndefined();
  });
});

describe("a throttled secret", () => {
  const throttled = end(newSecretControl, { kind: "throttled", until: now + 30_000 });

  it("rests for all its versions", () => {
    expect(planLogin(throttled, secret, now + 29_999)).toEqual({ kind: "throttled", until: now + 30_000 });
    expect(planLogin(throttled, { ...secret, versionId: "version-2" }, now)).toMatchObject({
      kind: "throttled",
    });
    expect(beginAttempt(throttled, secret, "owner-1", now)).toBeUndefined();
  });

  it("is used again when the rest is over", () => {
    expect(planLogin(throttled, secret, now + 30_000)).toMatchObject({ kind: "log_in" });
  });

  it("never rests less than it was told", () => {
    const outcome: AttemptOutcome = { kind: "throttled", until: now + 10_000 };
    expect(endAttempt(throttled, secret, "owner-1", outcome, now)).toBeUndefined();
  });
});

describe("a pair at two Lookers", () => {
  const elsewhere = { ...secret, baseUrl: "https://other.cloud.looker.com" };

  it("that worked at one is proven by one login at the other", () => {
    const worked = end(begin(newSecretControl), { kind: "worked" });
    expect(planLogin(worked, elsewhere, now)).toEqual({ kind: "log_in", writeAhead: true });
    const trying = beginAttempt(worked, elsewhere, "owner-2", now) ?? expect.fail("not begun");
    expect(planLogin(trying, elsewhere, now)).toMatchObject({ kind: "trying" });
    expect(planLogin(trying, secret, now)).toEqual({ kind: "log_in", writeAhead: false });
  });

  it("that is rejected at one still serves the other", () => {
    const worked = end(begin(newSecretControl), { kind: "worked" });
    const rejected =
      endAttempt(worked, elsewhere, "owner-2", { kind: "rejected" }, now) ?? expect.fail("not recorded");
    expect(planLogin(rejected, elsewhere, now)).toMatchObject({ kind: "rejected" });
    expect(planLogin(rejected, secret, now)).toEqual({ kind: "log_in", writeAhead: false });
  });

  it("that is denied is denied at both", () => {
    const denied = denyClientId(newSecretControl, "clientOne", 0) ?? expect.fail("not denied");
    expect([secret, elsewhere].map((each) => planLogin(denied, each, now).kind)).toEqual([
      "denied",
      "denied",
    ]);
  });

  it("rests only where it was told to", () => {
    const throttled = end(newSecretControl, { kind: "throttled", until: now + 30_000 });
    expect(planLogin(throttled, secret, now)).toEqual({ kind: "throttled", until: now + 30_000 });
    expect(planLogin(throttled, elsewhere, now)).toMatchObject({ kind: "log_in" });
    const both =
      endAttempt(throttled, elsewhere, "owner-1", { kind: "throttled", until: now + 10_000 }, now) ??
      expect.fail("not recorded");
    expect(planLogin(both, secret, now)).toEqual({ kind: "throttled", until: now + 30_000 });
    expect(planLogin(both, elsewhere, now)).toEqual({ kind: "throttled", until: now + 10_000 });
  });
});

describe("a denied client id", () => {
  const denied = { ...newSecretControl, deniedClientIds: [digestOf("clientOne")] };

  it("logs in under no version, worked or not", () => {
    expect(planLogin(denied, secret, now)).toEqual({ kind: "denied", by: "operator" });
    const worked = {
      ...end(begin(newSecretControl), { kind: "worked" }),
      deniedClientIds: [digestOf("clientOne")],
    };
    expect(planLogin(worked, secret, now)).toEqual({ kind: "denied", by: "operator" });
    expect(beginAttempt(denied, secret, "owner-1", now)).toBeUndefined();
  });

  it("does not hinder the client id that replaces it", () => {
    expect(
      planLogin(denied, { ...secret, versionId: "version-2", clientId: "clientTwo" }, now),
    ).toMatchObject({
      kind: "log_in",
    });
  });
});

describe("a newer version", () => {
  const met = begin(newSecretControl);

  it.each([
    ["another version, tried after this one was read", "version-0", now - 1, true],
    ["another version, tried before this one was read", "version-0", now + 1, false],
    ["this version itself", "version-1", now - 1, false],
  ])("is known of %s: %#", (_, versionId, readAt, expected) => {
    expect(knowsNewerVersion(met, versionId, readAt)).toBe(expected);
  });
});

it("attempts are bounded: the row stays small, and the latest are kept", () => {
  let control: SecretControl = newSecretControl;
  for (let version = 1; version <= 50; version++) {
    const next = { ...secret, versionId: `version-${version}` };
    control = beginAttempt(control, next, "owner-1", now + version) ?? control;
  }
  const kept = control.attempts.map(({ versionId }) => versionId);
  expect(kept.length).toBeLessThanOrEqual(8);
  expect(kept).toContain("version-50");
  expect(kept).toContain("version-44");
  expect(kept).not.toContain("version-1");
});
