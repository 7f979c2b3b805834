/** The whole broker on this machine, as `npm start` and the end-to-end tests run it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { authorizeCalls } from "./aws/authorize.ts";
import { type AwsProxy, startAwsProxy } from "./aws/aws-proxy.ts";
import { type Authorize, endpointVariables, type RoleCredential } from "./aws/call.ts";
import { startCloudFormation } from "./aws/cloudformation.ts";
import { type Engines, startEngines } from "./aws/engines.ts";
import { startLogs } from "./aws/logs.ts";
import { startGateway } from "./gateway/server.ts";
import { type RunningFunctions, startFunctions } from "./lambda/functions.ts";
import type { InvokeResult } from "./lambda/invoke-result.ts";
import { startScheduler } from "./lambda/scheduler.ts";
import { LogGroups } from "./log-groups.ts";
import { type RunningLooker, startLooker } from "./looker/server.ts";
import { type ServiceAccount, serviceAccounts } from "./looker/service-accounts.ts";
import { explainTakenPort } from "./loopback.ts";
import { administratorName, auditorArns, type LocalPrincipal, localPrincipals } from "./principals.ts";
import { type Rehearsal, rehearse, writeDeployment } from "./rehearsal.ts";
import { configureRotations } from "./rotations.ts";
import { createSessionCredentials, type SessionCredentials } from "./sigv4/session-credentials.ts";
import { readCloudAssembly } from "./stack/cloud-assembly.ts";
import type { LocalFunction } from "./stack/functions.ts";
import type { AwsLocation } from "./stack/location.ts";
import { synthesize } from "./stack/synthesize.ts";
import { type LocalStack, readTemplate } from "./stack/template.ts";
import type { StartFlags } from "./start-flags.ts";

const ownScopesFile = fileURLToPath(new URL("scopes.ts", import.meta.url));

export interface BrokerOptions extends StartFlags {
  /** For what is synthesized: brokers that run at once need one each. */
  workDir: string;
  /** Ends a start at the synthesis of the stack, which is most of it. */
  abort?: AbortSignal;
  /** False leaves the rotation of all secrets out, for tests. */
  rotates?: boolean;
  /** A line that a function instance wrote. */
  onLog?(functionId: string, instanceNumber: number, line: string): void;
  /** A line of the API's access log. */
  onAccessLog?(line: string): void;
  /** How far an instance's clock is off, for tests. */
  clockSkewMs?(instanceNumber: number): number;
  /**
   * Decides on each call to AWS in the place of {@link authorizeCalls}, for tests. `engineKeys`: the ARN that the engine
   * gives each of the template's keys. `auditorArns`: principals with the auditor's policy.
   */
  authorize?(
    stack: LocalStack,
    engineKeys: ReadonlyMap<string, string>,
    auditorArns: readonly string[],
  ): Authorize;
  /** Takes a request in the function's place, or leaves it by undefined, for tests: as an alias with two versions does. */
  divert?(functionId: string, event: unknown): Promise<InvokeResult> | undefined;
}

export interface RunningBroker
  extends Pick<RunningFunctions, "environmentOf" | "instances" | "invoke" | "kill" | "logs"> {
  /** With the stage, without a trailing slash. */
  endpoint: string;
  region: string;
  lookerUrl: string;
  /** The stand-in, unless another Looker is used. The first of them, if the scopes have several. */
  looker?: RunningLooker;
  /** The stand-ins, each with the URL whose place it takes. */
  lookers: readonly StandInLooker[];
  /** Names or ARNs of the secrets with credentials for these. */
  secretIds: readonly string[];
  /** Settings of the scopes file that the local run leaves out. */
  leftOut: readonly string[];
  location: AwsLocation;
  /** The Looker of a scope. */
  lookerUrlOf(scope: string): string;
  principals: readonly LocalPrincipal[];
  awsProxy: AwsProxy;
  /** Behind the AWS proxy: where tests look at, and tamper with, what is stored. */
  engines: Engines;
  stack: LocalStack;
  tableName: string;
  /** Runs what is scheduled now, beside its own times: of all functions, or of one. */
  runSchedules(functionId?: string): Promise<void>;
  close(): Promise<void>;
}

export interface StandInLooker {
  readonly inPlaceOf: string;
  readonly looker: RunningLooker;
}

interface Closable {
  close(): Promise<unknown>;
}

export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const running: Closable[] = [];
  /** In the reverse order of their start: what calls is gone before what it calls. */
  const close = async () => {
    for (const part of running.splice(0).reverse()) await part.close();
  };
  const closeWithBroker = <Part extends Closable>(part: Part): Part => {
    running.push(part);
    return part;
  };
  try {
    return { ...(await startParts(options, closeWithBroker)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  options: BrokerOptions,
  closeWithBroker: <Part extends Closable>(part: Part) => Part,
): Promise<Omit<RunningBroker, "close">> {
  const { externalLooker, onAccessLog } = options;
  // The pairs of another Looker are somebody's, and outlive this run.
  const rotates = !externalLooker && options.rotates !== false;
  const rehearsal = await rehearse(options.scopesFile ?? ownScopesFile, { rotates });
  const { scopes, location } = rehearsal;
  const { region } = location;
  const accounts = serviceAccounts(scopes);
  const lookers: StandInLooker[] = [];
  for (const inPlaceOf of externalLooker ? [] : new Set(accounts.map(({ baseUrl }) => baseUrl))) {
    const own = accounts.filter(({ baseUrl }) => baseUrl === inPlaceOf);
    // The flags' ports are the first one's.
    const ports = lookers.length === 0 ? options : { lookerPort: 0, lookerControlPort: 0 };
    lookers.push({ inPlaceOf, looker: closeWithBroker(await startStandInLooker(ports, own)) });
  }
  const looker = lookers[0]?.looker;
  const lookerUrl = externalLooker?.url ?? looker?.url ?? "";

  const engines = closeWithBroker(await startEngines(options.externalEngines, location));
  await putClientSecrets(engines, accounts, externalLooker);
  const standInFor = (url: string) =>
    lookers.find(({ inPlaceOf }) => inPlaceOf === url)?.looker.url ?? lookerUrl;
  const outdir = await synthesizeRehearsal(options, rehearsal, standInFor);
  const stack = readTemplate(readCloudAssembly(outdir), location);
  const { accessLogFormat, accessLogGroup = "", throttle } = stack;
  const [table] = stack.tables;
  if (!table) throw new Error("The template has no table.");
  const engineKeys = await createTablesAndKeys(engines, stack);

  const groups = new LogGroups([accessLogGroup, ...stack.functions.map((each) => each.logGroupName)]);
  const groupOf = new Map(stack.functions.map(({ id, logGroupName }) => [id, logGroupName]));
  const logs = closeWithBroker(
    await startLogs({ accountId: location.accountId, groups, savedQueries: stack.savedQueries }),
  );
  let endpoint = "";
  const cloudFormation = closeWithBroker(
    await startCloudFormation({ stack, location, outputs: () => outputsOf(stack, location, endpoint) }),
  );
  const credentials = new Map<string, RoleCredential>();
  const awsProxy = closeWithBroker(
    await startAwsProxy({
      region,
      credentials: { find: (accessKeyId) => credentials.get(accessKeyId) },
      engines: { ...engines.urls, logs: logs.url, cloudformation: cloudFormation.url },
    }),
  );

  const principals = localPrincipals(scopes, location, stack);
  for (const principal of principals) credentials.set(principal.accessKeyId, roleCredentialOf(principal));
  const administratorArn = principals.find(({ name }) => name === administratorName)?.callerArn ?? "";
  const auditors = auditorArns(principals);
  awsProxy.setAuthorize(
    options.authorize?.(stack, engineKeys, auditors) ??
      authorizeCalls(stack.roles, administratorArn, { arns: auditors, statements: stack.auditorStatements }),
  );

  const functions = closeWithBroker(
    startFunctions({
      functions: stack.functions.map((definition) => withEngineKeys(definition, engineKeys)),
      credentialsOf(definition) {
        const session = createSessionCredentials();
        credentials.set(session.accessKeyId, functionCredentialOf(definition, session, location));
        return session;
      },
      endpoints: {
        region,
        variables: Object.fromEntries(Object.values(endpointVariables).map((name) => [name, awsProxy.url])),
      },
      sandbox: options.instances,
      maxInstances: options.maxInstances,
      throttle: options.throttle,
      clockSkewMs: options.clockSkewMs,
      onLog(functionId, instanceNumber, line) {
        groups.write(groupOf.get(functionId) ?? "", line);
        options.onLog?.(functionId, instanceNumber, line);
      },
    }),
  );
  if (engines.rotations) await configureRotations(engines.rotations, stack, functions.invoke);
  const scheduler = closeWithBroker(startScheduler(stack.schedules, location, functions.invoke));
  const gateway = closeWithBroker(
    await explainTakenPort(
      { "--port": options.port },
      startGateway({
        ...location,
        port: options.port,
        apiId: stack.apiId,
        stage: stack.stage,
        routes: stack.routes,
        gatewayResponses: stack.gatewayResponses,
        ...(options.throttle && throttle && { throttle }),
        ...(accessLogFormat && {
          accessLog: {
            format: accessLogFormat,
            write(line) {
              groups.write(accessLogGroup, line);
              onAccessLog?.(line);
            },
          },
        }),
        principals: principalsByKey(principals),
        invoke: (functionId, event) =>
          options.divert?.(functionId, event) ?? functions.invoke(functionId, event),
      }),
    ),
  );

  endpoint = gateway.url;
  return {
    endpoint,
    region,
    lookerUrl,
    ...(looker ? { looker } : {}),
    lookers,
    secretIds: accounts.map(({ secretId }) => secretId),
    leftOut: rehearsal.leftOut,
    lookerUrlOf: (scope) => standInFor(scopes.get(scope)?.baseUrl ?? ""),
    location,
    principals,
    awsProxy,
    engines,
    stack,
    tableName: table.createTable.TableName,
    environmentOf: functions.environmentOf,
    instances: functions.instances,
    invoke: functions.invoke,
    kill: functions.kill,
    logs: functions.logs,
    runSchedules: scheduler.run,
  };
}

/** The stack's own, but for the API, which is on this machine. */
function outputsOf({ outputs, apiId, stage }: LocalStack, { region }: AwsLocation, endpoint: string) {
  const deployed = new RegExp(`https://${apiId}\\.execute-api\\.${region}\\.[^/]+/${stage}/?`, "g");
  return outputs.map((output) => ({ ...output, value: output.value.replace(deployed, endpoint) }));
}

/** Returns the directory of the cloud assembly. */
async function synthesizeRehearsal(
  { workDir, abort }: Pick<BrokerOptions, "workDir" | "abort">,
  rehearsal: Rehearsal,
  lookerUrlOf: (baseUrl: string) => string,
): Promise<string> {
  const [deployment, outdir] = [join(workDir, "deployment.json"), join(workDir, "cdk.out")];
  mkdirSync(workDir, { recursive: true });
  writeDeployment(deployment, rehearsal, lookerUrlOf);
  await synthesize(outdir, deployment, rehearsal.location, abort);
  return outdir;
}

function startStandInLooker(
  { lookerPort, lookerControlPort }: Pick<BrokerOptions, "lookerPort" | "lookerControlPort">,
  accounts: readonly ServiceAccount[],
): Promise<RunningLooker> {
  return explainTakenPort(
    { "--looker-port": lookerPort, "--looker-control-port": lookerControlPort },
    startLooker({
      port: lookerPort,
      controlPort: lookerControlPort,
      accounts: accounts.map(({ account }) => account),
    }),
  );
}

/** To the engine and nowhere else: no file, log or broker.json ever has them. */
async function putClientSecrets(
  engines: Engines,
  accounts: readonly ServiceAccount[],
  externalLooker: BrokerOptions["externalLooker"],
): Promise<void> {
  for (const { secretId, secret } of accounts)
    await engines.putSecret(
      secretId,
      externalLooker
        ? { client_id: externalLooker.clientId, client_secret: externalLooker.clientSecret }
        : secret,
    );
}

/** As CloudFormation would. Returns the ARN that the engine gives each of the template's keys. */
async function createTablesAndKeys(
  engines: Engines,
  stack: LocalStack,
): Promise<ReadonlyMap<string, string>> {
  for (const table of stack.tables) await engines.ensureTable(table);
  const engineKeys = new Map<string, string>();
  for (const key of stack.keys) engineKeys.set(key.arn, await engines.ensureKey(key));
  return engineKeys;
}

function roleCredentialOf(principal: LocalPrincipal): RoleCredential {
  const { accessKeyId, secretAccessKey, sessionToken, callerArn, userArn } = principal;
  return { accessKeyId, secretAccessKey, sessionToken, principalArn: callerArn, sessionArn: userArn };
}

function functionCredentialOf(
  { name, roleArn }: LocalFunction,
  session: SessionCredentials,
  { partition, accountId }: AwsLocation,
): RoleCredential {
  const roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
  return {
    ...session,
    principalArn: roleArn,
    // Lambda names the session after the function.
    sessionArn: `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/${name}`,
  };
}

/** Where an engine chooses the ids of its keys, the functions know the keys by those. */
function withEngineKeys(definition: LocalFunction, engineKeys: ReadonlyMap<string, string>): LocalFunction {
  const environment = Object.fromEntries(
    Object.entries(definition.environment).map(([name, value]) => [name, engineKeys.get(value) ?? value]),
  );
  return { ...definition, environment };
}

function principalsByKey(principals: readonly LocalPrincipal[]) {
  const byKey = new Map(principals.map((principal) => [principal.accessKeyId, principal]));
  return {
    find(accessKeyId: string) {
      const found = byKey.get(accessKeyId);
      // A copy for each request: a test may let a principal's properties change between two.
      return found && { ...found, allow: [...found.allow] };
    },
  };
}
