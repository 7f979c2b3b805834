/** The auditor's policy as an SSM parameter, next to those of the scopes. */
import { Stack } from "aws-cdk-lib";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import { Construct } from "constructs";
import { policyOf, terraformOf } from "./handed-policy.ts";
import type { TokenBroker } from "./token-broker.ts";

export class AuditorParameter extends Construct {
  constructor(scope: Construct, id: string, broker: TokenBroker) {
    super(scope, id);
    const stack = Stack.of(this);
    const statements = broker.auditStatements();
    new StringParameter(this, "Parameter", {
      parameterName: `/${broker.name}/auditor`,
      description: "Looker token broker: IAM statements to read records, ask queries and see alarms",
      stringValue: stack.toJsonString({
        policy: policyOf(statements),
        terraform: terraformOf("looker_token_broker_auditor", statements),
      }),
    });
  }
}
