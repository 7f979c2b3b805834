/** All resources of a template with their intrinsic functions resolved. */
import type { CloudAssembly } from "./cloud-assembly.ts";
import { type References, resolveValue, TemplateError } from "./intrinsics.ts";
import type { AwsLocation } from "./location.ts";
import { type PhysicalNames, physicalNamesOf, type Resource } from "./physical-names.ts";

export interface ResolvedResource extends Resource {
  readonly physical: PhysicalNames;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Types that nothing refers to, so that they need no name. A type in none of these lists and not in physical-names.ts is not supported. */
const unnamedTypes = [
  "AWS::ApiGateway::GatewayResponse",
  "AWS::ApiGateway::Method",
  "AWS::IAM::Policy",
  "AWS::Lambda::Permission",
  "AWS::SecretsManager::RotationSchedule",
];

/** Types without an effect on one machine: logging, retries and parameters. Nothing refers to them either. */
const typesWithoutLocalEffect = [
  "AWS::ApiGateway::Account",
  "AWS::ApiGateway::BasePathMapping",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Logs::MetricFilter",
  "AWS::Route53::RecordSet",
  "AWS::SSM::Parameter",
];

/** Names of the template's resources, as `Ref` and `Fn::GetAtt` give them. */
interface Names extends References {
  physical(logicalId: string): PhysicalNames | undefined;
}

function namesOf({ stackName, template }: CloudAssembly, location: AwsLocation): Names {
  const pseudo: Record<string, string> = {
    "AWS::AccountId": location.accountId,
    "AWS::Partition": location.partition,
    "AWS::Region": location.region,
    "AWS::StackName": stackName,
    "AWS::URLSuffix": location.partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com",
  };
  const known = new Map<string, PhysicalNames>();
  const underWay = new Set<string>();

  const physical = (logicalId: string): PhysicalNames | undefined => {
    const found = known.get(logicalId);
    if (found) return found;
    const definition = template.Resources[logicalId];
    if (!definition) return undefined;
    // A name may contain the name of another resource, but not its own.
    if (underWay.has(logicalId)) throw new TemplateError(logicalId, "refers to itself");
    underWay.add(logicalId);
    const properties = definition.Properties ?? {};
    const made = physicalNamesOf(
      { logicalId, type: definition.Type, properties },
      stackName,
      location,
      (property) => {
        const value = properties[property];
        return value === undefined ? undefined : String(resolveValue(value, logicalId, references));
      },
    );
    underWay.delete(logicalId);
    if (made) known.set(logicalId, made);
    return made;
  };
  const references: References = {
    ref: (name) => pseudo[name] ?? physical(name)?.ref,
    attribute: (logicalId, attribute) => physical(logicalId)?.attributes[attribute],
  };

  return { ...references, physical };
}

/** @throws {TemplateError} for types, conditions and functions that the local run does not know. */
export function resolveResources(assembly: CloudAssembly, location: AwsLocation): ResolvedResource[] {
  const { physical, ...references } = namesOf(assembly, location);
  return Object.entries(assembly.template.Resources).map(([logicalId, definition]) => {
    const { Type: type, Properties: properties = {}, Metadata: metadata = {}, Condition } = definition;
    if (Condition !== undefined) throw new TemplateError(logicalId, "Condition is not supported");
    const own = physical(logicalId);
    if (!own && ![...unnamedTypes, ...typesWithoutLocalEffect].includes(type))
      throw new TemplateError(logicalId, `resources of type ${type} are not supported`);
    return {
      logicalId,
      type,
      properties: resolveValue(properties, logicalId, references) as Record<string, unknown>,
      physical: own ?? { ref: "", attributes: {} },
      metadata,
    };
  });
}

export interface StackOutput {
  readonly key: string;
  readonly value: string;
  readonly description?: string;
}

export function resolveOutputs(assembly: CloudAssembly, location: AwsLocation): StackOutput[] {
  const references = namesOf(assembly, location);
  return Object.entries(assembly.template.Outputs ?? {}).map(([key, { Value, Description }]) => ({
    key,
    value: String(resolveValue(Value, key, references)),
    ...(Description === undefined ? {} : { description: Description }),
  }));
}
