/**
 * The parameters of a query string as sent, decoded once and in order. A repeated name keeps all its values.
 * Undefined where the query string does not decode.
 */
export function parseRawQuery(
  rawQuery: string,
  decode: (text: string) => string = decodeURIComponent,
): Map<string, string[]> | undefined {
  const query = new Map<string, string[]>();
  for (const parameter of rawQuery.split("&")) {
    if (parameter === "") continue;
    const mark = parameter.indexOf("=");
    try {
      const name = decode(mark < 0 ? parameter : parameter.slice(0, mark));
      const value = mark < 0 ? "" : decode(parameter.slice(mark + 1));
      query.set(name, [...(query.get(name) ?? []), value]);
    } catch {
      return undefined;
    }
  }
  return query;
}
