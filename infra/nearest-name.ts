/** Advice about a misspelt name. A dozen lines, because neither Node nor the CDK has them to give. */

/**
 * Names the nearest known name, or all of them.
 * @example unknownName("setting", "organisationId", ["organizationId", "domain"])
 */
export function unknownName(kind: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined
    ? `there is no such ${kind}. The ${kind}s are ${known.join(", ")}`
    : `there is no such ${kind}. Did you mean ${nearest}?`;
}

/** The known name nearest to `name`: a part of it was left out, or at most 40 % of the letters are others. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = lettersOf(name);
  const [nearest] = known
    .map((candidate) => ({ candidate, letters: lettersOf(candidate) }))
    .map((each) => ({ ...each, edits: edits(wanted, each.letters) }))
    .filter(
      ({ letters, edits }) =>
        edits <= 0.4 * Math.max(wanted.length, letters.length) ||
        (wanted.length > 3 && letters.includes(wanted)),
    )
    .sort((a, b) => a.edits - b.edits);
  return nearest?.candidate;
}

/** `vpc_endpoint_ids` and `VpcEndpointIds` are spelt right, by another custom. */
const lettersOf = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** How many letters must be added, removed, replaced or swapped with their neighbour (optimal string alignment). */
function edits(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= from.length; row++) {
    const cells = [row];
    rows.push(cells);
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      cells.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(from.length, to.length);
}
