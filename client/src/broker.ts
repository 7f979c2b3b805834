/**
 * For tools that call the broker's other routes, such as the command: a connection, a signed call, its retries and their
 * errors. A service needs only `TokenBrokerClient`.
 */

export type { AwsCredentials, AwsCredentialsProvider } from "./broker/aws-credentials.ts";
export { type BrokerAnswer, type BrokerRequest, callBroker } from "./broker/call-broker.ts";
export { type BrokerFetch, type Connection, type ConnectionOptions, connect } from "./broker/connection.ts";
export { type Caller, type Permissions, parsePermissions, type ScopeGrant } from "./broker/permissions.ts";
export { isScopeName, scopeNameRule } from "./broker/scope-name.ts";
export { isSessionName, sessionNameRule } from "./broker/session-name.ts";
export type { TokenBrokerErrorCode } from "./errors/error-codes.ts";
export { TokenBrokerError } from "./errors/token-broker-error.ts";
export { type RetryEvent, type RetryListener, type RetryOptions, withRetries } from "./waiting/retry.ts";
