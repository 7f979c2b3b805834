/** What services import. */

export type { AwsCredentials, AwsCredentialsProvider } from "./broker/aws-credentials.ts";
export type { Caller, ScopeGrant } from "./broker/scopes.ts";
export {
  type BrokerErrorCode,
  type GatewayErrorCode,
  type LocalErrorCode,
  TokenBrokerError,
  type TokenBrokerErrorCode,
} from "./errors/token-broker-error.ts";
export type { LookerToken } from "./token/looker-token.ts";
export {
  type LoggedOut,
  type LogoutOptions,
  TokenBrokerClient,
  type TokenBrokerClientOptions,
} from "./token/token-broker-client.ts";
export type { TokenOptions } from "./token/token-cache.ts";
export type { SourceToken, TokenSource } from "./token/token-source.ts";
export type { Clock } from "./waiting/clock.ts";
