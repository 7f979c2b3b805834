/** The whole broker on this machine, as `npm start` and the end-to-end tests run it. */
import { join } from "node:path";
import { authorizeCalls } from "./aws/authorize.ts";
import { type AwsProxy, startAwsProxy } from "./aws/aws-proxy.ts";
import type { Authorize, RoleCredential } from "./aws/call.ts";
import { type Engines, startEngines } from "./aws/engines.ts";
import { startGateway } from "./gateway/server.ts";
import { type Pool, startPool } from "./lambda/pool.ts";
import { type RunningLooker, startLooker } from "./looker/server.ts";
import { serviceAccounts } from "./looker/service-accounts.ts";
import { administrator, type LocalPrincipal, localPrincipals, sessionKeys } from "./principals.ts";
import { scopes } from "./scopes.ts";
import { readCloudAssembly } from "./stack/cloud-assembly.ts";
import type { Place } from "./stack/physical-names.ts";
import { scheduledEvent } from "./stack/schedules.ts";
import { synthesize } from "./stack/synthesize.ts";
import { type LocalFunction, type LocalStack, readTemplate } from "./stack/template.ts";
import { orInUse } from "./start-error.ts";
import type { Flags } from "./start-flags.ts";

/** The account of the local principals' ARNs in scopes.ts. */
const place: Place = { partition: "aws", region: "us-east-1", accountId: "111122223333" };

export interface BrokerOptions extends Flags {
  /** For what is synthesized: brokers that run at once need one each. */
  workDir: string;
  /** A line that a function instance wrote. */
  onLog?(functionId: string, instanceNumber: number, line: string): void;
  /** How far an instance's clock is off, for tests. */
  clockSkewMs?(instanceNumber: number): number;
  /**
   * Decides on each call to AWS in the place of {@link authorizeCalls}, for tests. `engineKeys`: the ARN that the engine
   * gives each of the template's keys.
   */
  authorize?(stack: LocalStack, engineKeys: ReadonlyMap<string, string>): Authorize;
}

export interface RunningBroker {
  /** With the stage, without a trailing slash. */
  endpoint: string;
  region: string;
  lookerUrl: string;
  /** The stand-in, unless another Looker is used. */
  looker?: RunningLooker;
  principals: readonly LocalPrincipal[];
  awsProxy: AwsProxy;
  /** Behind the AWS proxy: where tests look at, and tamper with, what is stored. */
  engines: Engines;
  stack: LocalStack;
  tableName: string;
  /** What an instance of the function has in its environment: for those that are started elsewhere. */
  environmentOf(functionId: string): Readonly<Record<string, string>>;
  instances(functionId: string): ReturnType<Pool["instances"]>;
  /** At once, whatever it is doing. */
  kill(functionId: string, instanceNumber: number): Promise<boolean>;
  /** Runs what is scheduled now, beside its own times. */
  runSchedules(): Promise<void>;
  /** What function instances wrote, the latest ten thousand lines, as `issue-token#1 {…}`. */
  logs(): string[];
  close(): Promise<void>;
}

export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const running: { close(): Promise<unknown> }[] = [];
  /** In the reverse order of their start: whoever calls is gone before what it calls. */
  const close = async () => {
    for (const part of running.splice(0).reverse()) await part.close();
  };
  try {
    return await start(
      options,
      (part) => {
        running.push(part);
        return part;
      },
      close,
    );
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: BrokerOptions,
  keep: <T extends { close(): Promise<unknown> }>(part: T) => T,
  close: () => Promise<void>,
): Promise<RunningBroker> {
  const { region } = place;
  const accounts = serviceAccounts(scopes);
  const { lookerElsewhere } = options;
  const looker = lookerElsewhere
    ? undefined
    : keep(
        await orInUse(
          { "--looker-port": options.lookerPort, "--looker-control-port": options.lookerControlPort },
          startLooker({
            port: options.lookerPort,
            controlPort: options.lookerControlPort,
            accounts: accounts.map(({ account }) => account),
          }),
        ),
      );
  const lookerUrl = lookerElsewhere?.url ?? looker?.url ?? "";

  const engines = keep(await startEngines(options.engines, place));
  for (const { secretName, secret } of accounts)
    await engines.putSecret(
      secretName,
      // To the engine and nowhere else: no file, log or broker.json ever has them.
      lookerElsewhere
        ? { client_id: lookerElsewhere.clientId, client_secret: lookerElsewhere.clientSecret }
        : secret,
    );
  const credentials = new Map<string, RoleCredential>();
  const awsProxy = keep(
    await startAwsProxy({
      region,
      credentials: { find: (id) => credentials.get(id) },
      engines: engines.urls,
    }),
  );

  const outdir = join(options.workDir, "cdk.out");
  await synthesize(outdir, lookerUrl, place);
  const stack = readTemplate(readCloudAssembly(outdir), place);
  const [table] = stack.tables;
  if (!table) throw new Error("The template has no table.");
  for (const each of stack.tables) await engines.ensureTable(each);
  const keyArns = new Map<string, string>();
  for (const key of stack.keys) keyArns.set(key.arn, await engines.ensureKey(key));

  const principals = localPrincipals(scopes, place, stack);
  for (const { accessKeyId, secretAccessKey, sessionToken, roleArn, userArn } of principals)
    credentials.set(accessKeyId, {
      accessKeyId,
      secretAccessKey,
      sessionToken,
      principalArn: roleArn,
      sessionArn: userArn,
    });
  const administratorArn = principals.find(({ name }) => name === administrator)?.roleArn ?? "";
  awsProxy.setAuthorize(options.authorize?.(stack, keyArns) ?? authorizeCalls(stack.roles, administratorArn));

  const lines: string[] = [];
  const pools = new Map<string, Pool>();
  for (const definition of stack.functions) {
    const keys = sessionKeys();
    const roleName = definition.roleArn.slice(definition.roleArn.lastIndexOf("/") + 1);
    credentials.set(keys.accessKeyId, {
      ...keys,
      principalArn: definition.roleArn,
      // Lambda names the session after the function.
      sessionArn: `arn:${place.partition}:sts::${place.accountId}:assumed-role/${roleName}/${definition.name}`,
    });
    const pool = startPool({
      definition: withEngineKeys(definition, keyArns),
      credentials: keys,
      place: {
        region,
        endpoints: { DYNAMODB: awsProxy.url, SECRETS_MANAGER: awsProxy.url, KMS: awsProxy.url },
      },
      kind: options.instances,
      maxInstances: options.maxInstances,
      throttle: options.throttle,
      clockSkewMs: options.clockSkewMs,
      onLog(instanceNumber, line) {
        if (lines.push(`${definition.id}#${instanceNumber} ${line}`) > 10_000) lines.shift();
        options.onLog?.(definition.id, instanceNumber, line);
      },
    });
    pools.set(definition.id, keep(pool));
  }
  const poolOf = (functionId: string): Pool => {
    const pool = pools.get(functionId);
    if (!pool) throw new Error(`The template has no function ${functionId}.`);
    return pool;
  };

  const runSchedules = async () => {
    for (const schedule of stack.schedules)
      await poolOf(schedule.functionId).invoke(scheduledEvent(schedule, place, new Date()));
  };
  for (const schedule of stack.schedules) {
    const timer = setInterval(
      () => void poolOf(schedule.functionId).invoke(scheduledEvent(schedule, place, new Date())),
      schedule.everySeconds * 1_000,
    );
    keep({ close: async () => clearInterval(timer) });
  }

  const gateway = keep(
    await orInUse(
      { "--port": options.port },
      startGateway({
        port: options.port,
        ...place,
        apiId: stack.apiId,
        stage: stack.stage,
        routes: [...stack.routes],
        gatewayResponses: stack.gatewayResponses,
        principals: gatewayPrincipals(principals),
        invoke: (functionId, event) => poolOf(functionId).invoke(event),
      }),
    ),
  );

  return {
    endpoint: gateway.url.replace(/\/$/, ""),
    region,
    lookerUrl,
    ...(looker ? { looker } : {}),
    principals,
    awsProxy,
    engines,
    stack,
    tableName: table.createTable.TableName,
    environmentOf: (functionId) => poolOf(functionId).environment,
    instances: (functionId) => poolOf(functionId).instances(),
    kill: (functionId, instanceNumber) => poolOf(functionId).kill(instanceNumber),
    runSchedules,
    logs: () => [...lines],
    close,
  };
}

/** An engine that chooses its own key ids is known to the functions by those. */
function withEngineKeys(definition: LocalFunction, keyArns: ReadonlyMap<string, string>): LocalFunction {
  const environment = Object.fromEntries(
    Object.entries(definition.environment).map(([name, value]) => [name, keyArns.get(value) ?? value]),
  );
  return { ...definition, environment };
}

function gatewayPrincipals(principals: readonly LocalPrincipal[]) {
  const byKey = new Map(principals.map((principal) => [principal.accessKeyId, principal]));
  return {
    find(accessKeyId: string) {
      const found = byKey.get(accessKeyId);
      return found && { ...found, allow: [...found.allow] };
    },
  };
}
