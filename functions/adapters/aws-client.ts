/** What all AWS clients here share: short time-outs, since a caller waits, and errors that are told apart. */
import http from "node:http";
import https from "node:https";
import { Unavailable } from "../use-cases/ports.ts";

/** Standard retry mode; with a table or key that does not answer, a caller hears of it within about two seconds. */
export const clientLimits = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1_000, throwOnRequestTimeout: true },
} as const;

export interface AwsConnections {
  /** For each client of one function. */
  readonly options: typeof clientLimits & {
    readonly requestHandler: { readonly httpAgent: http.Agent; readonly httpsAgent: https.Agent };
  };
  /**
   * Closes idle connections but the latest to each host. To be called when an invocation ends: a process that was frozen in between
   * may find all of them dead. With one of them the SDK's second attempt goes over a new connection; with two, both attempts fail.
   */
  keepOneIdle(): void;
}

export function awsConnections(): AwsConnections {
  // As the SDK's own.
  const agentOptions = { keepAlive: true, maxSockets: 50 };
  const httpAgent = new http.Agent(agentOptions);
  const httpsAgent = new https.Agent(agentOptions);
  return {
    options: { ...clientLimits, requestHandler: { ...clientLimits.requestHandler, httpAgent, httpsAgent } },
    keepOneIdle() {
      for (const { freeSockets } of [httpAgent, httpsAgent])
        for (const idle of Object.values(freeSockets))
          for (const socket of idle?.slice(0, -1) ?? []) socket.destroy();
    },
  };
}

/** Error names of AWS that mean "not now": https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
const transient =
  /^(?:Throttling|ProvisionedThroughputExceeded|RequestLimitExceeded|TooManyRequests|InternalServer|InternalService|InternalFailure|ServiceUnavailable|LimitExceeded|DependencyTimeout|KMSInternal|RequestTimeout|TransactionInProgress)/;

/**
 * Turns an SDK error into {@link Unavailable} where the dependency did not answer or said "not now"; anything else (a
 * denied call, a missing table: a mistake in the deployment) is returned as it is.
 */
export function asUnavailable(error: unknown, dependency: Unavailable["dependency"]): unknown {
  if (!(error instanceof Error)) return error;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const answered = status !== undefined;
  if (!answered || status >= 500 || transient.test(error.name))
    return new Unavailable(dependency, { cause: error });
  return error;
}
