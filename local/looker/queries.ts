/** A local run may last for days; the oldest queries go first. */
const MAX_QUERIES = 1_000;

export interface WantedQuery {
  readonly model: string;
  readonly view: string;
  readonly fields: readonly string[];
}

/** Queries that a tool created. One that it runs at once, inline, is not kept. */
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
