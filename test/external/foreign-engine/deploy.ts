/** The broker, deployed to the engine as an operator deploys it: `cdk bootstrap`, `cdk deploy`, secrets, and roles with policies. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type RunningLooker, startLooker } from "../../../local/looker/server.ts";
import { serviceAccounts } from "../../../local/looker/service-accounts.ts";
import { type Rehearsal, rehearse, writeDeployment } from "../../../local/rehearsal.ts";
import { readCloudAssembly } from "../../../local/stack/cloud-assembly.ts";
import { synthesize } from "../../../local/stack/synthesize.ts";
import { type Botocore, type Credentials, startBotocore } from "./botocore.ts";
import type { Deployment } from "./deployment.ts";
import { type Engine, startEngine } from "./engine.ts";
import { gaps } from "./gaps.ts";

const projectRoot = fileURLToPath(new URL("../../..", import.meta.url));

/** Synthesis, the engine's start and two runs of the CDK take 15 s, but longer on a busy machine. */
export const deploysWithinMs = 180_000;

export async function deploy(): Promise<Deployment> {
  const workDir = mkdtempSync(join(tmpdir(), "foreign-engine-"));
  const running: { close(): Promise<unknown> }[] = [];
  const close = async () => {
    for (const part of running.splice(0).reverse()) await part.close();
    rmSync(workDir, { recursive: true, force: true });
  };
  try {
    return { ...(await deployInto(workDir, running)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function deployInto(
  workDir: string,
  running: { close(): Promise<unknown> }[],
): Promise<Omit<Deployment, "close">> {
  const rehearsal = await rehearse(join(projectRoot, "local/scopes.ts"), { rotates: false });
  const { region, accountId } = rehearsal.location;
  const accounts = serviceAccounts(rehearsal.scopes);
  const looker = await startLooker({ accounts: accounts.map(({ account }) => account) });
  running.push(looker);
  const { outdir, stackName, timeToLive } = await synthesizeFor(looker, rehearsal, workDir);
  const engine = await startEngine(workDir, rehearsal.location);
  running.push(engine);
  const botocore = startBotocore();
  running.push(botocore);

  const aws = awsOf(engine, botocore, region);
  await cdk(engine, workDir, region, "bootstrap", `aws://${accountId}/${region}`, "--app", outdir);
  // The bucket refuses http, which is how this engine is reached on loopback.
  await aws("s3", "DeleteBucketPolicy", { Bucket: `cdk-hnb659fds-assets-${accountId}-${region}` });
  await cdk(engine, workDir, region, "deploy", "--app", outdir, "--require-approval", "never");
  for (const { secretId, secret } of accounts)
    await aws("secretsmanager", "CreateSecret", { Name: secretId, SecretString: JSON.stringify(secret) });

  const { Stacks } = await aws("cloudformation", "DescribeStacks", { StackName: stackName });
  const outputs: Record<string, string> = Object.fromEntries(
    Stacks[0].Outputs.map((each: Record<string, string>) => [each.OutputKey, each.OutputValue]),
  );
  const { hostname, pathname } = new URL(outputs.Endpoint ?? "");
  const apiId = hostname.split(".")[0] ?? "";
  const endpoint = `${engine.url}/_aws/execute-api/${apiId}${pathname}`;
  const secrets = new Set([
    engine.root.secretAccessKey,
    ...accounts.map(({ secret }) => secret.client_secret),
  ]);
  return {
    engine,
    looker,
    workDir,
    region,
    apiId,
    endpoint,
    outputs,
    timeToLive,
    secrets,
    aws,
    async assumed(roleName, policy, ofAccount = accountId) {
      // The engine takes an account's id for the key of its root user.
      const root = ofAccount === accountId ? engine.root : { ...engine.root, accessKeyId: ofAccount };
      const inAccount: Deployment["aws"] = (service, operation, parameters) =>
        aws(service, operation, parameters, root);
      const credentials = await assumeNewRole(inAccount, ofAccount, roleName, policy);
      secrets.add(credentials.secretAccessKey);
      return credentials;
    },
    async policiesOf(scope) {
      const Name = `/${stackName}/Broker/scopes/${scope}`;
      const { Parameter } = await aws("ssm", "GetParameter", { Name });
      const { caller, operator } = JSON.parse(Parameter.Value);
      return { caller: JSON.stringify(caller.policy), operator: JSON.stringify(operator.policy) };
    },
    send: (credentials, method, path, body) =>
      botocore.send({
        credentials,
        region,
        method,
        url: `${endpoint}${path}`,
        ...(body && { body: JSON.stringify(body) }),
      }),
  };
}

const awsOf =
  ({ url: endpoint, root }: Engine, botocore: Botocore, region: string): Deployment["aws"] =>
  (service, operation, parameters = {}, credentials = root) =>
    botocore.call({ service, operation, parameters, credentials, region, endpoint });

/** With the stand-in as the scopes' Looker, and with a way around each gap of the engine. */
async function synthesizeFor(looker: RunningLooker, rehearsal: Rehearsal, workDir: string) {
  const [file, outdir] = [join(workDir, "deployment.json"), join(workDir, "cdk.out")];
  mkdirSync(workDir, { recursive: true });
  writeDeployment(file, rehearsal, () => looker.url);
  await synthesize(outdir, file, rehearsal.location);
  const { stackName, template } = readCloudAssembly(outdir);
  for (const { workAround } of gaps) workAround?.(template.Resources);
  writeFileSync(join(outdir, `${stackName}.template.json`), JSON.stringify(template));
  const table = Object.values(template.Resources).find(({ Type }) => Type === "AWS::DynamoDB::Table");
  const timeToLive = table?.Properties?.TimeToLiveSpecification as object;
  return { outdir, stackName, timeToLive };
}

async function cdk({ url, root }: Engine, workDir: string, region: string, ...args: string[]): Promise<void> {
  const program = join(projectRoot, "node_modules/aws-cdk/bin/cdk");
  const run = promisify(execFile)(process.execPath, [program, ...args, "--no-notices", "--ci"], {
    cwd: workDir,
    env: {
      PATH: process.env.PATH,
      HOME: workDir,
      TMPDIR: workDir,
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: root.accessKeyId,
      AWS_SECRET_ACCESS_KEY: root.secretAccessKey,
      AWS_REGION: region,
      AWS_EC2_METADATA_DISABLED: "true",
      CDK_DISABLE_CLI_TELEMETRY: "true",
    },
  });
  await run.catch(({ stdout, stderr }: { stdout?: string; stderr?: string }) => {
    throw new Error(`cdk ${args[0]} failed: ${`${stdout}${stderr}`.slice(-4_096)}`);
  });
}

async function assumeNewRole(
  aws: Deployment["aws"],
  accountId: string,
  RoleName: string,
  policy: string | undefined,
): Promise<Required<Credentials>> {
  const trust = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: "sts:AssumeRole",
      },
    ],
  };
  const { Role } = await aws("iam", "CreateRole", {
    RoleName,
    AssumeRolePolicyDocument: JSON.stringify(trust),
  });
  if (policy !== undefined)
    await aws("iam", "PutRolePolicy", { RoleName, PolicyName: "only", PolicyDocument: policy });
  const session = { RoleArn: Role.Arn, RoleSessionName: `${RoleName}-session` };
  const { Credentials: keys } = await aws("sts", "AssumeRole", session);
  return {
    accessKeyId: keys.AccessKeyId,
    secretAccessKey: keys.SecretAccessKey,
    sessionToken: keys.SessionToken,
  };
}
