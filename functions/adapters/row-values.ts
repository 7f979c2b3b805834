/** Values of items, read strictly. */
import { Unreadable } from "../use-cases/ports.ts";

/** A row that this version cannot read: written by a newer one, or edited. */
export class UnreadableRow extends Unreadable {}

export function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new UnreadableRow("map");
  return value as Record<string, unknown>;
}

export const isSha256 = (value: string) => /^[0-9a-f]{64}$/.test(value);

/** @param isOfShape for text that people are shown unchanged */
export function text(value: unknown, isOfShape = (_: string) => true): string {
  if (typeof value !== "string" || !isOfShape(value)) throw new UnreadableRow("text");
  return value;
}

export function number(value: unknown): number {
  // Most are times. A time beyond the range of Date would break a record or a listing later on (ECMA-262, "Time Values").
  if (typeof value !== "number" || !Number.isSafeInteger(value) || Math.abs(value) > 8e15)
    throw new UnreadableRow("number");
  return value;
}

export function numbers(value: unknown): Record<string, number> {
  return Object.fromEntries(Object.entries(record(value)).map(([name, each]) => [name, number(each)]));
}

export function list<T>(value: unknown, read: (item: unknown) => T): T[] {
  if (!Array.isArray(value)) throw new UnreadableRow("list");
  return value.map((item) => read(item));
}

export function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}
