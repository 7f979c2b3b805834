import { describe, expect, test } from "vitest";
import { isLive, Sessions } from "../../../../local/looker/sessions.ts";
import { sha256 } from "../../../../local/looker/token.ts";

const grant = { userId: "7", clientId: "a" };

describe("Sessions", () => {
  test("every token is new, 40 letters and digits, and leaves the earlier ones live", () => {
    const sessions = new Sessions();
    const first = sessions.issue(grant, 60, 0);
    const second = sessions.issue(grant, 60, 0);
    expect(first.token).toMatch(/^[A-Za-z0-9]{40}$/);
    expect(second.token).not.toBe(first.token);
    expect(sessions.live(0).map((token) => token.sha256)).toEqual([
      sha256(first.token),
      sha256(second.token),
    ]);
  });

  test("a token is dead from the moment its life is over", () => {
    const sessions = new Sessions();
    const { session } = sessions.issue(grant, 60, 1000);
    expect(isLive(session, 60_999)).toBe(true);
    expect(isLive(session, 61_000)).toBe(false);
    expect(sessions.live(61_000)).toEqual([]);
  });

  test("expiring and ending count live tokens only, and touch no others", () => {
    const sessions = new Sessions();
    sessions.issue(grant, 60, 0);
    sessions.issue({ userId: "8", clientId: "b" }, 60, 0);
    expect(sessions.end((session) => session.clientId === "a", 0)).toBe(1);
    expect(sessions.end((session) => session.clientId === "a", 0)).toBe(0);
    expect(sessions.live(0).map((token) => token.clientId)).toEqual(["b"]);
    expect(sessions.expire(() => true, 0)).toBe(1);
    expect(sessions.live(0)).toEqual([]);
  });

  test("a dead session is remembered for a day after its expiry, then forgotten", () => {
    const sessions = new Sessions();
    const { session } = sessions.issue(grant, 60, 0);
    sessions.issue(grant, 60, 86_400_000);
    expect(sessions.find(session.sha256)).toBeDefined();
    sessions.issue(grant, 60, 60_000 + 86_400_000);
    expect(sessions.find(session.sha256)).toBeUndefined();
  });

  test("the state holds no token", () => {
    const sessions = new Sessions();
    const { token, session } = sessions.issue(grant, 60, 0);
    expect(JSON.stringify([session, sessions.live(0)])).not.toContain(token);
  });
});
