/** The published package: the broker as a construct, its settings, and their error. */

export type { ScopeDefinition, ScopeDefinitions } from "../functions/domain/scope.ts";
export type { AlarmName } from "./alarms.ts";
export { AuditorParameter } from "./auditor-parameter.ts";
export type { CustomDomain } from "./broker-api.ts";
export type { BrokerFunction } from "./broker-function.ts";
export { BrokerSettingsError, checkDeployment } from "./check-broker.ts";
export { Guard } from "./guard.ts";
export type { Verb } from "./routes.ts";
export { ScopeOutputs } from "./scope-outputs.ts";
export type { AlarmThresholds, DeploymentSettings, GuardProps, TokenBrokerProps } from "./settings.ts";
export { TokenBroker } from "./token-broker.ts";
