/**
 * CloudFormation's intrinsic functions, as far as this project's template uses them. Whatever is not known here is
 * an error that names where it stands: a value guessed wrongly would be a local run that is not the deployed thing.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */

/** Names what in the template the local run cannot follow. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  constructor(where: string, problem: string) {
    super(`The template cannot be run locally: ${where}: ${problem}`);
  }
}

export interface References {
  /** `Ref` of a resource, a pseudo parameter or a parameter. */
  ref(name: string): string | undefined;
  attribute(logicalId: string, attribute: string): string | undefined;
}

/** Resolves every intrinsic function within a value. `where` is the logical id, for errors. */
export function resolveValue(value: unknown, where: string, references: References): unknown {
  const resolve = (inner: unknown) => resolveValue(inner, where, references);
  if (Array.isArray(value)) {
    // `AWS::NoValue` takes the item away.
    return value.filter((item) => !isNoValue(item)).map(resolve);
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first && isFunction(first[0]))
    return call(first[0], first[1], where, references, resolve);
  for (const [key] of entries)
    if (isFunction(key)) throw new TemplateError(where, `${key} must stand alone in its object`);
  return Object.fromEntries(
    entries.filter(([, inner]) => !isNoValue(inner)).map(([key, inner]) => [key, resolve(inner)]),
  );
}

const isFunction = (key: string) => key === "Ref" || key.startsWith("Fn::");
const isNoValue = (value: unknown) =>
  typeof value === "object" && value !== null && "Ref" in value && value.Ref === "AWS::NoValue";

function call(
  name: string,
  argument: unknown,
  where: string,
  references: References,
  resolve: (value: unknown) => unknown,
): unknown {
  const unsupported = (problem: string) => new TemplateError(where, `${name}: ${problem}`);
  const text = (value: unknown): string => {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      return String(value);
    throw unsupported(`${JSON.stringify(value)} is not text`);
  };
  const list = (value: unknown, length?: number): unknown[] => {
    if (Array.isArray(value) && (length === undefined || value.length === length)) return value;
    throw unsupported(`${JSON.stringify(value)} is not a list${length === undefined ? "" : ` of ${length}`}`);
  };
  const ref = (id: string): string => {
    const found = references.ref(id);
    if (found === undefined) throw unsupported(`${JSON.stringify(id)} is nothing that is known here`);
    return found;
  };
  const attribute = (logicalId: string, attributeName: string): string => {
    const found = references.attribute(logicalId, attributeName);
    if (found === undefined) throw unsupported(`${logicalId}.${attributeName} is nothing that is known here`);
    return found;
  };

  switch (name) {
    case "Ref":
      return ref(text(argument));
    case "Fn::GetAtt": {
      const [logicalId, ...path] =
        typeof argument === "string" ? argument.split(".") : list(argument, 2).map(text);
      return attribute(logicalId ?? "", path.join("."));
    }
    case "Fn::Join": {
      const [separator, items] = list(argument, 2);
      return list(resolve(items)).map(text).join(text(separator));
    }
    case "Fn::Split": {
      const [separator, source] = list(argument, 2);
      return text(resolve(source)).split(text(separator));
    }
    case "Fn::Select": {
      const [index, source] = list(argument, 2);
      const items = list(resolve(source));
      const item = items[Number(text(resolve(index)))];
      if (item === undefined) throw unsupported(`there is no item ${text(index)} of ${items.length}`);
      return item;
    }
    case "Fn::Sub": {
      const [pattern, variables] = typeof argument === "string" ? [argument, {}] : list(argument, 2);
      const ownVariables = resolve(variables) as Record<string, unknown>;
      return text(pattern).replace(/\$\{(!?)([^}]*)\}/g, (_, literal: string, id: string) => {
        if (literal) return `\${${id}}`;
        if (Object.hasOwn(ownVariables, id)) return text(ownVariables[id]);
        const dot = id.indexOf(".");
        return dot < 0 ? ref(id) : attribute(id.slice(0, dot), id.slice(dot + 1));
      });
    }
    default:
      throw unsupported("is not supported");
  }
}
