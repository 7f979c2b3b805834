/**
 * What CloudFormation would answer for `Ref` and `Fn::GetAtt`, resource type by type. Generated names and ids are
 * derived from stack and logical id, so that every synthesis of one template gives the same ones.
 */
import { createHash } from "node:crypto";
import type { AwsLocation } from "./location.ts";

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Record<string, unknown>;
}

export interface PhysicalNames {
  readonly ref: string;
  readonly attributes: Record<string, string>;
}

/** Names a resource. `textOf` gives a property's text, for a resource that the template names itself. */
export function physicalNamesOf(
  resource: Resource,
  stackName: string,
  location: AwsLocation,
  textOf: (property: string) => string | undefined,
): PhysicalNames | undefined {
  const { logicalId, type } = resource;
  const { partition, region, accountId } = location;
  const arn = (service: string, rest: string, regional = true) =>
    `arn:${partition}:${service}:${regional ? region : ""}:${accountId}:${rest}`;
  const digits = (length: number, alphabet: string) => derive(`${stackName}/${logicalId}`, length, alphabet);
  const generated = () => `${stackName}-${logicalId}-${digits(12, upper)}`;

  switch (type) {
    case "AWS::DynamoDB::Table": {
      const name = textOf("TableName") ?? generated();
      return { ref: name, attributes: { Arn: arn("dynamodb", `table/${name}`) } };
    }
    case "AWS::KMS::Key": {
      const id = uuidOf(digits(32, "0123456789abcdef"));
      return { ref: id, attributes: { Arn: arn("kms", `key/${id}`), KeyId: id } };
    }
    case "AWS::KMS::Alias":
      return { ref: textOf("AliasName") ?? generated(), attributes: {} };
    case "AWS::Lambda::Function": {
      // Lambda's limit is 64; CloudFormation shortens the same way, from the middle.
      const name = textOf("FunctionName") ?? shorten(generated(), 64);
      return { ref: name, attributes: { Arn: arn("lambda", `function:${name}`) } };
    }
    case "AWS::Lambda::Alias":
    case "AWS::Lambda::Version": {
      const target = textOf("FunctionName") ?? "";
      const functionArn = target.startsWith("arn:") ? target : arn("lambda", `function:${target}`);
      // Each synthesis has one version of a function.
      return { ref: `${functionArn}:${textOf("Name") ?? 1}`, attributes: { Version: "1" } };
    }
    case "AWS::IAM::Role": {
      const name = textOf("RoleName") ?? shorten(generated(), 64);
      const path = textOf("Path") ?? "/";
      return {
        ref: name,
        attributes: { Arn: arn("iam", `role${path}${name}`, false), RoleId: `AROA${digits(17, upper)}` },
      };
    }
    case "AWS::IAM::ManagedPolicy": {
      const name = textOf("ManagedPolicyName") ?? shorten(generated(), 128);
      const policyArn = arn("iam", `policy${textOf("Path") ?? "/"}${name}`, false);
      return { ref: policyArn, attributes: { PolicyArn: policyArn } };
    }
    case "AWS::Logs::LogGroup": {
      const name = textOf("LogGroupName") ?? generated();
      return { ref: name, attributes: { Arn: arn("logs", `log-group:${name}:*`) } };
    }
    case "AWS::Logs::QueryDefinition": {
      const id = uuidOf(digits(32, "0123456789abcdef"));
      return { ref: id, attributes: { QueryDefinitionId: id } };
    }
    case "AWS::CloudWatch::Alarm": {
      const name = textOf("AlarmName") ?? generated();
      return { ref: name, attributes: { Arn: arn("cloudwatch", `alarm:${name}`) } };
    }
    case "AWS::CloudWatch::Dashboard":
      return { ref: textOf("DashboardName") ?? generated(), attributes: {} };
    case "AWS::Events::Rule": {
      const name = textOf("Name") ?? shorten(generated(), 64);
      return { ref: name, attributes: { Arn: arn("events", `rule/${name}`) } };
    }
    case "AWS::ApiGateway::DomainName": {
      const regional = `d-${digits(10, lower)}.execute-api.${region}.amazonaws.com`;
      const attributes = { RegionalDomainName: regional, RegionalHostedZoneId: `Z${digits(12, upper)}` };
      return { ref: textOf("DomainName") ?? "", attributes };
    }
    case "AWS::ApiGateway::RestApi":
      return { ref: digits(10, lower), attributes: { RootResourceId: digits(10, `${lower}_`) } };
    case "AWS::ApiGateway::Resource":
    case "AWS::ApiGateway::Deployment":
      return { ref: digits(6, lower), attributes: {} };
    case "AWS::ApiGateway::Stage":
      return { ref: textOf("StageName") ?? "", attributes: {} };
    case "AWS::Scheduler::Schedule": {
      const name = textOf("Name") ?? shorten(generated(), 64);
      return { ref: name, attributes: { Arn: arn("scheduler", `schedule/default/${name}`) } };
    }
    default:
      return undefined;
  }
}

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const lower = "abcdefghijklmnopqrstuvwxyz0123456789";

function derive(seed: string, length: number, alphabet: string): string {
  const bytes = createHash("sha512").update(seed).digest();
  let text = "";
  for (let index = 0; index < length; index++) text += alphabet[(bytes[index] ?? 0) % alphabet.length];
  return text;
}

const uuidOf = (hex: string) =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");

const shorten = (name: string, length: number) =>
  name.length <= length ? name : name.slice(0, length - 13) + name.slice(-13);
