/** What a stack's roles may invoke, and what the broker's stack hands out: as CloudFormation would write it. */
import type { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { resolveValue } from "../../../local/stack/intrinsics.ts";
import type { PolicyDocument } from "../../../local/stack/policy-document.ts";
import { account, type CfnResource } from "../../support/synthesized.ts";

const pseudoParameters: Record<string, string> = {
  "AWS::URLSuffix": "amazonaws.com",
  "AWS::AccountId": account,
  "AWS::Partition": "aws",
};
const physicalId = (id: string) =>
  pseudoParameters[id] ?? (id.includes("Stage") ? "v1" : id.includes("RestApi") ? "a1b2c3d4e5" : id);

export function resourcesOf(stack: Stack): Readonly<Record<string, CfnResource>> {
  const { Resources } = Template.fromStack(stack).toJSON();
  return resolveValue(Resources, stack.stackName, {
    ref: physicalId,
    attribute: (id, name) => `${id}.${name}`,
  }) as Record<string, CfnResource>;
}

const ofType = (stack: Stack, type: string) =>
  Object.entries(resourcesOf(stack)).filter(([, { Type }]) => Type === type);

/** The one whose logical id begins so. */
export function resourceOf(stack: Stack, type: string, beginning = "") {
  const found = ofType(stack, type).filter(([id]) => id.startsWith(beginning));
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} of ${type} ${beginning}`);
  const [id, { Properties }] = found[0];
  return { id, ...Properties };
}

/** All inline policies of a role. */
export const policiesOf = (stack: Stack, role: { id: string }): PolicyDocument[] =>
  ofType(stack, "AWS::IAM::Policy")
    .filter(([, { Properties }]) => Properties.Roles.includes(role.id))
    .map(([, { Properties }]) => Properties.PolicyDocument);

/** What a team is given with a scope. */
export function scopeOutputs(stack: Stack, scope: string) {
  const [parameter] = ofType(stack, "AWS::SSM::Parameter").filter(([, { Properties }]) =>
    Properties.Name.endsWith(`/scopes/${scope}`),
  );
  const { endpoint, caller } = JSON.parse(parameter?.[1].Properties.Value);
  const [first] = caller.policy.Statement[0].Resource;
  return {
    endpoint: endpoint as string,
    /** What its ARNs begin with. */
    api: first.slice(0, first.indexOf("/POST")) as string,
    policy: caller.policy as PolicyDocument,
  };
}

/** Each cell by itself: CDK writes statements together as it sees fit. */
export const cellsOf = (policies: readonly PolicyDocument[]): string[] =>
  policies
    .flatMap(({ Statement }) => [Statement].flat())
    .flatMap(({ Action, Resource, Effect, ...conditions }) =>
      [Action]
        .flat()
        .flatMap((action) =>
          [Resource].flat().map((arn) => [Effect, action, arn, JSON.stringify(conditions)].join(" ")),
        ),
    )
    .sort();
