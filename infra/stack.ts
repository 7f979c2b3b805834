/** The stack that is deployed: one broker, and what its operators and callers need to know of it. */
import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import {
  AuditorParameter,
  checkDeployment,
  type DeploymentSettings,
  Guard,
  type ScopeDefinitions,
  ScopeOutputs,
  TokenBroker,
} from "./index.ts";

/** All that a deployment can set beside its scopes. A function, so that it can look up what is there already. */
export type BrokerSettings = (stack: Stack) => DeploymentSettings;

export interface TokenBrokerStackProps extends StackProps {
  readonly scopes: ScopeDefinitions;
  readonly settings?: BrokerSettings;
}

export class TokenBrokerStack extends Stack {
  readonly broker: TokenBroker;

  constructor(scope: Construct, id: string, { scopes, settings, ...props }: TokenBrokerStackProps) {
    super(scope, id, {
      description: "Short-lived Looker tokens for IAM-authorised callers",
      // With it, 200 scopes would not fit into CloudFormation's megabyte. `npx cdk synth` prints a readable template.
      suppressTemplateIndentation: true,
      ...props,
    });
    const given = settings === undefined ? {} : settings(this);
    checkDeployment(
      { scopes, settings: given },
      { construct: `${this.node.path}/Broker`, account: this.account, region: this.region },
    );
    const { guard, ...broker } = given;
    this.broker = new TokenBroker(this, "Broker", { ...broker, scopes });
    if (guard) new Guard(this, "Guard", this.broker, guard);
    new CfnOutput(this, "Endpoint", {
      description: "Callers append /scopes/{scope}/token",
      value: this.broker.endpoint,
    });
    // What whoever runs it has to name in commands (docs/how-to/deploy.md).
    const names: Record<string, string> = {
      TableName: this.broker.table.tableName,
      IssueTokenFunction: this.broker.issueToken.function.functionName,
      IssueTokenRoleArn: this.broker.issueToken.role.roleArn,
      SweepLogGroup: this.broker.sweep.logGroup.logGroupName,
      AccessLogGroup: this.broker.accessLogGroup.logGroupName,
    };
    for (const [id, value] of Object.entries(names)) new CfnOutput(this, id, { value });
    new ScopeOutputs(this, "Scope", this.broker);
    new AuditorParameter(this, "Auditor", this.broker);
  }
}
