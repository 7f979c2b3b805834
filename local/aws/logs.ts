/**
 * CloudWatch Logs as far as saved queries need it, over the lines of the local run:
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
 */
import { randomUUID } from "node:crypto";
import { eventOf } from "../insights/events.ts";
import { parseQuery } from "../insights/parse.ts";
import { runQuery } from "../insights/run.ts";
import { textOf } from "../insights/show.ts";
import { InsightsError, type Query } from "../insights/syntax.ts";
import type { Row } from "../insights/values.ts";
import type { LogGroups } from "../log-groups.ts";
import type { Listening } from "../loopback.ts";
import type { StoredQuery } from "../stack/query-definitions.ts";
import {
  constraint,
  type Input,
  optionalNumber,
  optionalText,
  optionalTexts,
  requiredText,
  ServiceError,
  startJsonService,
} from "./json-protocol.ts";

export interface LogsOptions {
  readonly accountId: string;
  readonly groups: Pick<LogGroups, "events">;
  readonly savedQueries: readonly StoredQuery[];
}

type Field = { readonly field: string; readonly value: string };

interface RunningQuery {
  status: "Scheduled" | "Running" | "Complete" | "Failed" | "Cancelled";
  results: readonly (readonly Field[])[];
  scanned: number;
}

/** AWS keeps results for seven days. */
const mostQueries = 1_000;
const mostRows = 10_000;
const mostQueryCharacters = 10_000;

export function startLogs({ accountId, groups, savedQueries }: LogsOptions): Promise<Listening> {
  const queries = new Map<string, RunningQuery>();

  const queryOf = (input: Input): RunningQuery => {
    const id = requiredText(input, "queryId");
    if (id.length > 256) throw constraint("queryId", id, "Member must have length less than or equal to 256");
    const query = queries.get(id);
    if (!query) throw new ServiceError("ResourceNotFoundException", "The specified query does not exist.");
    return query;
  };

  const eventsOf = (group: string): readonly Row[] => {
    const events = groups.events(group);
    if (!events)
      throw new ServiceError(
        "ResourceNotFoundException",
        `Log group '${group}' does not exist for account ID '${accountId}'`,
      );
    return events.map(({ at, line }) => new Map([...eventOf(line, at), ["@log", `${accountId}:${group}`]]));
  };

  const finish = (held: RunningQuery, query: Query, events: readonly Row[], limit: number) => {
    if (held.status !== "Running") return;
    try {
      const { columns, rows } = runQuery(query, events, Date.now());
      held.results = rows.slice(0, limit).map((row) => fieldsOf(row, columns));
      held.status = "Complete";
    } catch (error) {
      if (!(error instanceof InsightsError)) throw error;
      held.status = "Failed";
    }
  };

  return startJsonService({
    targetPrefix: "Logs_20140328",
    messageKey: "message",
    operations: withItsErrors({
      DescribeQueryDefinitions(input) {
        const prefix = optionalText(input, "queryDefinitionNamePrefix") ?? "";
        const from = Number(optionalText(input, "nextToken") ?? 0);
        const end = from + (optionalNumber(input, "maxResults", 1, 1_000) ?? 1_000);
        const found = savedQueries.filter(({ name }) => name.startsWith(prefix));
        return {
          queryDefinitions: found.slice(from, end).map(({ id, name, query, logGroupNames, parameters }) => ({
            queryLanguage: "CWLI",
            queryDefinitionId: id,
            name,
            queryString: query,
            logGroupNames,
            ...(parameters.length > 0 && { parameters }),
          })),
          ...(end < found.length && { nextToken: String(end) }),
        };
      },

      StartQuery(input) {
        const text = requiredText(input, "queryString");
        if (text.length > mostQueryCharacters)
          throw constraint("queryString", undefined, "Member must have length less than or equal to 10000");
        const from = requiredNumber(input, "startTime");
        const to = requiredNumber(input, "endTime");
        if (to < from) throw new ServiceError("InvalidParameterException", "The end is before the start.");
        const limit = optionalNumber(input, "limit", 1, mostRows) ?? mostRows;
        const all = groupsOf(input).flatMap(eventsOf);
        const query = parsed(text);
        const events = all.filter((row) => within(row, from, to));
        const id = randomUUID();
        const held: RunningQuery = { status: "Scheduled", results: [], scanned: events.length };
        queries.set(id, held);
        const [oldest] = queries.keys();
        if (queries.size > mostQueries && oldest !== undefined) queries.delete(oldest);
        // As with AWS, the answer has the id alone, and the results come later.
        setImmediate(() => {
          if (held.status === "Scheduled") held.status = "Running";
          setImmediate(() => finish(held, query, events, limit));
        });
        return { queryId: id };
      },

      GetQueryResults(input) {
        const { status, results, scanned } = queryOf(input);
        return {
          queryLanguage: "CWLI",
          status,
          results,
          statistics: { recordsMatched: results.length, recordsScanned: scanned, bytesScanned: 0 },
        };
      },

      StopQuery(input) {
        const query = queryOf(input);
        if (query.status !== "Scheduled" && query.status !== "Running")
          throw new ServiceError("InvalidParameterException", "The specified query is not running.");
        query.status = "Cancelled";
        return { success: true };
      },
    }),
  });
}

type Operations = Record<string, (input: Input) => object>;

/** This service has a name of its own for a parameter that is not valid. */
function withItsErrors(operations: Operations): Operations {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      (input: Input) => {
        try {
          return operation(input);
        } catch (error) {
          if (!(error instanceof ServiceError) || error.type !== "ValidationException") throw error;
          throw new ServiceError("InvalidParameterException", error.awsMessage);
        }
      },
    ]),
  );
}

function requiredNumber(input: Input, name: string): number {
  const value = optionalNumber(input, name, 0, Number.MAX_SAFE_INTEGER);
  if (value === undefined) throw constraint(name, "null", "Member must not be null");
  return value;
}

function groupsOf(input: Input): readonly string[] {
  const one = optionalText(input, "logGroupName");
  const several = optionalTexts(input, "logGroupNames");
  if ((one === undefined) === (several === undefined))
    throw new ServiceError(
      "InvalidParameterException",
      "Name the log groups either by logGroupName or by logGroupNames.",
    );
  return several ?? [one ?? ""];
}

function parsed(text: string): Query {
  try {
    return parseQuery(text);
  } catch (error) {
    if (!(error instanceof InsightsError)) throw error;
    throw new ServiceError("MalformedQueryException", error.message);
  }
}

/** Both ends are included, in whole seconds. */
function within(row: Row, from: number, to: number): boolean {
  const at = row.get("@timestamp");
  return at instanceof Date && at.getTime() >= from * 1_000 && at.getTime() <= to * 1_000;
}

/** Without the fields that the event lacks, and with a pointer to it. */
function fieldsOf(row: Row, columns: readonly string[]): Field[] {
  const fields = columns.flatMap((field) => {
    const value = row.get(field);
    return value === undefined ? [] : [{ field, value: textOf(value) }];
  });
  return [...fields, { field: "@ptr", value: randomUUID() }];
}
