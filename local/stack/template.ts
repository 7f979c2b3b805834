/**
 * Reads the synthesized stack as the local run needs it: routes, functions, tables, keys, roles. Pure: the
 * assembly has been read. What the local run cannot follow is an error (`TemplateError`), never ignored.
 */

import type { CloudAssembly } from "./cloud-assembly.ts";
import { type LocalFunction, readFunction } from "./functions.ts";
import { type GatewayResponses, readGatewayResponses } from "./gateway-responses.ts";

import { type InvokePermission, readInvokePermissions } from "./invoke-permissions.ts";
import { type LocalKey, readKey } from "./keys.ts";
import type { AwsLocation } from "./location.ts";
import type { PolicyDocument, PolicyStatement } from "./policy-document.ts";
import { readQueryDefinition, type StoredQuery } from "./query-definitions.ts";
import { type ResolvedResource, resolveOutputs, resolveResources, type StackOutput } from "./resources.ts";
import { type LocalRole, readRoles } from "./roles.ts";
import { type LocalRotation, readRotations } from "./rotations.ts";
import { type LocalRoute, readRoutes } from "./routes.ts";
import { type LocalSchedule, readSchedules } from "./schedules.ts";
import { type LocalStage, readStage } from "./stage.ts";
import { type LocalTable, readTable } from "./tables.ts";

export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  /** Unknown of resources that nothing here refers to. */
  readonly physicalId?: string;
}

export interface LocalStack extends LocalStage {
  readonly routes: readonly LocalRoute[];
  readonly gatewayResponses: GatewayResponses;
  readonly functions: readonly LocalFunction[];
  readonly tables: readonly LocalTable[];
  readonly keys: readonly LocalKey[];
  readonly roles: readonly LocalRole[];
  readonly schedules: readonly LocalSchedule[];
  readonly rotations: readonly LocalRotation[];
  readonly invokePermissions: readonly InvokePermission[];
  readonly savedQueries: readonly StoredQuery[];
  /** Statements of the policy that the stack hands out for auditors. */
  readonly auditorStatements: readonly PolicyStatement[];
  readonly name: string;
  readonly outputs: readonly StackOutput[];
  readonly resources: readonly StackResource[];
}

export function readTemplate(assembly: CloudAssembly, location: AwsLocation): LocalStack {
  const resources = resolveResources(assembly, location);
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const roles = readRoles(resources);
  const functions = ofType("AWS::Lambda::Function").map((resource) =>
    readFunction(resource, assembly, roles),
  );
  return {
    ...readStage(ofType("AWS::ApiGateway::RestApi"), ofType("AWS::ApiGateway::Stage")),
    routes: readRoutes(resources, functions),
    gatewayResponses: readGatewayResponses(ofType("AWS::ApiGateway::GatewayResponse")),
    functions,
    tables: ofType("AWS::DynamoDB::Table").map(readTable),
    keys: ofType("AWS::KMS::Key").map((key) => readKey(key, ofType("AWS::KMS::Alias"))),
    roles,
    schedules: readSchedules(ofType("AWS::Scheduler::Schedule"), functions, roles),
    rotations: readRotations(ofType("AWS::SecretsManager::RotationSchedule"), functions),
    invokePermissions: readInvokePermissions(ofType("AWS::Lambda::Permission")),
    savedQueries: ofType("AWS::Logs::QueryDefinition").map(readQueryDefinition),
    auditorStatements: readAuditorStatements(ofType("AWS::SSM::Parameter")),
    name: assembly.stackName,
    outputs: resolveOutputs(assembly, location),
    resources: resources.map(({ logicalId, type, physical }) => ({
      logicalId,
      type,
      ...(physical.ref === "" ? {} : { physicalId: physical.ref }),
    })),
  };
}

/** In the parameter beside those of the scopes. */
function readAuditorStatements(parameters: readonly ResolvedResource[]): readonly PolicyStatement[] {
  const [auditor] = parameters.filter(({ properties }) => String(properties.Name).endsWith("/auditor"));
  if (!auditor) return [];
  const { policy } = JSON.parse(String(auditor.properties.Value)) as { policy: PolicyDocument };
  return policy.Statement;
}
