/** AWS's default chain of credential providers. Loaded when first asked, and told to write nothing: it would warn on the console. */

import { globalAgent } from "node:https";
import { credentialsUnavailable } from "../errors/credentials-error.ts";
import { onAbort } from "../waiting/abort.ts";
import type { AwsCredentialsProvider } from "./aws-credentials.ts";
import type { UnansweredRequests } from "./unanswered.ts";

/**
 * In AWS's chain all calls share the promise of one request, without a time-out for a container's agent or a
 * `credential_process`. So after a failure, or after a caller's time-out, the next call makes a new chain. The old socket or
 * child process belongs to AWS's SDK. Nothing here can end it, and it keeps the process alive.
 */
export function defaultChain(unanswered: UnansweredRequests): AwsCredentialsProvider {
  let current: Promise<AwsCredentialsProvider> | undefined;
  let hasGiven = false;
  const ask: AwsCredentialsProvider = async ({ forceRefresh, signal } = {}) => {
    current ??= load();
    const chain = current;
    const forget = () => {
      if (current === chain) current = undefined;
    };
    const stop = signal && onAbort(signal, forget);
    try {
      const credentials = await (await chain)(forceRefresh ? { forceRefresh } : undefined);
      hasGiven = true;
      return credentials;
    } catch (error) {
      forget();
      if (foundNothing(error) && (hasGiven || isNamed())) throw credentialsUnavailable();
      throw error;
    } finally {
      stop?.();
    }
  };
  const provider: AwsCredentialsProvider = (options) => unanswered.begin(() => ask(options), options?.signal);
  chains.add(provider);
  return provider;
}

const chains = new WeakSet<AwsCredentialsProvider>();

export const isDefaultChain = (provider: AwsCredentialsProvider): boolean => chains.has(provider);

async function load(): Promise<AwsCredentialsProvider> {
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  return defaultProvider({
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    // Reads the files of profiles again, after a repair or a rotation.
    ignoreCache: true,
    // STS and SSO. By default a request without an answer never ends, and agents of the SDK's own know no proxy of Node's.
    clientConfig: {
      requestHandler: { requestTimeout: 5_000, throwOnRequestTimeout: true, httpsAgent: globalAgent },
    },
    // For a container's agent AWS's time-out ends nothing, and warns on the console. The call has its own time-out and retries.
    ...(isNamed() ? { timeout: 0, maxRetries: 0 } : {}),
  });
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
