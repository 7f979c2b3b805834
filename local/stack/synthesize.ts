/**
 * Synthesizes the stack with the scopes of the local run. Runs the app itself: the CDK CLI would give the same cloud
 * assembly two seconds later. The app gets the context of cdk.json, and account and region, from here and not from the CLI.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { url as inspectorUrl } from "node:inspector";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AwsLocation } from "./location.ts";
import { completeSourceMaps } from "./source-maps.ts";

const projectRoot = fileURLToPath(new URL("../..", import.meta.url));

/**
 * `deployment`: the file that local/deployment.ts reads. An abort ends the app, and rejects when it has ended: until then it writes
 * into `outdir`, and the next run's app would find half-made files there.
 */
export async function synthesize(
  outdir: string,
  deployment: string,
  location: AwsLocation,
  abort?: AbortSignal,
): Promise<void> {
  abort?.throwIfAborted();
  // Older assets stay: they are named by their hash, and another broker may still be starting instances from them.
  const { context = {} } = JSON.parse(readFileSync(join(projectRoot, "cdk.json"), "utf8")) as {
    context?: Record<string, unknown>;
  };
  // The app needs no credentials of another Looker.
  const { LOOKERSDK_CLIENT_ID: _id, LOOKERSDK_CLIENT_SECRET: _secret, ...environment } = process.env;
  const child = spawn(process.execPath, ["infra/app.ts"], {
    cwd: projectRoot,
    stdio: ["ignore", "ignore", "pipe"],
    ...(abort && { signal: abort }),
    env: {
      ...environment,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({
        ...context,
        scopes: "local/deployment.ts",
        region: location.region,
      }),
      CDK_DEFAULT_ACCOUNT: location.accountId,
      CDK_DEFAULT_REGION: location.region,
      LOCAL_DEPLOYMENT: deployment,
    },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  // Comes after an error too. It waits for the app's own children, because they share its stderr.
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  abort?.throwIfAborted();
  if (failure) throw failure;
  if (code !== 0)
    throw new Error(
      `The stack cannot be synthesized: ${stderr.replace(/^Bundling asset .*\n/gm, "").trim()}`,
    );
  if (inspectorUrl() !== undefined) completeSourceMaps(outdir);
}
