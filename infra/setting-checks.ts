/**
 * Checks of a setting's shape. Types alone do not hold: JavaScript has none, Node strips them, and TypeScript lets
 * unknown names pass in a function's result.
 */
import { Token } from "aws-cdk-lib";
import { unknownName } from "./nearest-name.ts";

/** Lists the faults of a value, each as a line that begins with its path. */
export type Check = (value: unknown, path: string) => string[];

/** A check for each setting of a type: the compiler refuses a list with one missing, or one too many. */
export type Checks<Settings> = { readonly [Name in keyof Settings]-?: Check };

/** An object with these settings and no others. Those in `needed` must be given. */
export function settings<Settings extends object>(
  checks: Checks<Settings>,
  needed: readonly (keyof Settings & string)[] = [],
): Check {
  const byName = checks as Readonly<Record<string, Check>>;
  return (value, path) => {
    if (!isPlainObject(value))
      return [`${path || "settings"}: must be an object of settings, not ${shown(value)}`];
    const inside = path === "" ? "" : `${path}.`;
    const missing = needed.filter((name) => value[name] === undefined);
    return [
      ...missing.map((name) => `${inside}${name}: is missing`),
      ...Object.entries(value).flatMap(([name, given]) => {
        const check = Object.hasOwn(byName, name) ? byName[name] : undefined;
        if (!check) return [`${inside}${name}: ${unknownName("setting", name, Object.keys(byName))}`];
        return given === undefined ? [] : check(given, inside + name);
      }),
    ];
  };
}

/** For values with a check elsewhere. */
export const anything: Check = () => [];

export const trueOrFalse: Check = (value, path) =>
  typeof value === "boolean" ? [] : [`${path}: must be true or false, not ${shown(value)}`];

/** `meaning` completes "… is not": "an organisation's id, like …". */
export function text(shape: RegExp, meaning: string): Check {
  return (value, path) =>
    // A value that is known at deployment only cannot be checked here.
    typeof value === "string" && (shape.test(value) || Token.isUnresolved(value))
      ? []
      : [`${path}: ${shown(value)} is not ${meaning}`];
}

/** `whenEmpty`: the reason to refuse an empty list. */
export function listOf(item: Check, whenEmpty?: string): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return [`${path}: must be a list, not ${shown(value)}`];
    if (value.length === 0 && whenEmpty !== undefined) return [`${path}: ${whenEmpty}`];
    // A hole in a list, as in [, "x"], is undefined here. `flatMap` alone would pass over it.
    return Array.from(value).flatMap((each) => item(each, path));
  };
}

export function oneOf(...values: readonly (string | number)[]): Check {
  const all = values.map((value) => JSON.stringify(value));
  const list = `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
  return (value, path) =>
    values.some((each) => each === value) ? [] : [`${path}: must be ${list}, not ${shown(value)}`];
}

export function wholeNumber(minimum: number, maximum = Number.POSITIVE_INFINITY, unit = ""): Check {
  const bounds =
    maximum === Number.POSITIVE_INFINITY ? `above ${minimum - 1}` : `from ${minimum} to ${maximum}`;
  return (value, path) =>
    Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum
      ? []
      : [`${path}: must be a whole number ${unit}${bounds}, not ${shown(value)}`];
}

export const numberAboveZero: Check = (value, path) =>
  Number.isFinite(value) && (value as number) > 0
    ? []
    : [`${path}: must be a number above 0, not ${shown(value)}`];

/** An object that the CDK made, known by a property: the type's own class cannot be asked, because it is an interface. */
export function madeByCdk(property: string, example: string): Check {
  return (value, path) =>
    typeof value === "object" && value !== null && property in value
      ? []
      : [`${path}: must be an object of the CDK, like ${example}, not ${shown(value)}`];
}

/** A promise, a `Map` and an array would mean all defaults, because none has settings of its own. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  // Objects of another realm, as in a sandbox of a test runner, have another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value instanceof Promise) return "a promise";
  if (typeof value === "object" && value !== null)
    return isPlainObject(value) ? "an object" : "an object of a class";
  if (typeof value === "function") return "a function";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : String(value);
}
