/** How many bytes the client adds to a service that is bundled: each service without it and with it. */
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Grown {
  readonly service: string;
  readonly without: number;
  readonly withClient: number;
  /** The most of what came with the client: package and bytes. */
  readonly most: readonly (readonly [string, number])[];
}

const client = `
  import { TokenBrokerClient } from "@looker-token-broker/client";
  export const client = new TokenBrokerClient({ scope: "sales" });`;
const session = `${client}
  import { lookerSession } from "@looker-token-broker/client/looker-sdk";
  export const session = lookerSession(client);`;

/** Exported is what the service makes: what is not used is not bundled. */
const services: readonly (readonly [service: string, text: string, withClient: string])[] = [
  ["an empty file", "", client],
  [
    "@aws-sdk/client-dynamodb",
    `import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
     export const dynamodb = [new DynamoDBClient(), GetItemCommand];`,
    client,
  ],
  [
    "@looker/sdk-node, and the client's session",
    `import { LookerNodeSDK } from "@looker/sdk-node";
     export const sdk = LookerNodeSDK.init40();`,
    session,
  ],
];

export function clientBundles(): Grown[] {
  return services.map(([service, text, added]) => {
    const without = bundled(text);
    const withClient = bundled(text + added);
    const most = [...withClient.byPackage]
      .map(([name, bytes]) => [name, bytes - (without.byPackage.get(name) ?? 0)] as const)
      .sort(([, a], [, b]) => b - a)
      .slice(0, 6);
    return { service, without: without.bytes, withClient: withClient.bytes, most };
  });
}

/** One minified file that has everything in it. */
function bundled(text: string): { bytes: number; byPackage: Map<string, number> } {
  const { metafile } = buildSync({
    stdin: { contents: text, resolveDir: root },
    outfile: "index.mjs",
    write: false,
    metafile: true,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    minify: true,
    // The project's leads to the sources of the client, and not to what is published.
    tsconfigRaw: {},
  });
  const [output] = Object.values(metafile.outputs);
  if (!output) throw new Error("Nothing was bundled.");
  const byPackage = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? "@looker-token-broker/client";
    byPackage.set(name, (byPackage.get(name) ?? 0) + bytesInOutput);
  }
  return { bytes: output.bytes, byPackage };
}
