import { LambdaDeploymentConfig } from "aws-cdk-lib/aws-codedeploy";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { AwsSolutionsChecks } from "cdk-nag";
import { expect, it } from "vitest";
import type { BrokerSettings } from "../../../infra/stack.ts";
import { synthesizedHere, threeScopes } from "../../support/synthesized.ts";

it.each<[string, BrokerSettings]>([
  ["as it is", () => ({})],
  ["with its logging role", () => ({ cloudWatchRole: "create" })],
  ["private", () => ({ vpcEndpointIds: ["vpce-0a1b2c3d4e5f60718"] })],
  [
    "that tells of changed policies",
    (stack) => ({
      alarmTopic: Topic.fromTopicArn(stack, "OnCall", "arn:aws:sns:eu-central-1:111122223333:on-call"),
      tellOfPolicyChanges: true,
    }),
  ],
  ["deployed step by step", () => ({ deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES })],
])("cdk-nag's AWS Solutions pack finds nothing unanswered in a broker %s", (_, settings) => {
  // Synthesis throws on findings.
  synthesizedHere({ scopes: threeScopes, settings, plugins: (app) => [new AwsSolutionsChecks(app)] });
});

it("cdk-nag is really asked", () => {
  expect(() =>
    synthesizedHere({
      plugins: (app) => [new AwsSolutionsChecks(app)],
      prepare: ({ broker }) => {
        const everything = new PolicyStatement({ actions: ["s3:*"], resources: ["*"] });
        broker.issueToken.role.addToPolicy(everything);
      },
    }),
  ).toThrow(/AwsSolutions-IAM5\[Action::s3:\*\]/);
});
