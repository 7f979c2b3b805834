/**
 * What a team is given to call the broker: the endpoint and IAM statements for one scope, as outputs of the stack and
 * as one SSM parameter a scope. The same statements serve callers of the broker's account and of others: what differs
 * for those, the API's resource policy, follows from the scopes.
 */
import { CfnOutput, Fn, Stack } from "aws-cdk-lib";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import { Construct } from "constructs";
import { stageName } from "../functions/contract.ts";
import { policyOf, terraformOf } from "./handed-policy.ts";
import type { Verb } from "./routes.ts";
import type { TokenBroker } from "./token-broker.ts";

const audiences = [
  { audience: "Caller", verbs: ["token", "logout"], may: "fetch tokens and end their own leases" },
  { audience: "Operator", verbs: ["operate"], may: "list, revoke and freeze" },
] as const satisfies { audience: string; verbs: Verb[]; may: string }[];

/** CloudFormation takes 200 outputs, and the stack has some of its own: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const maximumOutputs = 190;

export class ScopeOutputs extends Construct {
  constructor(scope: Construct, id: string, broker: TokenBroker) {
    super(scope, id);
    const stack = Stack.of(this);
    const scopeNames = [...broker.scopes.keys()];
    // Where there are too many scopes for outputs, the parameters alone tell.
    const withOutputs = scopeNames.length * audiences.length * 2 < maximumOutputs;
    for (const scopeName of scopeNames) {
      const one = new Construct(this, scopeName);
      const document: Record<string, unknown> = { endpoint: broker.endpoint, region: stack.region };
      for (const { audience, verbs, may } of audiences) {
        const arns = broker.invokeArns(scopeName, ...verbs);
        const statements = [{ actions: ["execute-api:Invoke"], resources: arns }];
        const policy = policyOf(statements);
        const name = audience.toLowerCase();
        const terraform = terraformOf(`looker_${scopeName.replaceAll("-", "_")}_${name}`, statements);
        document[name] = { policy, terraform };
        if (!withOutputs) continue;
        const output = (form: string, value: string) =>
          new CfnOutput(one, `${audience}${form}`, {
            description: `Scope ${scopeName}: ${name}s in any account need this IAM policy to ${may}`,
            value,
          });
        output("Policy", stack.toJsonString(policy));
        output("Terraform", terraform);
      }
      new StringParameter(one, "Parameter", {
        parameterName: `/${broker.name}/scopes/${scopeName}`,
        description: `Looker token broker: endpoint and IAM statements for scope ${scopeName}`,
        stringValue: shortened(document, {
          Endpoint: broker.endpoint,
          Stage: beginningOfArns(broker, scopeName),
          Region: stack.region,
        }),
      });
    }
  }
}

/** Of the stage, in all ARNs of the API's routes. */
function beginningOfArns(broker: TokenBroker, scopeName: string): string {
  const [arn = ""] = broker.invokeArns(scopeName, "token");
  return arn.slice(0, arn.indexOf(`/${stageName}/`));
}

/** JSON with these values as variables. CloudFormation takes templates up to 1 MB: 200 scopes with all ARNs written out do not fit. */
function shortened(document: object, variables: Record<string, string>): string {
  const text = Object.entries(variables).reduce(
    (json, [name, value]) => json.replaceAll(value, `\${${name}}`),
    JSON.stringify(document),
  );
  return Fn.sub(text, variables);
}
