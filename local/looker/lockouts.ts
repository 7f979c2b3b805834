/** Looker: "four failed logins in a row from one IP" lock the credential for that IP for five minutes. */
const FAILURES_TO_LOCK = 4;
const LOCK_MS = 5 * 60_000;
/** Failures of invented client ids must not grow without bound; the oldest pair is forgotten first. */
const MAX_PAIRS = 10_000;

interface Lockout {
  key: string;
  clientId: string;
  ip: string;
  failCount: number;
  lockedAt?: number;
}

export class Lockouts {
  readonly #pairs = new Map<string, Lockout>();

  /** A lock that has run out also forgets its failures: the next four count anew. */
  isLocked(clientId: string, ip: string, now: number): boolean {
    const key = keyOf(clientId, ip);
    const lockedAt = this.#pairs.get(key)?.lockedAt;
    if (lockedAt === undefined) return false;
    if (now < lockedAt + LOCK_MS) return true;
    this.#pairs.delete(key);
    return false;
  }

  /** Not to be called while locked: whether attempts prolong Looker's lock is not documented; here they do not. */
  failed(clientId: string, ip: string, now: number): void {
    const key = keyOf(clientId, ip);
    const pair = this.#pairs.get(key) ?? { key, clientId, ip, failCount: 0 };
    pair.failCount += 1;
    if (pair.failCount >= FAILURES_TO_LOCK) pair.lockedAt = now;
    this.#pairs.set(key, pair);
    const oldest = this.#pairs.keys().next();
    if (this.#pairs.size > MAX_PAIRS && !oldest.done) this.#pairs.delete(oldest.value);
  }

  succeeded(clientId: string, ip: string): void {
    this.#pairs.delete(keyOf(clientId, ip));
  }

  locked(now: number): (Lockout & { lockedAt: number })[] {
    return [...this.#pairs.values()].flatMap((pair) =>
      pair.lockedAt !== undefined && now < pair.lockedAt + LOCK_MS
        ? [{ ...pair, lockedAt: pair.lockedAt }]
        : [],
    );
  }

  /** False when there is no such lock. */
  lift(key: string, now: number): boolean {
    return this.locked(now).some((lockout) => lockout.key === key) && this.#pairs.delete(key);
  }
}

function keyOf(clientId: string, ip: string): string {
  return `api3:${clientId}:${ip}`;
}
