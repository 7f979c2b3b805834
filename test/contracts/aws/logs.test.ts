import {
  type CloudWatchLogsClient,
  DescribeQueryDefinitionsCommand,
  GetQueryResultsCommand,
  StartQueryCommand,
  StopQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLogs } from "../../../local/aws/logs.ts";
import type { LogEvent } from "../../../local/log-groups.ts";
import type { Listening } from "../../../local/loopback.ts";
import { ACCOUNT, errorOf } from "../../support/contracts/aws-under-test.ts";
import { logQueryContract, logsClient, range, resultsOf } from "../../support/contracts/log-queries.ts";

const group = "/functions/one";

async function startWith(events: LogEvent[]) {
  const groups = { events: (name: string) => (name === group ? events : undefined) };
  return startLogs({ accountId: ACCOUNT, groups, savedQueries });
}

const savedQueries = ["b", "a", "c"].map((name) => ({
  id: `00000000-0000-0000-0000-00000000000${name}`,
  name: `${name === "c" ? "other" : "broker"}/${name}`,
  query: "display time",
  logGroupNames: [group],
  parameters: name === "a" ? [{ name: "lease_id", description: "The lease's id" }] : [],
}));

logQueryContract("the stand-in", async () => {
  const events: LogEvent[] = [];
  const { url, close } = await startWith(events);
  return { url, group, close, write: async (lines) => void events.push(...lines) };
});

// moto has no saved queries, filters or sums, runs a query at once, and stops none:
// https://github.com/getmoto/moto/tree/5.2.5/moto/logs
describe("beyond what moto does", () => {
  const now = Date.now();
  const line = (fields: object) => JSON.stringify({ kind: "audit", ...fields });
  let logs: Listening;
  let client: CloudWatchLogsClient;
  beforeAll(async () => {
    logs = await startWith([
      { at: now - 7_200_000, line: line({ n: 0 }) },
      { at: now - 2_000, line: line({ n: 1, list: ["x"] }) },
      { at: now - 1_000, line: "Task timed out" },
    ]);
    client = logsClient(logs.url);
  });
  afterAll(async () => {
    client?.destroy();
    await logs?.close();
  });
  const start = (queryString: string, more: object = {}) =>
    client.send(new StartQueryCommand({ logGroupNames: [group], queryString, ...range, ...more }));

  it("lists saved queries by the beginning of their names, page by page", async () => {
    const list = (more: object) =>
      client.send(new DescribeQueryDefinitionsCommand({ queryDefinitionNamePrefix: "broker/", ...more }));
    const first = await list({ maxResults: 1 });
    expect(first.queryDefinitions?.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["broker/b", undefined],
    ]);
    const second = await list({ maxResults: 1, nextToken: first.nextToken });
    expect(second.queryDefinitions).toEqual([
      {
        queryLanguage: "CWLI",
        queryDefinitionId: savedQueries[1]?.id,
        name: "broker/a",
        queryString: "display time",
        logGroupNames: [group],
        parameters: [{ name: "lease_id", description: "The lease's id" }],
      },
    ]);
    expect(second.nextToken).toBeUndefined();
  });

  it("is Scheduled when its id is given, and gives text for each value, none for one that is missing", async () => {
    const { queryId } = await start('filter kind = "audit" | display n, list.0, none, @timestamp, @log');
    const { results } = await resultsOf(client, queryId);
    expect(results).toEqual([
      [
        { field: "n", value: "1" },
        { field: "list.0", value: "x" },
        {
          field: "@timestamp",
          value: new Date(now - 2_000).toISOString().replace("T", " ").replace("Z", ""),
        },
        { field: "@log", value: `${ACCOUNT}:${group}` },
        { field: "@ptr", value: expect.any(String) },
      ],
    ]);
  });

  it("reads only events of the range", async () => {
    const { queryId } = await start("filter ispresent(n) | display n", { startTime: 0 });
    expect((await resultsOf(client, queryId)).results).toHaveLength(2);
  });

  it("fails where it cannot be carried out", async () => {
    const { queryId } = await start("filter n > kind | display n");
    expect(await resultsOf(client, queryId)).toMatchObject({ status: "Failed", results: [] });
  });

  it.each<[string, string, object]>([
    ["MalformedQueryException", "filter", {}],
    ["InvalidParameterException", "display n", { endTime: 0 }],
    ["InvalidParameterException", "display n", { limit: 10_001 }],
    ["InvalidParameterException", "display n", { logGroupName: group }],
    ["InvalidParameterException", "display n", { logGroupNames: undefined }],
    ["InvalidParameterException", "x".repeat(10_001), {}],
  ])("answers %s to %.20s with %j", async (name, query, more) => {
    expect((await errorOf(start(query, more))).name).toBe(name);
  });

  it("stops no query that is at its end, and says so", async () => {
    const { queryId } = await start("display n");
    await resultsOf(client, queryId);
    const error = await errorOf(client.send(new StopQueryCommand({ queryId })));
    expect([error.name, error.message]).toEqual([
      "InvalidParameterException",
      "The specified query is not running.",
    ]);
  });

  it("knows no query by another id", async () => {
    for (const command of [
      new GetQueryResultsCommand({ queryId: "none" }),
      new StopQueryCommand({ queryId: "none" }),
    ])
      expect((await errorOf(client.send(command as GetQueryResultsCommand))).name).toBe(
        "ResourceNotFoundException",
      );
  });
});
