/**
 * AWS's clients for what is asked of a deployment. Each is loaded when it is first used, so that no other command pays for them
 * (docs/reference/performance.md).
 */
import { globalAgent } from "node:https";
import { throwAwsFailure } from "./aws-failure.ts";
import type { Place } from "./place.ts";

function settingsOf({ region, credentials, endpoint }: Place) {
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    // AWS's clients take no undefined session token.
    credentials: async () => {
      const { sessionToken, expiration, ...keys } = await credentials();
      return {
        ...keys,
        ...(sessionToken === undefined ? {} : { sessionToken }),
        ...(expiration === undefined ? {} : { expiration }),
      };
    },
    // The agent that knows the proxy of the environment. By default a request without an answer never ends.
    requestHandler: { httpsAgent: globalAgent, requestTimeout: 10_000, throwOnRequestTimeout: true },
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  };
}

export async function cloudFormation(place: Place) {
  const sdk = await import("@aws-sdk/client-cloudformation");
  return { sdk, client: new sdk.CloudFormationClient(settingsOf(place)) };
}

export async function cloudWatchLogs(place: Place) {
  const sdk = await import("@aws-sdk/client-cloudwatch-logs");
  return { sdk, client: new sdk.CloudWatchLogsClient(settingsOf(place)) };
}

export async function cloudWatch(place: Place) {
  const sdk = await import("@aws-sdk/client-cloudwatch");
  return { sdk, client: new sdk.CloudWatchClient(settingsOf(place)) };
}

/** AWS's answer, or its refusal as this program tells it. */
export async function answered<T>(place: Place, request: Promise<T>): Promise<T> {
  return await request.catch((error: unknown) => throwAwsFailure(error, place));
}
