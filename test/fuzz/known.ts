/** What is known to break and is left out until it is mended; then it goes from here, and is tried like everything else. */
import type { Case } from "./cases.ts";

export function isKnown({ event, rowChanges }: Case): boolean {
  const { httpMethod, resource } = Object(event) as Record<string, unknown>;
  return (
    // `readEvent` cannot make text of every object: it throws, and again where the error is to be answered and recorded.
    [httpMethod, resource].some((part) => typeof part === "object" && part !== null) ||
    rowChanges.some(
      ({ value }) =>
        // rows.ts takes for a time what no Date can hold: a listing fails, and a token request leaves no record.
        (typeof value === "number" && Math.abs(value) > 8e15) ||
        // rows.ts takes any text for a lease's SHA-256, and it gets into the record.
        (typeof value === "string" && !/^[\x20-\x7e]{0,200}$/.test(value)),
    )
  );
}
