/** The stack of a deployment, as CloudFormation knows it. */
import { answered, cloudFormation } from "./aws-clients.ts";
import type { Place } from "./place.ts";

export interface StackFacts {
  readonly outputs: ReadonlyMap<string, string>;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export async function stackFacts(place: Place, signal?: AbortSignal): Promise<StackFacts> {
  const { sdk, client } = await cloudFormation(place);
  const { Stacks: [stack] = [] } = await answered(
    place,
    client.send(new sdk.DescribeStacksCommand({ StackName: place.stack }), abortable(signal)),
  );
  return {
    outputs: new Map(stack?.Outputs?.map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue])),
    createdAt: stack?.CreationTime?.getTime() ?? 0,
  };
}

/** Physical ids, by the type of the resource. */
export type StackResources = ReadonlyMap<string, readonly string[]>;

export async function stackResources(place: Place, signal?: AbortSignal): Promise<StackResources> {
  const { sdk, client } = await cloudFormation(place);
  const ids = new Map<string, string[]>();
  let next: string | undefined;
  do {
    const page = await answered(
      place,
      client.send(
        new sdk.ListStackResourcesCommand({ StackName: place.stack, NextToken: next }),
        abortable(signal),
      ),
    );
    // An update may leave a resource behind that it has taken out of the stack.
    for (const {
      ResourceType = "",
      ResourceStatus: status,
      PhysicalResourceId: id,
    } of page.StackResourceSummaries ?? [])
      if (id !== undefined && status !== "DELETE_COMPLETE")
        ids.set(ResourceType, [...(ids.get(ResourceType) ?? []), id]);
    next = page.NextToken;
  } while (next !== undefined);
  return ids;
}

export const abortable = (signal: AbortSignal | undefined) =>
  signal === undefined ? {} : { abortSignal: signal };
