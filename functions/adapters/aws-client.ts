/** What all AWS clients here share: short time-outs, since a caller waits, and errors that are told apart. */
import { Unavailable } from "../use-cases/ports.ts";

/** Standard retry mode; with a table or key that does not answer, a caller hears of it within about two seconds. */
export const clientLimits = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1_000, throwOnRequestTimeout: true },
} as const;

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
