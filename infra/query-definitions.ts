/** Saves the queries in the console of CloudWatch Logs Insights, in a folder of the broker's name. */
import { CfnQueryDefinition, type ILogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { savedQueries } from "./saved-queries.ts";

/** CloudWatch takes what is before a slash for a folder, and at most 512 characters of a parameter's description. */
export function saveQueries(scope: Construct, folder: string, logGroups: readonly ILogGroup[]): void {
  for (const { name, query, placeholders } of savedQueries)
    new CfnQueryDefinition(scope, `Ask-${name}`, {
      name: `${folder}/${name}`,
      queryString: query,
      logGroupNames: logGroups.map(({ logGroupName }) => logGroupName),
      // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_QueryParameter.html
      ...(placeholders.length > 0 && {
        parameters: placeholders.map(({ name, description }) => ({ name, description })),
      }),
    });
}
