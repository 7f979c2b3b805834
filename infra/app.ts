/**
 * The CDK app. Context: `-c scopes=FILE` (default infra/scopes.ts) and `-c region=REGION`.
 * Node runs it as it is, by stripping the types.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { App } from "aws-cdk-lib";
import featureFlags from "aws-cdk-lib/recommended-feature-flags.json" with { type: "json" };
import { type ScopeDefinitions, ScopesError } from "../functions/core/scope.ts";
import { TokenBrokerStack } from "./stack.ts";

class ScopesFileError extends Error {}

try {
  await main();
} catch (error) {
  if (!(error instanceof ScopesError || error instanceof ScopesFileError)) throw error;
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
  const file: unknown = app.node.tryGetContext("scopes") ?? "infra/scopes.ts";
  const account = process.env.CDK_DEFAULT_ACCOUNT;
  new TokenBrokerStack(app, "looker-token-broker", {
    scopes: await importScopes(String(file)),
    // A region always, so that ARNs and URLs are whole and synthesis asks nobody. What is said explicitly goes
    // first; the CDK CLI sets CDK_DEFAULT_REGION from the credentials and profile it was given.
    env: {
      ...(account ? { account } : {}),
      region:
        app.node.tryGetContext("region") ??
        (process.env.CDK_DEFAULT_REGION || process.env.AWS_REGION || "us-east-1"),
    },
  });
  app.synth();
}

/** What such a file exports is checked by `TokenBroker`. */
async function importScopes(file: string): Promise<ScopeDefinitions> {
  const path = resolve(file);
  let module: { scopes?: ScopeDefinitions };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new ScopesFileError(`The scopes file ${file} cannot be loaded: ${(error as Error).message}`);
  }
  if (module.scopes === undefined) throw new ScopesFileError(`The scopes file ${file} exports no "scopes".`);
  return module.scopes;
}
