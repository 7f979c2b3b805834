import type { SignIn } from "./sign-ins.ts";
import { newToken, sha256 } from "./token.ts";

/** Dead sessions are remembered this long after their expiry, so that a late logout is answered as Looker does. */
const REMEMBER_MS = 24 * 3_600_000;

/** Holds the token's SHA-256 only: a dump of this state gives nobody access. */
export interface Session {
  readonly sha256: string;
  readonly userId: string;
  /** For a person's token the GUID of the app. */
  readonly clientId: string;
  /** Of a person, to an app. */
  readonly signIn?: SignIn;
  /** The admin who is acting as `userId`, as in Looker's `sudo_user_id`. */
  readonly sudoUserId?: string;
  expiresAt: number;
  /** Lives as long as the token: whoever shares the token shares the switch. */
  workspaceId: "production" | "dev";
  ended: boolean;
}

export interface LiveToken {
  sha256: string;
  userId: string;
  clientId: string;
  expiresAt: number;
}

interface Grant {
  userId: string;
  clientId: string;
  sudoUserId?: string;
  signIn?: SignIn;
}

export class Sessions {
  readonly #bySha256 = new Map<string, Session>();

  /** Every login is a new token; earlier ones stay valid until they expire or are logged out. */
  issue(grant: Grant, lifeSeconds: number, now: number): { token: string; session: Session } {
    this.#forget(now);
    const token = newToken();
    const session: Session = {
      ...grant,
      sha256: sha256(token),
      expiresAt: now + lifeSeconds * 1000,
      workspaceId: "production",
      ended: false,
    };
    this.#bySha256.set(session.sha256, session);
    return { token, session };
  }

  find(tokenSha256: string): Session | undefined {
    return this.#bySha256.get(tokenSha256);
  }

  live(now: number): LiveToken[] {
    return [...this.#bySha256.values()]
      .filter((session) => isLive(session, now))
      .map(({ sha256, userId, clientId, expiresAt }) => ({ sha256, userId, clientId, expiresAt }));
  }

  /** As if their life had run out on its own. Returns how many were live. */
  expire(which: (session: Session) => boolean, now: number): number {
    return this.#changeLive(which, now, (session) => {
      session.expiresAt = now;
    });
  }

  /** As if they had been logged out. Returns how many were live. */
  end(which: (session: Session) => boolean, now: number): number {
    return this.#changeLive(which, now, endSession);
  }

  #changeLive(which: (session: Session) => boolean, now: number, change: (session: Session) => void): number {
    const chosen = [...this.#bySha256.values()].filter((session) => isLive(session, now) && which(session));
    for (const session of chosen) change(session);
    return chosen.length;
  }

  /** A Map keeps insertion order, so the oldest are first and this stops early. */
  #forget(now: number): void {
    for (const [key, session] of this.#bySha256) {
      if (session.expiresAt + REMEMBER_MS > now) return;
      this.#bySha256.delete(key);
    }
  }
}

export function isLive(session: Session, now: number): boolean {
  return !isEnded(session) && now < session.expiresAt;
}

export function isEnded({ ended, signIn }: Session): boolean {
  return ended || signIn?.ended === true;
}

/** A person's logout ends the whole sign-in: `DELETE /logout` ends the refresh token, too. */
export function endSession(session: Session): void {
  session.ended = true;
  if (session.signIn !== undefined) session.signIn.ended = true;
}
