/** The template's Lambda functions, each with its code and its role. */
import type { CloudAssembly } from "./cloud-assembly.ts";
import { TemplateError } from "./intrinsics.ts";
import type { ResolvedResource } from "./resources.ts";
import type { LocalRole } from "./roles.ts";

export interface LocalFunction {
  /** The function's name in this project ("issue-token"), or its logical id. */
  readonly id: string;
  /** The name in Lambda. */
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

export function readFunction(
  resource: ResolvedResource,
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
    throw unsupported(`its code ${JSON.stringify(Code)} is not an asset of the assembly`);
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
