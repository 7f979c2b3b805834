/** Values of DynamoDB items. Reading is strict: a value of another type or shape makes its row unreadable. */
import type { Versioned } from "../domain/control.ts";
import { Unreadable } from "../use-cases/ports.ts";

export type Item = Record<string, unknown>;
export type ItemKey = { pk: string; sk: string };

/**
 * Numbers of the rows' shape. Two versions of the functions run side by side while a deployment lasts, so a shape is read one
 * release before it is written.
 */
const schema = { written: 1, readable: [1] as readonly unknown[] };
/** The row was edited, or written by a newer version. */
export class UnreadableRow extends Unreadable {}

export const head = (row: Versioned): Item => ({
  schema: schema.written,
  version: row.version,
  write_id: row.writeId,
});

export const version = (item: Item): Versioned => ({
  version: number(item.version),
  writeId: text(item.write_id),
});

export function checkSchema(item: Item): void {
  if (!schema.readable.includes(item.schema)) throw new UnreadableRow("schema");
}

export function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new UnreadableRow("map");
  return value as Record<string, unknown>;
}

export const isSha256 = (value: string) => /^[0-9a-f]{64}$/.test(value);

/** `isOfShape` is for text that people are shown. */
export function text(value: unknown, isOfShape = (_: string) => true): string {
  if (typeof value !== "string" || !isOfShape(value)) throw new UnreadableRow("text");
  return value;
}

export function number(value: unknown): number {
  // Most are times. A time beyond the range of Date would break a record or a listing later (ECMA-262, "Time Values").
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
