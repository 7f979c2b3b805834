/** Which fields of the events a query names; and that what comes after `stats` names only what `stats` has left. */
import { groupsOf } from "./parse.ts";
import { type Command, type Expression, InsightsError, type Query } from "./syntax.ts";

export function namedFields(query: Query): string[] {
  const fields = new Set<string>();
  let made = new Set<string>();
  let aggregated = false;
  for (const command of query) {
    for (const name of usedBy(command)) {
      if (made.has(name)) continue;
      if (aggregated) throw new InsightsError(`${command.kind} names ${name}, which stats has not left.`);
      fields.add(name);
    }
    if (command.kind === "fields") made.add(command.as);
    if (command.kind === "parse") for (const name of groupsOf(command.pattern)) made.add(name);
    if (command.kind === "stats") {
      made = new Set([...command.by, ...command.aggregates.map(({ as }) => as)]);
      aggregated = true;
    }
  }
  return [...fields];
}

function usedBy(command: Command): string[] {
  switch (command.kind) {
    case "filter":
      return usedIn(command.condition);
    case "fields":
      return usedIn(command.value);
    case "parse":
    case "sort":
      return [command.field];
    case "stats":
      return [
        ...command.by,
        ...command.aggregates.map(({ field }) => field).filter((field) => field !== "*"),
      ];
    case "display":
      return [...command.names];
    case "limit":
      return [];
  }
}

function usedIn(expression: Expression): string[] {
  switch (expression.kind) {
    case "field":
      return [expression.name];
    case "call":
      return [...(expression.function === "bin" ? ["@timestamp"] : []), ...expression.args.flatMap(usedIn)];
    case "in":
    case "like":
      return usedIn(expression.value);
    case "compare":
    case "product":
    case "and":
    case "or":
      return [...usedIn(expression.left), ...usedIn(expression.right)];
    case "literal":
    case "period":
      return [];
  }
}
