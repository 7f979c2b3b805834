/** examples/kubernetes: each sidecar's command with the identity that a pod has, and a tool with its neighbour's environment. */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { listen } from "../../../local/loopback.ts";
import { callerOf, sharedStand, untilSeen } from "../../support/broker-stand.ts";
import { emptyTable } from "../../support/empty-table.ts";
import { buildCommand, commandsOf, recipe, start } from "../../support/recipe.ts";

const stand = sharedStand();
let bin: string;
beforeAll(() => {
  bin = commandsOf(stand, { "looker-token": { linkTo: buildCommand() } });
});
afterEach(async () => {
  stand.looker.control.expireAllTokens();
  stand.looker.control.resetLedger();
  await emptyTable(stand.broker);
});

interface Container {
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly startupProbe: { readonly exec: { readonly command: readonly string[] } };
}

/** The pod's template, with another port in the place of 9100. */
function podOf(file: string, port: number) {
  const text = readFileSync(recipe(`kubernetes/${file}`), "utf8").replaceAll("9100", String(port));
  const { spec } = parse(text);
  const pod = (spec.jobTemplate?.spec ?? spec).template.spec;
  const [sidecar] = pod.initContainers as Container[];
  const [tool] = pod.containers as Container[];
  if (!sidecar || !tool) throw new Error(`${file} has no two containers.`);
  return { serviceAccountName: pod.serviceAccountName, sidecar, tool };
}

const variables = ({ env }: Container) => Object.fromEntries(env.map(({ name, value }) => [name, value]));

async function freePort(): Promise<number> {
  const { url, close } = await listen(createServer());
  await close();
  return Number(new URL(url).port);
}

/** A server of AWS's, which answers with the credentials of the pod's role. Other requests get the reason of a refusal. */
async function awsServer(answerOf: (request: { authorization: string | undefined; body: string }) => string) {
  const server = createServer(async (request, response) => {
    let body = "";
    try {
      for await (const chunk of request) body += chunk;
      response.end(answerOf({ authorization: request.headers.authorization, body }));
    } catch (error) {
      // Without an answer the client would wait for ever, and nobody would read the reason.
      response.writeHead(400).end(`${request.method} ${request.url}: ${error}`);
    }
  });
  const { url, close } = await listen(server);
  onTestFinished(close);
  return url;
}

const keys = () => callerOf(stand, "report-service").principal;
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

/** As the agent of EKS Pod Identity sets it: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html */
async function podIdentity(token: string): Promise<Record<string, string>> {
  const url = await awsServer(({ authorization }) => {
    expect(authorization).toBe("projected-token");
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token } = keys();
    return JSON.stringify({ AccessKeyId, SecretAccessKey, Token, Expiration: inAnHour() });
  });
  return {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token,
  };
}

/** As EKS sets it for IAM roles of service accounts, with a stand-in for AWS STS. */
async function irsa(token: string): Promise<Record<string, string>> {
  const url = await awsServer(({ body }) => {
    expect(new URLSearchParams(body).get("WebIdentityToken")).toBe("projected-token");
    const { accessKeyId, secretAccessKey, sessionToken } = keys();
    return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</SessionToken><Expiration>${inAnHour()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
  });
  const { metadata } = parse(readFileSync(recipe("kubernetes/service-account-irsa.yaml"), "utf8"));
  return {
    AWS_ROLE_ARN: metadata.annotations["eks.amazonaws.com/role-arn"],
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
    AWS_ENDPOINT_URL_STS: url,
  };
}

const sdk = fileURLToPath(new URL("../../external/tools/node-sdk.mjs", import.meta.url));

describe.each(["deployment.yaml", "cron-job.yaml"])("%s", (file) => {
  test.each([
    ["IAM roles for service accounts", "service-account-irsa.yaml", irsa],
    ["EKS Pod Identity", "service-account-pod-identity.yaml", podIdentity],
  ])("gives a tool Looker's API by %s", async (_, accountFile, identity) => {
    const token = join(stand.workDir, "projected-token");
    writeFileSync(token, "projected-token");
    const environment = await identity(token);
    // After AWS's server, because this server could be given the same port, and get the requests of the probe.
    const port = await freePort();
    const { sidecar, tool, serviceAccountName } = podOf(file, port);
    const account = parse(readFileSync(recipe(`kubernetes/${accountFile}`), "utf8"));
    expect(serviceAccountName).toBe(account.metadata.name);

    const common = { PATH: `${bin}:${process.env.PATH}`, HOME: "/nowhere" };
    const [command = "", ...args] = sidecar.command;
    const proxy = start(command, args, {
      cwd: "/",
      env: {
        ...common,
        ...variables(sidecar),
        ...environment,
        LOOKER_BROKER_ENDPOINT: stand.broker.endpoint,
        AWS_REGION: stand.broker.region,
      },
    });
    onTestFinished(() => void proxy.child.kill("SIGKILL"));
    await untilSeen(
      async () => {
        const [probe = "", ...words] = sidecar.startupProbe.exec.command;
        return (await start(probe, words, { env: common }).ended).exitCode === 0;
      },
      `the startup probe: ${proxy.said()}`,
      30_000,
    );

    const ran = await start(process.execPath, [sdk], { env: { ...common, ...variables(tool) } }).ended;
    expect(ran).toMatchObject({ exitCode: 0, out: expect.stringMatching(/ sales,finance dev$/m) });
    proxy.child.kill("SIGTERM");
    expect(await proxy.ended).toMatchObject({ exitCode: 0, out: "" });
    // The role's shared token stays, because other pods use it. The session that went to `dev` is ended.
    expect(stand.looker.liveTokens()).toHaveLength(1);
  });
});
