/**
 * AWS's clients for questions about a deployment. Each is loaded when it is first used, so no other command pays for them
 * (docs/reference/dependencies.md).
 */
import { globalAgent } from "node:https";
import { throwAwsFailure } from "./aws-failure.ts";
import type { Place } from "./place.ts";

const warningOff = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";

/**
 * On Node 20 AWS's SDK warns on the console about versions of 2027. The exact versions here work on Node 20. The variable is taken
 * away again, because the command of `exec` inherits the environment.
 * https://github.com/aws/aws-sdk-js-v3/blob/main/packages/core/src/submodules/client/emitWarningIfUnsupportedVersion.ts
 */
function withoutWarning<T>(make: () => T): T {
  const before = process.env[warningOff];
  process.env[warningOff] = "true";
  try {
    return make();
  } finally {
    if (before === undefined) delete process.env[warningOff];
    else process.env[warningOff] = before;
  }
}

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

interface SkewKnown {
  /** AWS's clock less this machine's, by the latest answer. 0 before. */
  readonly config: { readonly systemClockOffset: number };
}

const clientsOf = new WeakMap<Place, SkewKnown[]>();

function made<Client extends SkewKnown>(place: Place, make: () => Client): Client {
  const client = withoutWarning(make);
  clientsOf.set(place, [...(clientsOf.get(place) ?? []), client]);
  return client;
}

/** An answer's Date is cut to its second and has been under way. A smaller difference proves nothing about a clock. */
const leastSkewMs = 5_000;

/**
 * AWS's time, milliseconds since 1970, once it has answered. By a wrong clock of this machine a range would miss the latest
 * records, and a sweeper that stopped would look alive.
 */
export function awsNow(place: Place): number {
  const offsets = (clientsOf.get(place) ?? []).map(({ config }) => config.systemClockOffset);
  return Date.now() + (offsets.findLast((offset) => Math.abs(offset) >= leastSkewMs) ?? 0);
}

export async function cloudFormation(place: Place) {
  const sdk = await import("@aws-sdk/client-cloudformation");
  return { sdk, client: made(place, () => new sdk.CloudFormationClient(settingsOf(place))) };
}

export async function cloudWatchLogs(place: Place) {
  const sdk = await import("@aws-sdk/client-cloudwatch-logs");
  return { sdk, client: made(place, () => new sdk.CloudWatchLogsClient(settingsOf(place))) };
}

export async function cloudWatch(place: Place) {
  const sdk = await import("@aws-sdk/client-cloudwatch");
  return { sdk, client: made(place, () => new sdk.CloudWatchClient(settingsOf(place))) };
}

/** AWS's answer, or its refusal as this program tells it. */
export async function answered<T>(place: Place, request: Promise<T>): Promise<T> {
  return await request.catch((error: unknown) => throwAwsFailure(error, place));
}
