/** Prepares a scopes file for this machine: its scopes and settings, but the Looker and AWS of stand-ins. */
import { writeFileSync } from "node:fs";
import type { ScopeDefinitions, Scopes } from "../functions/domain/scope.ts";
import { importDeployment } from "../infra/import-deployment.ts";
import type { DeploymentSettings } from "../infra/settings.ts";
import type { BrokerSettings } from "../infra/stack.ts";
import { errorsIn, parseWrittenScopes } from "../infra/written-scopes.ts";
import { administratorName } from "./principals.ts";
import type { AwsLocation } from "./stack/location.ts";

export interface Rehearsal {
  readonly definitions: ScopeDefinitions;
  readonly scopes: Scopes;
  readonly settings: DeploymentSettings;
  /** Settings of the file without a meaning on one machine. */
  readonly leftOut: readonly string[];
  readonly location: AwsLocation;
}

/**
 * Settings with or without a place on one machine. Network, organisation and emergency roles would refuse every local call, and
 * the others need resources that only AWS has.
 */
const kept: Record<keyof DeploymentSettings, boolean> = {
  organizationId: false,
  vpcEndpointIds: false,
  domain: false,
  throttle: true,
  cloudWatchRole: true,
  logRetention: true,
  logEncryptionKey: false,
  architecture: true,
  memorySize: true,
  accountConcurrency: true,
  reservedConcurrency: true,
  accountCheck: true,
  vpc: false,
  vpcSubnets: false,
  securityGroups: false,
  deploymentConfig: false,
  deletionProtection: true,
  removalPolicy: true,
  breakGlassArns: false,
  alarmTopic: false,
  alarms: true,
  tellOfPolicyChanges: false,
  runbookUrl: true,
  dashboard: true,
  guard: false,
};

/**
 * @param rotates false: no secret rotates
 * @throws an error with one line for each mistake in the file.
 */
export async function rehearse(file: string, { rotates = true } = {}): Promise<Rehearsal> {
  const { scopes: written, settings } = await importDeployment(file);
  const wrong = errorsIn(written);
  const definitions = rotates || wrong.length > 0 ? written : withoutRotation(written);
  const scopes = wrong.length === 0 ? parseWrittenScopes(definitions) : new Map();
  const location = locationOf(scopes);
  const given = settings === undefined ? {} : await settingsOf(settings, location);
  if (settings !== undefined || wrong.length > 0) await refuse(given, wrong);
  const all = Object.keys(given) as (keyof DeploymentSettings)[];
  const names = all.filter((name) => given[name] !== undefined);
  return {
    definitions,
    scopes,
    settings: Object.fromEntries(names.filter((name) => kept[name]).map((name) => [name, given[name]])),
    leftOut: names.filter((name) => !kept[name]),
    location,
  };
}

function withoutRotation(definitions: ScopeDefinitions): ScopeDefinitions {
  const changed = Object.entries(definitions).map(([name, { secret, ...definition }]) => {
    const { rotation: _, ...fixed } = secret;
    return [name, { ...definition, secret: fixed }];
  });
  return Object.fromEntries(changed);
}

/** Writes the file that local/deployment.ts reads, with the stand-in's address in the place of each Looker URL. */
export function writeDeployment(
  file: string,
  { definitions, scopes, settings, location }: Rehearsal,
  lookerUrlOf: (baseUrl: string) => string,
): void {
  const { partition, accountId } = location;
  const moved = Object.entries(definitions).map(([name, definition]) => {
    const lookerUrl = lookerUrlOf(scopes.get(name)?.baseUrl ?? "");
    return [name, { ...definition, lookerUrl }];
  });
  // The local administrator looks at rows, and tampers with them, as only an account's emergency role may.
  const breakGlassArns = [`arn:${partition}:iam::${accountId}:role/${administratorName}`];
  const deployment = { scopes: Object.fromEntries(moved), settings: { ...settings, breakGlassArns } };
  writeFileSync(file, JSON.stringify(deployment));
}

/**
 * The account of the first operator, and the region of the first secret with an ARN, because a secret must be of the broker's
 * region. The file does not say where it is deployed.
 */
function locationOf(scopes: Scopes): AwsLocation {
  const all = [...scopes.values()];
  const operator = all[0]?.operators[0];
  const secretIds = all.flatMap(({ secretId, rotation }) => [secretId, rotation?.administratorId]);
  const secretArn = secretIds.find((id) => id?.startsWith("arn:"));
  return {
    partition: operator?.partition ?? "aws",
    region: secretArn?.split(":")[3] ?? "us-east-1",
    accountId: operator?.account ?? "",
  };
}

/** Only for a file with settings or a mistake, because loading the CDK takes longer than all the rest. */
async function refuse(settings: unknown, wrongScopes: readonly string[]): Promise<void> {
  const { deploymentShapeErrors } = await import("../infra/check-settings.ts");
  const { BrokerSettingsError } = await import("../infra/check-broker.ts");
  const errors = [...deploymentShapeErrors(settings), ...wrongScopes];
  if (errors.length > 0) throw new BrokerSettingsError("looker-token-broker/Broker", errors);
}

/** By a stack that is thrown away, and topics, networks and keys with it. */
async function settingsOf(
  settings: BrokerSettings,
  { accountId, region }: AwsLocation,
): Promise<DeploymentSettings> {
  const { App, Stack } = await import("aws-cdk-lib");
  const app = new App({ autoSynth: false });
  const account = accountId === "" ? {} : { account: accountId };
  return settings(new Stack(app, "looker-token-broker", { env: { ...account, region } }));
}
