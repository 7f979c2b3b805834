import { randomBytes } from "node:crypto";

/** One pair of API credentials of an account. */
export interface Pair {
  /** Looker's `credentials_api3_id`: unique in the instance, and never used again. */
  readonly id: string;
  readonly userId: string;
  readonly clientId: string;
  clientSecret: string;
  readonly createdAt: number;
  /** Free text of the account's owner. */
  purpose: string | null;
  /** The API shows it. No call of the API writes it. */
  disabled: boolean;
}

export type NewPair = Pick<Pair, "userId" | "clientId" | "clientSecret" | "createdAt"> & { purpose?: string };

/** The lengths of Looker's own. */
export const randomClient = () => ({
  clientId: randomBytes(10).toString("hex"),
  clientSecret: randomBytes(12).toString("hex"),
});

export class Pairs {
  readonly #byClientId = new Map<string, Pair>();
  /** Those of deleted pairs, too. */
  readonly #usedClientIds = new Set<string>();
  #lastId = 0;

  add({ purpose, ...pair }: NewPair): Pair {
    if (this.isUsed(pair.clientId)) throw new Error(`Client id ${pair.clientId} is already in use.`);
    this.#usedClientIds.add(pair.clientId);
    this.#lastId += 1;
    const added = { ...pair, id: String(this.#lastId), purpose: purpose ?? null, disabled: false };
    this.#byClientId.set(pair.clientId, added);
    return added;
  }

  isUsed(clientId: string): boolean {
    return this.#usedClientIds.has(clientId);
  }

  all(): Pair[] {
    return [...this.#byClientId.values()];
  }

  /** In the order of their creation. */
  of(userId: string): Pair[] {
    return this.all().filter((pair) => pair.userId === userId);
  }

  find(clientId: string): Pair | undefined {
    return this.#byClientId.get(clientId);
  }

  delete({ clientId }: Pair): void {
    this.#byClientId.delete(clientId);
  }
}
