/** The template's DynamoDB tables. */
import { TemplateError } from "./intrinsics.ts";
import type { PolicyDocument } from "./policy-document.ts";
import type { ResolvedResource } from "./resources.ts";

/** The input of `CreateTable`, and the settings of a table that CloudFormation makes by other calls. */
export interface LocalTable {
  readonly createTable: Readonly<Record<string, unknown>> & { TableName: string };
  readonly ttlAttribute?: string;
  readonly resourcePolicy?: PolicyDocument;
}

/** Properties that have the same name in CloudFormation and in `CreateTable`. */
const createTableFields = [
  "AttributeDefinitions",
  "KeySchema",
  "BillingMode",
  "ProvisionedThroughput",
  "GlobalSecondaryIndexes",
  "LocalSecondaryIndexes",
];

/** Properties without an effect on one machine. Any other property is an error. */
const tableFieldsWithoutLocalEffect = [
  "DeletionProtectionEnabled",
  "PointInTimeRecoverySpecification",
  "SSESpecification",
  "TableClass",
  "Tags",
];

export function readTable({ logicalId, physical, properties }: ResolvedResource): LocalTable {
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
