/** Queries of CloudWatch Logs, as far as moto knows them too: on the stand-in and on moto. */
import {
  CloudWatchLogsClient,
  GetQueryResultsCommand,
  StartQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";
import { untilSeen } from "../broker-stand.ts";
import { errorOf, REGION } from "./aws-under-test.ts";

export interface LogsUnderTest {
  readonly url: string;
  /** A group that is there. */
  readonly group: string;
  /** Into that group, one after the other. */
  write(lines: readonly { readonly at: number; readonly line: string }[]): Promise<void>;
  close(): Promise<void>;
}

export const logsClient = (endpoint: string) =>
  new CloudWatchLogsClient({ endpoint, region: REGION, credentials: ENGINE_CREDENTIAL, maxAttempts: 1 });

const at = Date.now() - 60_000;
export const range = { startTime: Math.floor(at / 1_000), endTime: Math.ceil(Date.now() / 1_000) };

export async function resultsOf(client: CloudWatchLogsClient, queryId: string | undefined) {
  return await untilSeen(async () => {
    const answer = await client.send(new GetQueryResultsCommand({ queryId }));
    return answer.status !== "Scheduled" && answer.status !== "Running" && answer;
  }, "the end of the query");
}

export function logQueryContract(subject: string, start: () => Promise<LogsUnderTest>): void {
  describe(`queries of ${subject}`, () => {
    let logs: LogsUnderTest;
    let client: CloudWatchLogsClient;
    beforeAll(async () => {
      logs = await start();
      client = logsClient(logs.url);
      await logs.write(["one", "two", "three"].map((line, second) => ({ at: at + second * 1_000, line })));
    }, 60_000);
    afterAll(async () => {
      client?.destroy();
      await logs?.close();
    });

    it("are answered by an id, and later by the rows, each with a pointer to its event", async () => {
      const queryString = "fields @message | sort @timestamp desc | limit 2";
      const { queryId } = await client.send(
        new StartQueryCommand({ logGroupNames: [logs.group], queryString, ...range }),
      );
      expect(queryId).toMatch(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
      const { status, results = [] } = await resultsOf(client, queryId);
      expect(status).toBe("Complete");
      expect(results.map((row) => row.find(({ field }) => field === "@message")?.value)).toEqual([
        "three",
        "two",
      ]);
      for (const row of results) expect(row.map(({ field }) => field).sort()).toEqual(["@message", "@ptr"]);
    });

    it("of a log group that is not there are refused by name", async () => {
      const asked = client.send(
        new StartQueryCommand({ logGroupNames: ["/none"], queryString: "fields @message", ...range }),
      );
      expect((await errorOf(asked)).name).toBe("ResourceNotFoundException");
    });
  });
}
