import { describe, expect, test } from "vitest";
import { Lockouts } from "../../../../local/looker/lockouts.ts";

const FIVE_MINUTES = 300_000;

function failTimes(lockouts: Lockouts, times: number, now: number, clientId = "a", ip = "10.0.0.1"): void {
  for (let i = 0; i < times; i++) lockouts.failed(clientId, ip, now);
}

describe("Lockouts", () => {
  test("three failures in a row do not lock, the fourth does", () => {
    const lockouts = new Lockouts();
    failTimes(lockouts, 3, 0);
    expect(lockouts.isLocked("a", "10.0.0.1", 0)).toBe(false);
    failTimes(lockouts, 1, 0);
    expect(lockouts.isLocked("a", "10.0.0.1", 0)).toBe(true);
  });

  test("a success in between starts the count anew", () => {
    const lockouts = new Lockouts();
    failTimes(lockouts, 3, 0);
    lockouts.succeeded("a", "10.0.0.1");
    failTimes(lockouts, 3, 0);
    expect(lockouts.isLocked("a", "10.0.0.1", 0)).toBe(false);
  });

  test("a lock is for one credential and one IP", () => {
    const lockouts = new Lockouts();
    failTimes(lockouts, 4, 0);
    expect(lockouts.isLocked("b", "10.0.0.1", 0)).toBe(false);
    expect(lockouts.isLocked("a", "10.0.0.2", 0)).toBe(false);
  });

  test("a lock ends after five minutes, and four more failures are needed for the next", () => {
    const lockouts = new Lockouts();
    failTimes(lockouts, 4, 1000);
    expect(lockouts.isLocked("a", "10.0.0.1", 1000 + FIVE_MINUTES - 1)).toBe(true);
    expect(lockouts.isLocked("a", "10.0.0.1", 1000 + FIVE_MINUTES)).toBe(false);
    failTimes(lockouts, 3, 1000 + FIVE_MINUTES);
    expect(lockouts.isLocked("a", "10.0.0.1", 1000 + FIVE_MINUTES)).toBe(false);
  });

  test("a lifted lock is gone, and only a lock that is on can be lifted", () => {
    const lockouts = new Lockouts();
    failTimes(lockouts, 3, 0);
    expect(lockouts.locked(0)).toEqual([]);
    failTimes(lockouts, 1, 0);
    const [lock] = lockouts.locked(0);
    expect(lock).toMatchObject({ clientId: "a", ip: "10.0.0.1", failCount: 4, lockedAt: 0 });
    expect(lockouts.lift(lock?.key ?? "", 0)).toBe(true);
    expect(lockouts.lift(lock?.key ?? "", 0)).toBe(false);
    expect(lockouts.isLocked("a", "10.0.0.1", 0)).toBe(false);
  });
});
