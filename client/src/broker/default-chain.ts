/** AWS's default chain of credential providers. Loaded when first asked, and told to write nothing: it would warn on the console. */

import { credentialsUnavailable } from "../errors/credentials-error.ts";
import type { AwsCredentialsProvider } from "./aws-credentials.ts";
import { loadOnce } from "./load-once.ts";

export function defaultChain(): AwsCredentialsProvider {
  const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  const chain = loadOnce(async () => {
    const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
    return defaultProvider({ logger: silent });
  });
  let hasGiven = false;
  return async (options) => {
    try {
      const credentials = await (await chain())(options?.forceRefresh ? { forceRefresh: true } : undefined);
      hasGiven = true;
      return credentials;
    } catch (error) {
      if (foundNothing(error) && (hasGiven || isNamed())) throw credentialsUnavailable();
      throw error;
    }
  };
}

/** The chain says the same where there is no source at all, and where there is one that does not answer. */
const foundNothing = (error: unknown) =>
  error instanceof Error && error.message === "Could not load credentials from any providers";

/**
 * ECS and EKS name the source that a container has:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
const isNamed = () =>
  Boolean(
    process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI || process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI,
  );
