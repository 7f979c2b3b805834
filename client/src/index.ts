/** What services import. */
export type { Clock } from "./clock.ts";
export type { AwsCredentials, AwsCredentialsProvider } from "./connection.ts";
export {
  type BrokerErrorCode,
  type GatewayErrorCode,
  type LocalErrorCode,
  TokenBrokerError,
  type TokenBrokerErrorCode,
} from "./errors.ts";
export type { LookerToken } from "./looker-token.ts";
export type { Caller, ScopeGrant } from "./scopes.ts";
export {
  type LoggedOut,
  type LogoutOptions,
  TokenBrokerClient,
  type TokenBrokerClientOptions,
  type TokenOptions,
} from "./token-broker-client.ts";
export type { SourceToken, TokenSource } from "./token-source.ts";
