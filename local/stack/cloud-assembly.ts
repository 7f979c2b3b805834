/** Reads what `cdk synth` wrote: the one stack's template and where its assets lie. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Template {
  Resources: Record<
    string,
    {
      Type: string;
      Properties?: Record<string, unknown>;
      Metadata?: Record<string, unknown>;
      Condition?: string;
    }
  >;
  Outputs?: Record<string, { Value: unknown; Description?: string }>;
}

export interface CloudAssembly {
  readonly stackName: string;
  readonly template: Template;
  /** The directory that is zipped and uploaded under this S3 key. */
  codeDirectory(s3Key: string): string | undefined;
}

interface Manifest {
  artifacts: Record<
    string,
    {
      type: string;
      displayName?: string;
      environment?: string;
      properties?: { templateFile?: string; stackName?: string; file?: string };
    }
  >;
}

interface AssetManifest {
  files: Record<
    string,
    {
      source: { path: string; packaging: string };
      destinations: Record<string, { objectKey: string }>;
    }
  >;
}

export function readCloudAssembly(directory: string): CloudAssembly {
  const read = <T>(file: string) => JSON.parse(readFileSync(join(directory, file), "utf8")) as T;
  const artifacts = Object.entries(read<Manifest>("manifest.json").artifacts);
  const stacks = artifacts.filter(([, { type }]) => type === "aws:cloudformation:stack");
  const [stack] = stacks;
  if (!stack || stacks.length > 1)
    throw new Error(`The local run takes a cloud assembly of one stack; this one has ${stacks.length}.`);
  const [artifactId, { properties }] = stack;
  const files = artifacts
    .filter(([, { type }]) => type === "cdk:asset-manifest")
    .flatMap(([, artifact]) => Object.values(read<AssetManifest>(artifact.properties?.file ?? "").files));
  return {
    stackName: properties?.stackName ?? artifactId,
    template: read<Template>(properties?.templateFile ?? ""),
    codeDirectory(s3Key) {
      const file = files.find(({ destinations }) =>
        Object.values(destinations).some(({ objectKey }) => objectKey === s3Key),
      );
      return file?.source.packaging === "zip" ? join(directory, file.source.path) : undefined;
    },
  };
}
