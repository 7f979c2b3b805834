/**
 * Filter patterns of CloudWatch Logs, as far as the broker's filters need them: patterns for JSON with `=`, `!=`, `&&`, `||` and
 * parentheses. Anything else in a pattern is an error.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
type Condition = (event: unknown) => boolean;

const token =
  /\s*(?:(?<sign>[(){}]|&&|\|\|)|(?<selector>\$(?:\.[\w-]+|\[\d+\])+)\s*(?<operator>!?=)\s*(?:"(?<quoted>[^"\\]*)"|(?<bare>[\w.*-]+)))\s*/y;

interface Token {
  readonly sign?: string;
  readonly condition?: Condition;
}

export function matchesFilterPattern(pattern: string, message: string): boolean {
  const condition = parse(pattern);
  let event: unknown;
  try {
    event = JSON.parse(message);
  } catch {
    return false;
  }
  return condition(event);
}

/** The properties that the pattern names, such as `$.error`: only these can be dimensions. */
export const selectorsOf = (pattern: string): string[] =>
  [...pattern.replaceAll(/"[^"]*"/g, '""').matchAll(/\$[\w.[\]-]+/g)].map(([selector]) => selector);

function parse(pattern: string): Condition {
  const tokens = tokensOf(pattern);
  const take = (sign: string) => tokens[0]?.sign === sign && tokens.shift() !== undefined;
  const must = (sign: string) => {
    if (!take(sign)) throw new Error(`${pattern}: there is no ${sign}`);
  };
  const one = (): Condition => {
    if (take("(")) {
      const inner = anyOf();
      must(")");
      return inner;
    }
    const { condition } = tokens.shift() ?? {};
    if (!condition) throw new Error(`${pattern}: a condition is missing`);
    return condition;
  };
  // "( ) > && > ||"
  const allOf = (): Condition => {
    const all = [one()];
    while (take("&&")) all.push(one());
    return (event) => all.every((each) => each(event));
  };
  const anyOf = (): Condition => {
    const any = [allOf()];
    while (take("||")) any.push(allOf());
    return (event) => any.some((each) => each(event));
  };
  must("{");
  const condition = anyOf();
  must("}");
  if (tokens.length > 0) throw new Error(`${pattern}: it goes on after its end`);
  return condition;
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < pattern.length) {
    const { lastIndex } = token;
    const groups = token.exec(pattern)?.groups;
    if (!groups) throw new Error(`${pattern}: ${pattern.slice(lastIndex)} is not supported`);
    const { sign, selector = "", operator, quoted, bare = "" } = groups;
    tokens.push(sign ? { sign } : { condition: comparison(selector, operator === "=", quoted ?? bare) });
  }
  return tokens;
}

/** "If a property selector points to an array or object, the metric filter won't match the log format." */
function comparison(selector: string, equal: boolean, wanted: string): Condition {
  const steps = [...selector.matchAll(/[\w-]+/g)].map(([step]) => step);
  const parts = wanted.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const text = new RegExp(`^${parts.join("[^]*")}$`);
  return (event) => {
    const found = valueAt(event, steps);
    if (typeof found !== "string" && typeof found !== "number") return false;
    return text.test(String(found)) === equal;
  };
}

const valueAt = (event: unknown, steps: readonly string[]): unknown =>
  steps.reduce<unknown>(
    (value, step) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string, unknown>)[step]
        : undefined,
    event,
  );
