/** Saves the queries in CloudWatch Logs Insights, in a folder of the broker's name: for its console and `looker-token ask`. */
import { CfnQueryDefinition, type ILogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { type SavedQuery, savedQueries } from "./saved-queries.ts";

export interface QueriedLogs {
  readonly functions: readonly ILogGroup[];
  readonly accessLog: ILogGroup;
}

/** CloudWatch takes what is before a slash for a folder, and at most 512 characters of a parameter's description. */
export function saveQueries(scope: Construct, folder: string, logs: QueriedLogs): void {
  for (const saved of savedQueries) {
    const { name, placeholders, reads } = saved;
    const logGroups = reads === "access log" ? [logs.accessLog] : logs.functions;
    new CfnQueryDefinition(scope, `Ask-${name}`, {
      name: `${folder}/${name}`,
      queryString: explained(saved),
      logGroupNames: logGroups.map(({ logGroupName }) => logGroupName),
      // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_QueryParameter.html
      ...(placeholders.length > 0 && {
        parameters: placeholders.map(({ name, description }) => ({ name, description })),
      }),
    });
  }
}

/**
 * A saved query has no description of its own. So the question is the first comment, and how to read the answer is the second: the
 * console shows both, and `looker-token ask` prints both.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
 */
const explained = ({ asks, answer, query }: SavedQuery) => `# ${asks}\n# ${answer}\n${query}`;
