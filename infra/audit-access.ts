/**
 * Access for an auditor, who reads records, asks the saved queries and sees the alarms, by the console or by `looker-token ask` and
 * `status`. It opens no row, key, secret or route.
 * Audit records hold lease ids and hashes of tokens at most.
 */
import { ArnFormat, type Stack } from "aws-cdk-lib";
import type { Dashboard } from "aws-cdk-lib/aws-cloudwatch";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { HandedStatement } from "./handed-policy.ts";

export interface AuditedParts {
  readonly logGroups: readonly ILogGroup[];
  readonly dashboard?: Dashboard | undefined;
}

export function auditStatements(stack: Stack, { logGroups, dashboard }: AuditedParts): HandedStatement[] {
  const colonArn = (service: string, resource: string, resourceName: string) =>
    stack.formatArn({ service, resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  return [
    {
      actions: [
        "logs:DescribeLogStreams",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "logs:GetLogGroupFields",
        "logs:GetLogRecord",
        "logs:StartQuery",
      ],
      // Some actions are authorised on the group, others on the group with `:*`. Its name ends at random.
      resources: logGroups.map(({ logGroupName }) => colonArn("logs", "log-group", `${logGroupName}*`)),
    },
    {
      // AWS knows no resources for these actions. Without `DescribeQueries` nobody learns the ids of other people's queries.
      actions: [
        "cloudwatch:GetMetricData",
        "cloudwatch:ListMetrics",
        "logs:DescribeQueryDefinitions",
        "logs:GetQueryResults",
        "logs:StopQuery",
      ],
      resources: ["*"],
    },
    {
      // Which alarms and saved queries are the broker's.
      actions: ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
      // Ends in an id of CloudFormation's.
      resources: [
        stack.formatArn({
          service: "cloudformation",
          resource: "stack",
          resourceName: `${stack.stackName}/*`,
        }),
      ],
    },
    {
      actions: ["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"],
      // A listing by prefix is authorised on all alarms.
      resources: [colonArn("cloudwatch", "alarm", "*")],
    },
    ...(dashboard
      ? [{ actions: ["cloudwatch:GetDashboard"], resources: [dashboardArn(stack, dashboard.dashboardName)] }]
      : []),
  ];
}

/** The CDK's own `dashboardArn` has no name in it where CloudFormation chooses the name. Dashboards have no region. */
const dashboardArn = (stack: Stack, resourceName: string) =>
  stack.formatArn({ service: "cloudwatch", region: "", resource: "dashboard", resourceName });
