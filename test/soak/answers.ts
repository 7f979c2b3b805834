/** Answers of the broker and of Looker, counted, and those that nobody should get. */

/**
 * `weather`: Looker is faulty. `killed`: an instance was killed a moment ago. `frozen`: an operator froze a scope. `revoked`: an
 * operator ended leases. Each of them explains some answers.
 */
export interface Circumstances {
  readonly weather: boolean;
  readonly killed: boolean;
  readonly frozen: boolean;
  readonly revoked: boolean;
}

export interface Answered {
  readonly by: "broker" | "looker";
  readonly status: number;
  /** The broker's error code, if there is one. */
  readonly code?: string;
}

/** API Gateway's answers to an instance that died have no code. */
const whileKilled = new Set([502, 503, 504]);

export function isExplained({ by, status, code }: Answered, now: Circumstances): boolean {
  if (status === 200 || status === 202) return true;
  // A fresh token is dead only if somebody has ended it on its way to the service.
  if (by === "looker") return status === 401 ? now.frozen || now.revoked : now.weather;
  if (now.frozen && code === "scope_frozen") return true;
  // For example after a revocation during a login, or on a slow machine. The client comes again.
  if (code === "busy") return true;
  if (now.killed && whileKilled.has(status)) return true;
  return (now.weather || now.killed) && code === "looker_unavailable";
}

export class Answers {
  readonly #counts = new Map<string, number>();
  readonly #unexplained: string[] = [];

  add(answered: Answered, now: Circumstances, requestId = ""): void {
    const name = `${answered.by} ${answered.status}${answered.code === undefined ? "" : ` ${answered.code}`}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    if (!isExplained(answered, now))
      this.#unexplained.push(`${requestId} ${name} with ${JSON.stringify(now)}`.trim());
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a.localeCompare(b)));
  }

  unexplained(): readonly string[] {
    return this.#unexplained;
  }
}
