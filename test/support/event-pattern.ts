/**
 * EventBridge's matching, as far as the broker's rules need it: lists of values, nested fields, arrays in an event (of
 * which one element suffices), and `$or`. Anything else in a pattern is an error.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
 */
type Fields = Readonly<Record<string, unknown>>;

export function matchesEvent(pattern: Fields, event: unknown): boolean {
  if (Array.isArray(event)) return event.some((each) => matchesEvent(pattern, each));
  if (typeof event !== "object" || event === null) return false;
  return Object.entries(pattern).every(([field, wanted]) => {
    if (field === "$or") return (wanted as Fields[]).some((each) => matchesEvent(each, event));
    const found = (event as Fields)[field];
    if (!Array.isArray(wanted)) return matchesEvent(wanted as Fields, found);
    if (!wanted.every((value) => typeof value === "string"))
      throw new Error(`${field}: only plain values are supported`);
    return [found].flat().some((value) => wanted.includes(value as string));
  });
}
