/** CloudFormation as far as it is asked about a stack that is there: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/ */
import { createHash } from "node:crypto";
import type { Listening } from "../loopback.ts";
import type { AwsLocation } from "../stack/location.ts";
import type { StackOutput } from "../stack/resources.ts";
import type { LocalStack } from "../stack/template.ts";
import { ServiceError } from "./json-protocol.ts";
import { startQueryService } from "./query-protocol.ts";

export const cloudFormationNamespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

export interface CloudFormationOptions {
  readonly stack: Pick<LocalStack, "name" | "resources">;
  readonly location: AwsLocation;
  /** Asked at each call: the endpoint is known only when the gateway runs. */
  outputs(): readonly StackOutput[];
}

/** The answer's page: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html */
const pageLength = 100;

export function startCloudFormation({ stack, location, outputs }: CloudFormationOptions): Promise<Listening> {
  const { partition, region, accountId } = location;
  const hash = createHash("sha256").update(stack.name).digest("hex");
  const uuid = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-${hash.slice(12, 16)}-${hash.slice(16, 20)}-${hash.slice(20, 32)}`;
  const stackId = `arn:${partition}:cloudformation:${region}:${accountId}:stack/${stack.name}/${uuid}`;
  const createdAt = new Date().toISOString();

  const mustBeThis = (named: string | null) => {
    if (named !== stack.name && named !== stackId)
      throw new ServiceError("ValidationError", `Stack with id ${named} does not exist`);
  };

  return startQueryService({
    version: "2010-05-15",
    namespace: cloudFormationNamespace,
    operations: {
      DescribeStacks(input) {
        if (input.has("StackName")) mustBeThis(input.get("StackName"));
        const described = {
          StackId: stackId,
          StackName: stack.name,
          CreationTime: createdAt,
          StackStatus: "CREATE_COMPLETE",
          Outputs: outputs().map(({ key, value, description }) => ({
            OutputKey: key,
            OutputValue: value,
            Description: description,
          })),
        };
        return { Stacks: [described] };
      },

      ListStackResources(input) {
        mustBeThis(input.get("StackName"));
        const from = pageStart(input.get("NextToken"));
        const next = from + pageLength;
        return {
          StackResourceSummaries: stack.resources
            .slice(from, next)
            .map(({ logicalId, type, physicalId }) => ({
              LogicalResourceId: logicalId,
              PhysicalResourceId: physicalId,
              ResourceType: type,
              LastUpdatedTimestamp: createdAt,
              ResourceStatus: "CREATE_COMPLETE",
            })),
          NextToken: next < stack.resources.length ? String(next) : undefined,
        };
      },
    },
  });
}

function pageStart(token: string | null): number {
  if (token === null) return 0;
  if (!/^\d{1,6}$/.test(token)) throw new ServiceError("ValidationError", "NextToken is invalid");
  return Number(token);
}
