/** All resources of a template with their intrinsic functions resolved. */
import type { CloudAssembly } from "./cloud-assembly.ts";
import { type References, resolveValue, TemplateError } from "./intrinsics.ts";
import { type Physical, type Place, physicalOf, type Resource } from "./physical-names.ts";

export interface ReadResource extends Resource {
  readonly physical: Physical;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Types that nothing refers to. A type that is neither here, below nor in physical-names.ts is not supported. */
const withoutName = [
  "AWS::ApiGateway::GatewayResponse",
  "AWS::ApiGateway::Method",
  "AWS::IAM::Policy",
  "AWS::Lambda::Permission",
];

/**
 * As above, of no effect on one machine: where API Gateway logs, what is not retried, what CloudWatch shows, what teams look up,
 * by which name they call.
 */
const withoutLocalEffect = [
  "AWS::ApiGateway::Account",
  "AWS::ApiGateway::BasePathMapping",
  "AWS::CloudWatch::Dashboard",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Logs::QueryDefinition",
  "AWS::Route53::RecordSet",
  "AWS::SSM::Parameter",
];

/** @throws {TemplateError} for types, conditions and functions that the local run does not know. */
export function resolvedResources({ stackName, template }: CloudAssembly, place: Place): ReadResource[] {
  const pseudo: Record<string, string> = {
    "AWS::AccountId": place.accountId,
    "AWS::Partition": place.partition,
    "AWS::Region": place.region,
    "AWS::StackName": stackName,
    "AWS::URLSuffix": place.partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com",
  };
  const known = new Map<string, Physical>();
  const underWay = new Set<string>();

  const physical = (logicalId: string): Physical | undefined => {
    const found = known.get(logicalId);
    if (found) return found;
    const definition = template.Resources[logicalId];
    if (!definition) return undefined;
    // A name that is made of another resource's name is resolved on the way; one made of itself never would be.
    if (underWay.has(logicalId)) throw new TemplateError(logicalId, "refers to itself");
    underWay.add(logicalId);
    const properties = definition.Properties ?? {};
    const made = physicalOf(
      { logicalId, type: definition.Type, properties },
      stackName,
      place,
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

  return Object.entries(template.Resources).map(([logicalId, definition]) => {
    const { Type: type, Properties: properties = {}, Metadata: metadata = {}, Condition } = definition;
    if (Condition !== undefined) throw new TemplateError(logicalId, "Condition is not supported");
    const own = physical(logicalId);
    if (!own && ![...withoutName, ...withoutLocalEffect].includes(type))
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
