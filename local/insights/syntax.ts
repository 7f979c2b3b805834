/**
 * What a query of CloudWatch Logs Insights is made of: as much of its language as the questions of infra/saved-queries.ts use.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
 */

/** Thrown for whatever is not in that subset, and where CloudWatch does not document what it would do. */
export class InsightsError extends Error {}

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

export type Expression =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "literal"; readonly value: string | number }
  /** Milliseconds. */
  | { readonly kind: "period"; readonly length: number }
  | { readonly kind: "call"; readonly function: string; readonly args: readonly Expression[] }
  | {
      readonly kind: "compare";
      readonly operator: Comparison;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "in"; readonly value: Expression; readonly list: readonly (string | number)[] }
  | { readonly kind: "like"; readonly value: Expression; readonly pattern: RegExp }
  | { readonly kind: "product"; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression };

export interface Aggregate {
  readonly function: string;
  /** `*` where all events count. */
  readonly field: string;
  readonly as: string;
}

export type Command =
  | { readonly kind: "filter"; readonly condition: Expression }
  | { readonly kind: "fields"; readonly value: Expression; readonly as: string }
  | { readonly kind: "parse"; readonly field: string; readonly pattern: RegExp }
  | { readonly kind: "stats"; readonly aggregates: readonly Aggregate[]; readonly by: readonly string[] }
  | { readonly kind: "sort"; readonly field: string; readonly descending: boolean }
  /** Also of `fields` without a new name. */
  | { readonly kind: "display"; readonly names: readonly string[] }
  | { readonly kind: "limit"; readonly rows: number };

export type Query = readonly Command[];
