/** Reads a query. What is not in the subset is refused by name, never skipped. */
import { aggregateFunctions } from "./aggregates.ts";
import { functions } from "./functions.ts";
import {
  type Aggregate,
  type Command,
  type Comparison,
  type Expression,
  InsightsError,
  type Query,
} from "./syntax.ts";
import { type Token, tokensOf } from "./tokens.ts";

const comparisons: readonly string[] = ["=", "!=", "<", "<=", ">", ">="];

export function parseQuery(text: string): Query {
  const reader = new Reader(tokensOf(text));
  const commands = [reader.command()];
  while (reader.takes("|")) commands.push(reader.command());
  reader.end();
  return commands;
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  command(): Command {
    const name = this.#word("a command");
    switch (name) {
      case "filter":
        return { kind: "filter", condition: this.#either() };
      case "fields": {
        const value = this.#value();
        if (value.kind === "field" && !this.#is("as"))
          return { kind: "display", names: this.#more(value.name) };
        this.#need("as");
        return { kind: "fields", value, as: this.#word("a name") };
      }
      case "parse":
        return { kind: "parse", field: this.#word("a field"), pattern: this.#patternWithGroups() };
      case "stats": {
        const aggregates = this.#list(() => this.#aggregate());
        this.#need("by");
        return { kind: "stats", aggregates, by: this.#list(() => this.#word("a field")) };
      }
      case "sort": {
        const field = this.#word("a field");
        // By one field, with its direction: the page shows no other form.
        // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
        const descending = this.takes("desc");
        if (!descending) this.#need("asc");
        return { kind: "sort", field, descending };
      }
      case "display":
        return { kind: "display", names: this.#list(() => this.#word("a field")) };
      case "limit":
        return { kind: "limit", rows: Number(this.#take("number", "a number")) };
      default:
        throw new InsightsError(`The command ${name} is not in the local subset.`);
    }
  }

  end(): void {
    if (this.#token.kind !== "end") this.#unexpected("a | or the end");
  }

  takes(text: string): boolean {
    const found = this.#is(text);
    if (found) this.#at++;
    return found;
  }

  #is(text: string): boolean {
    const { kind } = this.#token;
    return this.#token.text === text && (kind === "sign" || kind === "word");
  }

  /** The rest of a list of names. */
  #more(first: string): string[] {
    return [first, ...(this.takes(",") ? this.#list(() => this.#word("a field")) : [])];
  }

  #aggregate(): Aggregate {
    const name = this.#word("a function");
    if (!aggregateFunctions.has(name))
      throw new InsightsError(`The function ${name} of stats is not in the local subset.`);
    this.#need("(");
    const field = name === "count" && this.takes("*") ? "*" : this.#word("a field");
    this.#need(")");
    this.#need("as");
    return { function: name, field, as: this.#word("a name") };
  }

  #either(): Expression {
    let left = this.#both();
    while (this.takes("or")) left = { kind: "or", left, right: this.#both() };
    return left;
  }

  #both(): Expression {
    let left = this.#condition();
    while (this.takes("and")) left = { kind: "and", left, right: this.#condition() };
    return left;
  }

  #condition(): Expression {
    if (this.takes("(")) {
      const inner = this.#either();
      this.#need(")");
      return inner;
    }
    const left = this.#value();
    if (this.takes("in")) {
      this.#need("[");
      const list = this.#list(() => this.#literal());
      this.#need("]");
      return { kind: "in", value: left, list };
    }
    if (this.takes("like")) return { kind: "like", value: left, pattern: this.#pattern() };
    const operator = this.#token.text;
    if (this.#token.kind !== "sign" || !comparisons.includes(operator)) {
      if (left.kind === "call") return left;
      return this.#unexpected("a comparison");
    }
    this.#at++;
    return { kind: "compare", operator: operator as Comparison, left, right: this.#value() };
  }

  #value(): Expression {
    let left = this.#operand();
    while (this.takes("*")) left = { kind: "product", left, right: this.#operand() };
    return left;
  }

  #operand(): Expression {
    if (this.#token.kind === "period")
      return { kind: "period", length: periodOf(this.#take("period", "a period")) };
    if (this.#token.kind !== "word") return { kind: "literal", value: this.#literal() };
    const name = this.#word("a value");
    if (!this.takes("(")) return { kind: "field", name };
    if (!functions.has(name)) throw new InsightsError(`The function ${name} is not in the local subset.`);
    const args = this.takes(")") ? [] : this.#list(() => this.#value());
    if (args.length > 0) this.#need(")");
    return { kind: "call", function: name, args };
  }

  #literal(): string | number {
    if (this.#token.kind === "number") return Number(this.#take("number", "a number"));
    return this.#take("string", "a value");
  }

  #pattern(): RegExp {
    const text = this.#take("pattern", "a pattern between slashes");
    // Hyperscan, which CloudWatch uses, knows neither: https://intel.github.io/hyperscan/dev-reference/compilation.html
    if (/\(\?<?[=!]|\\\d/.test(text))
      throw new InsightsError(`CloudWatch knows no look-around and no back-reference: /${text}/.`);
    return new RegExp(text);
  }

  #patternWithGroups(): RegExp {
    const pattern = this.#pattern();
    if (groupsOf(pattern).length === 0) throw new InsightsError(`parse needs a named group: ${pattern}.`);
    return pattern;
  }

  #list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.takes(",")) items.push(item());
    return items;
  }

  #need(text: string): void {
    if (!this.takes(text)) this.#unexpected(text);
  }

  #word(what: string): string {
    return this.#take("word", what);
  }

  #take(kind: Token["kind"], what: string): string {
    const { text } = this.#token;
    if (this.#token.kind !== kind) return this.#unexpected(what);
    this.#at++;
    return text;
  }

  get #token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #unexpected(wanted: string): never {
    const before = this.#tokens.slice(Math.max(0, this.#at - 4), this.#at).map(({ text }) => text);
    throw new InsightsError(
      `Expected ${wanted}, not ${this.#token.text}, after ${before.join(" ") || "nothing"}.`,
    );
  }
}

export function groupsOf(pattern: RegExp): string[] {
  return [...pattern.source.matchAll(/\(\?<(\w+)>/g)].map(([, name]) => name as string);
}

const units: Readonly<Record<string, readonly [length: number, cap: number]>> = {
  s: [1_000, 60],
  m: [60_000, 60],
  h: [3_600_000, 24],
};

/** Above its cap CloudWatch takes the cap, without a word: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html#CWL_QuerySyntax-datetime */
function periodOf(text: string): number {
  const unit = units[text.replace(/^\d+/, "")];
  const number = Number.parseInt(text, 10);
  if (!unit || number < 1) throw new InsightsError(`The period ${text} is not in the local subset.`);
  const [length, cap] = unit;
  if (number > cap)
    throw new InsightsError(`CloudWatch makes ${cap} of the number in ${text}: use a larger unit.`);
  return number * length;
}
