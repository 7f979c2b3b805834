import type { Ids } from "../../../functions/use-cases/ports.ts";

/** Deterministic names of 16 characters. Give each instance of a fleet its own prefix: names must not meet. */
export function countingIds(prefix = "id"): Ids & { readonly given: string[] } {
  const given: string[] = [];
  return {
    given,
    next() {
      const id = prefix + String(given.length + 1).padStart(16 - prefix.length, "0");
      given.push(id);
      return id;
    },
  };
}
