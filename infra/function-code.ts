/** One function's deployment package: its bundle and the scopes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AssetHashType, DockerImage } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { scopesFile } from "../functions/contract.ts";
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import { bundleSource, writeBundle } from "./bundle.ts";
import type { FunctionName } from "./function-names.ts";

/** Made while the stack is synthesized, and only if that stack is wanted (not for `cdk ls`). */
export function functionCode(name: FunctionName, scopes: ScopeDefinitions | undefined): Code {
  return Code.fromAsset(bundleSource, {
    // Of the output, so a change without an effect on the bundle redeploys nothing.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never pulled or run: `local` below always does the work. The command tells one function's asset from
      // another's in CDK's cache of staged assets, which is kept by these options.
      image: DockerImage.fromRegistry("unused"),
      command: [name, JSON.stringify(scopes ?? null)],
      local: {
        tryBundle(outputDirectory) {
          writeBundle(name, outputDirectory);
          if (scopes)
            writeFileSync(join(outputDirectory, scopesFile), `${JSON.stringify(scopes, null, 2)}\n`);
          return true;
        },
      },
    },
  });
}
