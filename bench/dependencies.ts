/** What each dependency adds to a cold start and to a bundle: handlers that load one more each and call nothing. */
import { bundleBytes, bundleText } from "./bundles.ts";

export interface Layer {
  readonly name: string;
  readonly folder: string;
  readonly bytes: number;
}

const limits = `import { clientLimits } from "../../../../functions/adapters/aws-client.ts";`;

/** Each as `functions/` uses it: exported, since what is not used is not bundled. */
const layers: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  [
    "@aws-sdk/client-dynamodb",
    `${limits}
     import { BatchGetItemCommand, ConditionalCheckFailedException, DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
     export const dynamodb = [new DynamoDBClient(clientLimits), BatchGetItemCommand, ConditionalCheckFailedException, GetItemCommand, PutItemCommand, QueryCommand];`,
  ],
  [
    "@aws-sdk/client-kms",
    `import { DecryptCommand, EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
     export const kms = [new KMSClient(clientLimits), DecryptCommand, EncryptCommand];`,
  ],
  [
    "@aws-sdk/client-secrets-manager",
    `import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
     export const secrets = [new SecretsManagerClient(clientLimits), GetSecretValueCommand];`,
  ],
  ["@aws-sdk/util-dynamodb", `export { marshall, unmarshall } from "@aws-sdk/util-dynamodb";`],
  [
    "@middy/core",
    `import middy from "@middy/core";
     export const handler = middy(async () => ({ statusCode: 200, body: "{}" }));`,
  ],
];

const bareHandler = `export const handler = async () => ({ statusCode: 200, body: "{}" });`;

/** Each has everything that those before it have. */
export function dependencyLayers(): Layer[] {
  return layers.map(([name], index) => {
    const texts = layers.slice(0, index + 1).map(([, text]) => text);
    const last = texts.at(-1)?.includes("const handler") ? [] : [bareHandler];
    const folder = bundleText([...texts, ...last].join("\n"));
    return { name, folder, bytes: bundleBytes(folder) };
  });
}
