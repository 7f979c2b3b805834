/** Checks of a definition's shape. They report each mistake with its field, and go on. */

/** Tells of a mistake in a field. */
export type Complain = (field: string, error: string) => void;

/** Advice about an unknown field. */
export type UnknownFieldAdvice = (name: string, fields: readonly string[]) => string;

export const listFields: UnknownFieldAdvice = (_, known) =>
  `is not a field. The fields are ${known.join(", ")}`;

/** The compiler keeps such an object whole. A list could miss a field. */
export type FieldsOf<Definition> = Readonly<Record<keyof Definition, true>>;

export function refuseUnknown(
  value: Record<string, unknown>,
  known: Readonly<Record<string, true>>,
  wrong: Complain,
  advice: UnknownFieldAdvice,
): void {
  for (const key of Object.keys(value))
    if (!Object.hasOwn(known, key)) wrong(key, advice(key, Object.keys(known)));
}

/** Complaints about the fields of a field. */
export const within =
  (parent: string, wrong: Complain): Complain =>
  (field, error) =>
    wrong(`${parent}.${field}`, error);

/** The number, or the preset where none is written or after a complaint. */
export function parseInteger(
  value: unknown,
  field: string,
  [min, max]: [number, number],
  preset: number,
  wrong: Complain,
): number {
  if (value === undefined) return preset;
  const number = value as number;
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  wrong(field, `must be a whole number from ${min} to ${max}`);
  return preset;
}

/** Of own fields alone: the JSON file of the functions has no inherited ones. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  // Another realm has another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
