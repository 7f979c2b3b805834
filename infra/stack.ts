/** The stack that is deployed: one broker and what its operators need to know of it. */
import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { ScopeDefinitions } from "../functions/core/scope.ts";
import { TokenBroker } from "./token-broker.ts";

export interface TokenBrokerStackProps extends StackProps {
  readonly scopes: ScopeDefinitions;
}

export class TokenBrokerStack extends Stack {
  readonly broker: TokenBroker;

  constructor(scope: Construct, id: string, props: TokenBrokerStackProps) {
    super(scope, id, { description: "Short-lived Looker tokens for IAM-authorised callers", ...props });
    this.broker = new TokenBroker(this, "Broker", { scopes: props.scopes });
    new CfnOutput(this, "Endpoint", {
      description: "Callers append /scopes/{scope}/token",
      value: this.broker.endpoint,
    });
  }
}
