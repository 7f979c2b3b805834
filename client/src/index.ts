/** What services import. */

export type { AwsCredentials, AwsCredentialsProvider } from "./broker/aws-credentials.ts";
export type { BrokerFetch } from "./broker/connection.ts";
export type { Caller, Permissions, ScopeGrant } from "./broker/permissions.ts";
export type {
  BrokerErrorCode,
  GatewayErrorCode,
  LocalErrorCode,
  TokenBrokerErrorCode,
} from "./errors/error-codes.ts";
export { TokenBrokerError } from "./errors/token-broker-error.ts";
export type { LookerToken } from "./token/looker-token.ts";
export {
  type LogoutOptions,
  type LogoutResult,
  type PermissionsOptions,
  TokenBrokerClient,
  type TokenBrokerClientOptions,
} from "./token/token-broker-client.ts";
export type { TokenOptions } from "./token/token-request.ts";
export type { SourceToken, TokenSource } from "./token/token-source.ts";
export type { RetryEvent, RetryListener } from "./waiting/retry.ts";
