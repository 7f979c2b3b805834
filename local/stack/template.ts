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
import { resolveResources } from "./resources.ts";
import { type LocalRole, readRoles } from "./roles.ts";
import { type LocalRotation, readRotations } from "./rotations.ts";
import { type LocalRoute, readRoutes } from "./routes.ts";
import { type LocalSchedule, readSchedules } from "./schedules.ts";
import { type LocalStage, readStage } from "./stage.ts";
import { type LocalTable, readTable } from "./tables.ts";

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
  };
}
