/** AWS's chain for JavaScript takes AWS_PROFILE before the keys of the environment, against the order of the AWS CLI and botocore. */
import type { TokenBrokerErrorCode } from "./error-codes.ts";
import { longerError } from "./longer-error.ts";
import { TokenBrokerError } from "./token-broker-error.ts";

/** Failures whose reason may be another identity than the user thinks. */
const ofIdentity: ReadonlySet<TokenBrokerErrorCode> = new Set([
  "no_credentials",
  "credentials_unavailable",
  "bad_credentials",
  "expired_credentials",
  "access_denied",
  "not_allowed",
]);

/** For failures with credentials of AWS's chain. */
export function namingProfile(error: unknown): unknown {
  const { AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  if (!(AWS_PROFILE && AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY)) return error;
  if (!(error instanceof TokenBrokerError && ofIdentity.has(error.code))) return error;
  return longerError(
    error,
    `The credentials are of AWS_PROFILE (${AWS_PROFILE}), and not AWS_ACCESS_KEY_ID: the profile comes first.`,
  );
}
