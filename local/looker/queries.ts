/** Bounded, because a local run may last for days. The oldest query goes first. */
const MAX_QUERIES = 1_000;

export interface WantedQuery {
  readonly model: string;
  readonly view: string;
  readonly fields: readonly string[];
}

/** Created queries. Inline queries are not kept. */
export class Queries {
  readonly #byId = new Map<string, WantedQuery>();
  /** Ids below this one belong to the sample. */
  #next = 1_000;

  add(query: WantedQuery): string {
    const id = String(this.#next++);
    this.#byId.set(id, query);
    this.#byId.delete(String(this.#next - MAX_QUERIES - 1));
    return id;
  }

  find(id: string): WantedQuery | undefined {
    return this.#byId.get(id);
  }
}
