/** An item's size as DynamoDB counts it: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export function itemBytes(item: object): number {
  return fieldsOf(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return Math.ceil(String(value).replace(/\D|0+$/g, "").length / 2) + 1;
  if (value instanceof Uint8Array) return value.byteLength;
  // Three bytes for a list or a map, and one more for each of its elements.
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + 1 + valueBytes(each), 3);
  if (typeof value === "object" && value !== null) return 3 + fieldsOf(value).length + itemBytes(value);
  return 1;
}

const fieldsOf = (value: object) => Object.entries(value).filter(([, field]) => field !== undefined);
