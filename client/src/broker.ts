/**
 * For tools that call the broker's other routes, such as the command: a connection, a signed call, its retries and their
 * errors. A service needs only `TokenBrokerClient`.
 */

export type { AwsCredentials, AwsCredentialsProvider } from "./broker/aws-credentials.ts";
export { type BrokerAnswer, type BrokerRequest, callBroker } from "./broker/call-broker.ts";
export { type Connection, type ConnectionOptions, connect } from "./broker/connection.ts";
export { isScopeName, scopeNameRule } from "./broker/scope-name.ts";
export { type Caller, callerOf, grantsOf, type ScopeGrant } from "./broker/scopes.ts";
export { isSessionName, sessionNameRule } from "./broker/session-name.ts";
export { TokenBrokerError, type TokenBrokerErrorCode } from "./errors/token-broker-error.ts";
export { type RetryOptions, withRetries } from "./waiting/retry.ts";
