/** Programs of this repository that send requests of their own to a deployed broker. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { leaksIn } from "../../support/broker-stand.ts";
import type { Credentials } from "./botocore.ts";
import type { Deployment } from "./deployment.ts";

interface ProbeResult {
  readonly what: string;
  readonly outcome: "expected" | "surprise" | "not tried";
}

/** `npm run probe` as a process of its own. Its exit code is 1 with a surprise, so the results count and not the code. */
export async function probe(
  { workDir, endpoint, region, secrets }: Deployment,
  runner: Credentials,
  bystander: Credentials,
  flags: readonly string[],
): Promise<readonly ProbeResult[]> {
  const profiles = join(workDir, "aws-config");
  const keys = Object.entries(variablesOf(bystander)).map(
    ([name, value]) => `${name.toLowerCase()}=${value}`,
  );
  writeFileSync(profiles, ["[profile bystander]", ...keys, ""].join("\n"), { mode: 0o600 });
  const program = fileURLToPath(new URL("../../../probe/probe.ts", import.meta.url));
  const scopes = ["--scope", "sales", "--other-scope", "finance", "--without-policy-profile", "bystander"];
  const args = ["--endpoint", endpoint, "--region", region, ...scopes, "--json", ...flags];
  const env = {
    PATH: process.env.PATH,
    HOME: workDir,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: profiles,
    ...variablesOf(runner),
  };
  const output = await new Promise<string>((resolve) =>
    execFile(process.execPath, [program, ...args], { env }, (_, stdout, stderr) =>
      resolve(`${stderr}${stdout}`),
    ),
  );
  expect(leaksIn(output, secrets)).toBe(0);
  return JSON.parse(output).results;
}

export const variablesOf = ({ accessKeyId, secretAccessKey, sessionToken = "" }: Credentials) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
});
