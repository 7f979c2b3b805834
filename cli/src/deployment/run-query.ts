/** A query of CloudWatch Logs Insights, from its start to its rows. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ResultField } from "@aws-sdk/client-cloudwatch-logs";
import { exitCodes } from "../exit-codes.ts";
import { answered, cloudWatchLogs } from "./aws-clients.ts";
import { AwsFailure } from "./aws-failure.ts";
import type { Place } from "./place.ts";
import { abortable } from "./stack.ts";

export interface AskedRange {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

export interface QueryRun extends AskedRange {
  readonly query: string;
  readonly logGroups: readonly string[];
  readonly signal: AbortSignal;
  /** Each time that the query is not at its end yet. */
  onWait?(): void;
}

/** Without the fields of other events. All values are text, as CloudWatch gives them. */
export type AnswerRow = Readonly<Record<string, string>>;

/** As in the console. AWS would return ten times as many: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html */
export const mostRows = 10_000;

/** Most queries take a second. AWS allows five of these requests in a second. */
const firstPauseMs = 250;
const longestPauseMs = 2_000;

export async function runQuery(place: Place, run: QueryRun): Promise<AnswerRow[]> {
  const { sdk, client } = await cloudWatchLogs(place);
  const { signal } = run;
  const { queryId } = await answered(
    place,
    client.send(
      new sdk.StartQueryCommand({
        logGroupNames: [...run.logGroups],
        queryString: run.query,
        startTime: Math.floor(run.from / 1_000),
        // AWS includes the end, and so a record of this second.
        endTime: Math.ceil(run.to / 1_000),
        limit: mostRows,
      }),
      abortable(signal),
    ),
  );
  const pageAt = (nextToken: string | undefined) =>
    answered(place, client.send(new sdk.GetQueryResultsCommand({ queryId, nextToken }), abortable(signal)));
  let isOver = false;
  try {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const page = await pageAt(undefined);
      const { status = "Unknown" } = page;
      isOver = status !== "Scheduled" && status !== "Running";
      if (status === "Complete") return (await withLaterPages(page, pageAt)).map(rowOf);
      if (isOver) throw ended(status);
      run.onWait?.();
      await answered(place, sleep(pauseMs, undefined, { signal }));
    }
  } catch (error) {
    // Nobody waits any more, and AWS bills the query all the same.
    if (!isOver) await client.send(new sdk.StopQueryCommand({ queryId })).catch(() => undefined);
    throw error;
  }
}

interface Page {
  readonly results?: readonly ResultField[][] | undefined;
  readonly nextToken?: string | undefined;
}

async function withLaterPages(
  first: Page,
  pageAt: (token: string) => Promise<Page>,
): Promise<(readonly ResultField[])[]> {
  const rows = [...(first.results ?? [])];
  for (let { nextToken } = first; nextToken !== undefined; ) {
    const page = await pageAt(nextToken);
    rows.push(...(page.results ?? []));
    nextToken = page.nextToken;
  }
  return rows;
}

/** Without CloudWatch's pointer to the event. */
const rowOf = (fields: readonly ResultField[]): AnswerRow =>
  Object.fromEntries(
    fields.flatMap(({ field = "", value }) =>
      field === "@ptr" || value === undefined ? [] : [[field, value]],
    ),
  );

const ended = (status: string) =>
  new AwsFailure({
    exitCode: exitCodes.unavailable,
    code: "query_failed",
    message: `CloudWatch did not bring the query to its end (${status}).`,
    hint: "Try again, with a shorter --since.",
  });
