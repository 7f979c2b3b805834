/**
 * The policies of the table and of the sealing key as the stack made them, in SSM parameters: with them the runbook
 * compares what AWS has, and puts back what somebody has changed.
 *
 * A template holds a policy with intrinsic functions only. CloudFormation does not see a change of a table's policy as
 * drift, and the next deployment does not undo it:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
 */
import { Stack } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { PolicyDocument } from "aws-cdk-lib/aws-iam";
import { ParameterTier, StringParameter } from "aws-cdk-lib/aws-ssm";
import { Construct } from "constructs";

/** A standard parameter takes 4,096 characters. Without roles of the operator's own, each policy has some 2,000. */
const standardCharactersOfArns = 1_500;

export interface RecordedPolicies {
  /** Of the broker: the first part of the parameters' names. */
  readonly broker: string;
  readonly table: Table;
  readonly keyPolicy: PolicyDocument;
  /** ARNs in the table's policy beside the functions' roles. */
  readonly breakGlassArns: readonly string[];
}

export class PolicyRecords extends Construct {
  private readonly broker: string;

  constructor(scope: Construct, id: string, { broker, table, keyPolicy, breakGlassArns }: RecordedPolicies) {
    super(scope, id);
    this.broker = broker;
    this.record("table", table.resourcePolicy as PolicyDocument, breakGlassArns.join().length);
    this.record("sealing-key", keyPolicy, 0);
  }

  private record(name: string, policy: PolicyDocument, charactersOfArns: number): void {
    const stack = Stack.of(this);
    new StringParameter(this, name, {
      parameterName: `/${this.broker}/policies/${name}`,
      description: `Looker token broker: the policy that its ${name.replace("-", " ")} must have (docs/how-to/runbook.md)`,
      // Resolved when the template is made: statements that an app adds to the table later are in it too.
      stringValue: stack.toJsonString(policy),
      // Not `INTELLIGENT_TIERING`, which drift detection would call a difference.
      tier: charactersOfArns > standardCharactersOfArns ? ParameterTier.ADVANCED : ParameterTier.STANDARD,
    });
  }
}
