/** The template's saved queries of CloudWatch Logs Insights. */
import type { ResolvedResource } from "./resources.ts";

export interface StoredQuery {
  readonly id: string;
  readonly name: string;
  readonly query: string;
  readonly logGroupNames: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly description?: string }[];
}

export function readQueryDefinition({ physical, properties }: ResolvedResource): StoredQuery {
  const {
    Name,
    QueryString,
    LogGroupNames = [],
    Parameters = [],
  } = properties as {
    Name: string;
    QueryString: string;
    LogGroupNames?: readonly string[];
    Parameters?: readonly { Name: string; Description?: string }[];
  };
  return {
    id: physical.ref,
    name: Name,
    query: QueryString,
    logGroupNames: LogGroupNames,
    parameters: Parameters.map((each) => ({
      name: each.Name,
      ...(each.Description === undefined ? {} : { description: each.Description }),
    })),
  };
}
