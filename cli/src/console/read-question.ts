/** The page's question, read strictly: an unknown field is refused, because passed over it could end more than was meant. */
import { isScopeName } from "@looker-token-broker/client/broker";
import type { Filter } from "../filter.ts";
import { UsageError } from "../usage-error.ts";
import type { QuestionName, Questions } from "./messages.ts";

type Read = { readonly [Name in QuestionName]: (fields: Fields) => Questions[Name] };
type Fields = Readonly<Record<string, unknown>>;

const read: Read = {
  look: (fields) => ({ used: only(fields, ["used"]).used === true }),
  account: (fields) => ({ scope: scopeIn(only(fields, ["scope"])) }),
  whose(fields) {
    const { token_sha256 } = only(fields, ["token_sha256"]);
    if (typeof token_sha256 !== "string" || !/^[0-9a-f]{64}$/.test(token_sha256))
      throw new UsageError("token_sha256 must be a SHA-256 in hexadecimal.");
    return { token_sha256 };
  },
  count: (fields) => ({ scope: scopeIn(fields), filter: filterIn(only(fields, ["scope", "filter"])) }),
  revoke(fields) {
    const scope = scopeIn(only(fields, ["scope", "filter", "typed"]));
    const filter = filterIn(fields);
    if (filter.all) requireTyped(fields, scope);
    return { scope, filter };
  },
  freeze(fields) {
    const scope = scopeIn(only(fields, ["scope", "reason", "typed"]));
    const { reason } = fields;
    if (typeof reason !== "string" || reason.trim() === "") throw new UsageError("A freeze needs a reason.");
    return { scope, reason, typed: requireTyped(fields, scope) };
  },
  unfreeze: (fields) => ({ scope: scopeIn(only(fields, ["scope"])) }),
};

export const isQuestion = (name: string): name is QuestionName => Object.hasOwn(read, name);

/** @throws {UsageError} */
export function readQuestion<Name extends QuestionName>(name: Name, body: string): Questions[Name] {
  let fields: unknown;
  try {
    fields = JSON.parse(body);
  } catch {
    fields = undefined;
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields))
    throw new UsageError("The question must be a JSON object.");
  return read[name](fields as Fields);
}

function only(fields: Fields, known: readonly string[]): Fields {
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError("The question has an unknown field.");
  return fields;
}

function scopeIn({ scope }: Fields): string {
  if (typeof scope !== "string" || !isScopeName(scope)) throw new UsageError("scope must be a scope's name.");
  return scope;
}

function requireTyped({ typed }: Fields, scope: string): string {
  if (typed !== scope)
    throw new UsageError("The scope's name must be typed, as it concerns all of the scope.");
  return scope;
}

const filterFields = ["lease_id", "caller", "issued_before", "client_id"] as const;

function filterIn({ filter }: Fields): Filter {
  const given = Object.entries(Object(filter) as Fields);
  const isAll = given.length === 1 && given[0]?.[0] === "all" && given[0][1] === "true";
  const isKnown = given.every(
    ([name, value]) =>
      filterFields.some((each) => each === name) && typeof value === "string" && value !== "",
  );
  if (given.length === 0 || !(isAll || isKnown))
    throw new UsageError("The filter is not one that the page sends.");
  return Object.fromEntries(given);
}
