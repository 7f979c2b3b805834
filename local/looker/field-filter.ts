/** `?fields=id,folder(id,name)`, Looker's partial answers: https://cloud.google.com/looker/docs/api-getting-started#fields */

type Wanted = Map<string, Wanted | undefined>;

/** A list is filtered item by item. A name that the answer lacks is ignored. */
export function onlyFields(value: unknown, fields: string): unknown {
  const wanted = parse(fields);
  return wanted.size === 0 ? value : pick(value, wanted);
}

function pick(value: unknown, wanted: Wanted): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, wanted));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      if (!wanted.has(name)) return [];
      const within = wanted.get(name);
      return [[name, within === undefined ? inner : pick(inner, within)]];
    }),
  );
}

function parse(fields: string): Wanted {
  const outermost: Wanted = new Map();
  const open = [outermost];
  let last = "";
  for (const [token] of fields.matchAll(/[^\s,()]+|[()]/g)) {
    const current = open.at(-1) ?? outermost;
    if (token === "(") {
      const inner: Wanted = new Map();
      current.set(last, inner);
      open.push(inner);
    } else if (token === ")") {
      open.pop();
    } else {
      current.set(token, undefined);
      last = token;
    }
  }
  return outermost;
}
