/** The codes of errors, each with the next step for a person. */

/** The broker's own, as docs/reference/openapi.yaml lists them. */
export type BrokerErrorCode =
  | "bad_request"
  | "payload_too_large"
  | "not_allowed"
  | "scope_frozen"
  | "too_many_mints"
  | "looker_rejected_credentials"
  | "looker_unavailable"
  | "busy"
  | "internal";

/** API Gateway's answers before the broker, or instead of it. */
export type GatewayErrorCode =
  | "access_denied"
  | "no_such_route"
  | "bad_signature"
  | "clock_skew"
  | "wrong_region"
  | "bad_credentials"
  | "expired_credentials"
  | "throttled"
  | "unavailable";

/** Failures without a request, or without an answer of a broker. */
export type LocalErrorCode =
  | "no_credentials"
  | "credentials_unavailable"
  | "no_endpoint"
  | "no_region"
  | "unreachable"
  | "not_a_broker"
  | "too_little_life"
  | "timed_out"
  | "aborted"
  | "sudo_unsupported";

export type TokenBrokerErrorCode = BrokerErrorCode | GatewayErrorCode | LocalErrorCode;

/** The next step after each. */
export const hints: Readonly<Record<TokenBrokerErrorCode, string>> = {
  bad_request: "Correct the field that the message names.",
  payload_too_large: "Send a body of at most 4 KB.",
  not_allowed:
    "Check the scope's name, and ask its owners to add your role to the scope's list. `looker-token whoami` shows your identity.",
  scope_frozen: "Ask the scope's operators. They give no token until one of them unfreezes it.",
  too_many_mints:
    "Wait for as long as Retry-After says. If it comes back, look for a process that reports good leases as stale.",
  looker_rejected_credentials: "Ask the scope's operators to look at its secret in Secrets Manager.",
  looker_unavailable: "Try again later. Looker cannot be reached, or asked for fewer logins.",
  busy: "Try again, because a login was still under way.",
  internal: "Give the request id to the broker's operators, because it finds the record.",
  access_denied: "Add execute-api:Invoke on this scope's routes to your role's IAM policy.",
  no_such_route: "Check the endpoint. It must end with the stage, as in https://….amazonaws.com/v1.",
  bad_signature: "Check the secret access key, and that nothing on the way changes the request.",
  clock_skew: "Set this machine's clock right, best by NTP.",
  wrong_region: "Pass the API's region as `region`, or set AWS_REGION to it.",
  bad_credentials: "Check which AWS credentials are used: `aws sts get-caller-identity` must accept them.",
  expired_credentials: "Renew the AWS credentials, for instance with `aws sso login`.",
  throttled: "Call less often. The API takes no more requests at the moment.",
  unavailable: "Try again later. The broker's function could not answer.",
  no_credentials: "Give the process an IAM role, or set AWS_PROFILE and run `aws sso login`.",
  credentials_unavailable:
    "Try again later. The source of the AWS credentials (STS, SSO, or the container's or instance's metadata) did not answer.",
  no_endpoint: "Pass `endpoint`, or set LOOKER_BROKER_ENDPOINT to the URL that the deployment printed.",
  no_region: "Pass `region`, or set AWS_REGION to the API's region.",
  unreachable: "Check the endpoint's name, the network, and a private API's VPC endpoint.",
  not_a_broker: "Check the endpoint. Something else answers there, such as a proxy or another site.",
  too_little_life:
    "Ask for less life, or find the reason for slow answers. The broker renews a lease with less life than the call asks for.",
  timed_out: "Try again, or allow more time with `timeoutMs`.",
  aborted: "Nothing to do, because the call was asked to stop.",
  sudo_unsupported:
    "Use a scope of its own, with its own Looker service account, in place of running as another user.",
};

/** The client waits and tries again by itself, within its `timeoutMs`. */
export const worthWaiting: ReadonlySet<TokenBrokerErrorCode> = new Set([
  "busy",
  "looker_unavailable",
  "too_many_mints",
  "throttled",
  "unavailable",
  "unreachable",
  "credentials_unavailable",
]);
