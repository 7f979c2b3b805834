/** The published package: the broker as a construct, its settings, and their errors. */

export { type ScopeDefinition, type ScopeDefinitions, ScopesError } from "../functions/domain/scope.ts";
export type { AlarmName } from "./alarms.ts";
export type { CustomDomain } from "./broker-api.ts";
export type { BrokerFunction } from "./broker-function.ts";
export { Guard, type GuardProps } from "./guard.ts";
export type { Verb } from "./routes.ts";
export { ScopeOutputs } from "./scope-outputs.ts";
export { type AlarmThresholds, BrokerSettingsError, type TokenBrokerProps } from "./settings.ts";
export { TokenBroker } from "./token-broker.ts";
