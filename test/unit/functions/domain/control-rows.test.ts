import { describe, expect, it } from "vitest";
import {
  advanceJob,
  attemptBackoffMs,
  beginAttempt,
  endAttempt,
  knowsNewerVersion,
  newScopeControl,
  newSecretControl,
  raiseEpoch,
} from "../../../../functions/domain/control.ts";

const now = 1_700_000_000_000;
const baseUrl = "https://example.cloud.looker.com";
const secret = { versionId: "version-1", clientId: "clientOne", baseUrl };
const elsewhere = { ...secret, baseUrl: "https://other.cloud.looker.com" };
const begun = beginAttempt(newSecretControl, secret, "owner-1", now) ?? expect.fail("not begun");

describe("a job's progress", () => {
  const control = raiseEpoch(newScopeControl, now, undefined);
  const at = (nextPartition: number) => ({ ...control, job: { ...control.job, nextPartition } });

  it("is noted forward alone: a later call with less progress writes nothing", () => {
    expect(advanceJob(at(3), control.job, 4, 16)?.job?.nextPartition).toBe(4);
    expect(advanceJob(at(3), control.job, 3, 16)).toBeUndefined();
    expect(advanceJob(at(3), control.job, 2, 16)).toBeUndefined();
  });
});

it("a version met at the very moment of reading is not newer", () => {
  expect(knowsNewerVersion(begun, "version-0", now)).toBe(false);
});

describe("the record of a login", () => {
  it("keeps the start of a login if it worked", () => {
    const worked = endAttempt(begun, secret, "owner-1", { kind: "worked" }, now + 5_000);
    expect(worked?.attempts).toMatchObject([{ state: "worked", at: now }]);
  });

  it("is written anew where the row has lost it, unless nothing was tried", () => {
    const later = now + 5_000;
    for (const kind of ["worked", "rejected"] as const)
      expect(endAttempt(newSecretControl, secret, "owner-1", { kind }, later)?.attempts).toMatchObject([
        { state: kind, at: later },
      ]);
    expect(endAttempt(newSecretControl, secret, "owner-1", { kind: "not_tried" }, later)).toBeUndefined();
  });

  it("counts another rejection anew, once the last rejection's back-off is over", () => {
    const rejected = endAttempt(begun, secret, "owner-1", { kind: "rejected" }, now) ?? expect.fail("none");
    const until = now + attemptBackoffMs;
    expect(endAttempt(rejected, secret, "owner-2", { kind: "rejected" }, until - 1)).toBeUndefined();
    expect(endAttempt(rejected, secret, "owner-2", { kind: "rejected" }, until)?.attempts).toMatchObject([
      { state: "rejected", until: until + attemptBackoffMs },
    ]);
  });

  it("takes back only its own attempt if nothing was tried", () => {
    const both = beginAttempt(begun, elsewhere, "owner-2", now) ?? expect.fail("not begun");
    const left = endAttempt(both, secret, "owner-1", { kind: "not_tried" }, now);
    expect(left?.attempts).toMatchObject([{ baseUrl: elsewhere.baseUrl }]);
  });
});

describe("a Looker's rest", () => {
  const rest = (until: number, from = newSecretControl, at = now, credential = secret) =>
    endAttempt(from, credential, "owner-1", { kind: "throttled", until }, at);
  const resting = rest(now + 10_000) ?? expect.fail("none");

  it("is prolonged, and not written where it is as long already", () => {
    expect(rest(now + 10_001, resting)?.throttles).toEqual([{ baseUrl, until: now + 10_001 }]);
    expect(rest(now + 10_000, resting)).toBeUndefined();
  });

  it("of another Looker is kept while it lasts, and dropped when it is over", () => {
    const other = { baseUrl: elsewhere.baseUrl, until: now + 30_000 };
    expect(rest(other.until, resting, now + 9_999, elsewhere)?.throttles).toEqual([
      ...resting.throttles,
      other,
    ]);
    expect(rest(other.until, resting, now + 10_000, elsewhere)?.throttles).toEqual([other]);
  });
});
