/**
 * Reads the synthesized stack as the local run needs it: routes, functions, tables, keys, roles. Pure: the
 * assembly has been read. What it cannot follow is an error (`TemplateError`), never ignored.
 */

import type { GatewayResponses } from "../gateway/gateway-responses.ts";
import type { CloudAssembly } from "./cloud-assembly.ts";
import { readGatewayResponses } from "./gateway-responses.ts";
import { TemplateError } from "./intrinsics.ts";
import type { Place } from "./physical-names.ts";
import type { PolicyDocument } from "./policy-document.ts";
import { type ReadResource, resolvedResources } from "./resources.ts";
import { type LocalRole, readRoles } from "./roles.ts";
import { type LocalRoute, readRoutes } from "./routes.ts";
import { type LocalSchedule, readSchedules } from "./schedules.ts";

export interface LocalFunction {
  /** The function's name in this project ("issue-token"), or its logical id. */
  readonly id: string;
  /** Its name in Lambda. */
  readonly name: string;
  readonly arn: string;
  readonly codeDir: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly logGroupName: string;
  readonly roleArn: string;
  readonly roleId: string;
}

/** `CreateTable`'s input, and what CloudFormation sets by another call. */
export interface LocalTable {
  readonly createTable: Readonly<Record<string, unknown>> & { TableName: string };
  readonly ttlAttribute?: string;
  readonly resourcePolicy?: PolicyDocument;
}

export interface LocalKey {
  readonly arn: string;
  /** With the `alias/` in front. */
  readonly aliases: readonly string[];
  readonly policy?: PolicyDocument;
}

export interface LocalStack {
  readonly apiId: string;
  readonly stage: string;
  readonly routes: readonly LocalRoute[];
  readonly gatewayResponses: GatewayResponses;
  readonly functions: readonly LocalFunction[];
  readonly tables: readonly LocalTable[];
  readonly keys: readonly LocalKey[];
  readonly roles: readonly LocalRole[];
  readonly schedules: readonly LocalSchedule[];
}

export function readTemplate(assembly: CloudAssembly, place: Place): LocalStack {
  const resources = resolvedResources(assembly, place);
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const roles = readRoles(resources);
  const functions = ofType("AWS::Lambda::Function").map((resource) =>
    readFunction(resource, assembly, roles),
  );
  return {
    ...readApi(ofType("AWS::ApiGateway::RestApi"), ofType("AWS::ApiGateway::Stage")),
    routes: readRoutes(resources, functions),
    gatewayResponses: readGatewayResponses(ofType("AWS::ApiGateway::GatewayResponse")),
    functions,
    tables: ofType("AWS::DynamoDB::Table").map(readTable),
    keys: ofType("AWS::KMS::Key").map((key) => readKey(key, ofType("AWS::KMS::Alias"))),
    roles,
    schedules: readSchedules(ofType("AWS::Scheduler::Schedule"), functions, roles),
  };
}

function readApi(apis: ReadResource[], stages: ReadResource[]): { apiId: string; stage: string } {
  const [api] = apis;
  const [stage] = stages;
  if (!api || !stage || apis.length > 1 || stages.length > 1)
    throw new TemplateError("AWS::ApiGateway::RestApi", "exactly one REST API with one stage is supported");
  return { apiId: api.physical.ref, stage: stage.physical.ref };
}

function readFunction(
  resource: ReadResource,
  assembly: CloudAssembly,
  roles: readonly LocalRole[],
): LocalFunction {
  const { logicalId, physical, properties, metadata } = resource;
  const unsupported = (problem: string) => new TemplateError(logicalId, problem);
  const { Code, Environment, LoggingConfig, Runtime, PackageType, Layers } = properties as {
    Code?: { S3Key?: string };
    Environment?: { Variables?: Record<string, string> };
    LoggingConfig?: { LogGroup?: string };
    Runtime?: string;
    PackageType?: string;
    Layers?: unknown;
  };
  if (!Runtime?.startsWith("nodejs") || PackageType === "Image" || Layers !== undefined)
    throw unsupported("only zip functions for Node without layers are supported");
  const codeDir = assembly.codeDirectory(String(Code?.S3Key));
  if (codeDir === undefined)
    throw unsupported(`its code ${JSON.stringify(Code)} is no asset of the assembly`);
  const role = roles.find(({ arn }) => arn === properties.Role);
  if (!role) throw unsupported(`its role ${JSON.stringify(properties.Role)} is not in the template`);
  return {
    id: String(metadata["broker:function"] ?? logicalId),
    name: physical.ref,
    arn: physical.attributes.Arn ?? "",
    codeDir,
    handler: String(properties.Handler),
    environment: Environment?.Variables ?? {},
    // Lambda's own defaults.
    timeoutSeconds: Number(properties.Timeout ?? 3),
    memoryMb: Number(properties.MemorySize ?? 128),
    logGroupName: LoggingConfig?.LogGroup ?? `/aws/lambda/${physical.ref}`,
    roleArn: role.arn,
    roleId: role.roleId,
  };
}

function readKey({ physical, properties }: ReadResource, aliases: readonly ReadResource[]): LocalKey {
  const { KeyPolicy: policy } = properties as { KeyPolicy?: PolicyDocument };
  return {
    arn: physical.attributes.Arn ?? "",
    aliases: aliases
      .filter(({ properties: { TargetKeyId: target } }) =>
        [physical.ref, physical.attributes.Arn].includes(String(target)),
      )
      .map((alias) => alias.physical.ref),
    ...(policy === undefined ? {} : { policy }),
  };
}

/** What `CreateTable` takes under the same name in CloudFormation. */
const createTableFields = [
  "AttributeDefinitions",
  "KeySchema",
  "BillingMode",
  "ProvisionedThroughput",
  "GlobalSecondaryIndexes",
  "LocalSecondaryIndexes",
];

/** What has no effect on one machine, or one that no stand-in has: said here, so that nothing is dropped unseen. */
const tableFieldsWithoutLocalEffect = [
  "DeletionProtectionEnabled",
  "PointInTimeRecoverySpecification",
  "SSESpecification",
  "TableClass",
  "Tags",
];

function readTable({ logicalId, physical, properties }: ReadResource): LocalTable {
  const createTable: LocalTable["createTable"] = { TableName: physical.ref };
  const { ResourcePolicy } = properties as { ResourcePolicy?: { PolicyDocument: PolicyDocument } };
  let ttlAttribute: string | undefined;
  for (const [field, value] of Object.entries(properties)) {
    if (createTableFields.includes(field)) Object.assign(createTable, { [field]: value });
    else if (field === "TimeToLiveSpecification") {
      const { AttributeName, Enabled } = value as { AttributeName?: string; Enabled?: boolean };
      if (Enabled) ttlAttribute = AttributeName;
    } else if (!["TableName", "ResourcePolicy", ...tableFieldsWithoutLocalEffect].includes(field))
      throw new TemplateError(logicalId, `${field} is not supported`);
  }
  return {
    createTable,
    ...(ttlAttribute === undefined ? {} : { ttlAttribute }),
    ...(ResourcePolicy === undefined ? {} : { resourcePolicy: ResourcePolicy.PolicyDocument }),
  };
}
