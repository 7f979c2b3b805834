/**
 * The CDK app. Context: `-c scopes=FILE` (default infra/scopes.ts), `-c stack=NAME` and `-c region=REGION`.
 * Node runs it as it is, by stripping the types.
 */
import { App } from "aws-cdk-lib";
import featureFlags from "aws-cdk-lib/recommended-feature-flags.json" with { type: "json" };
import { importDeployment, ScopesFileError } from "./import-deployment.ts";
import { BrokerSettingsError } from "./index.ts";
import { TokenBrokerStack } from "./stack.ts";

try {
  await main();
} catch (error) {
  if (!(error instanceof ScopesFileError || error instanceof BrokerSettingsError)) throw error;
  // An operator's slip, not a bug: what to mend, without a stack trace around it.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const app = new App({
    // Half a stack is not written when the scopes are wrong.
    autoSynth: false,
    // What `cdk init` writes into a new project's cdk.json.
    context: featureFlags,
  });
  const context = (key: string): string | undefined => app.node.tryGetContext(key);
  const account = process.env.CDK_DEFAULT_ACCOUNT;
  new TokenBrokerStack(app, context("stack") ?? "looker-token-broker", {
    ...(await importDeployment(context("scopes") ?? "infra/scopes.ts")),
    // A region always, so that ARNs and URLs are whole and synthesis asks nobody. What is said explicitly goes
    // first; the CDK CLI sets CDK_DEFAULT_REGION from the credentials and profile it was given.
    env: {
      ...(account ? { account } : {}),
      region: context("region") ?? (process.env.CDK_DEFAULT_REGION || process.env.AWS_REGION || "us-east-1"),
    },
  });
  app.synth();
}
