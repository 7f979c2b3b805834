/** Where the broker is and whose keys are used: the runner's own, or those of `npm start`. */
import { readFileSync } from "node:fs";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { CannotRun } from "./cannot-run.ts";
import type { ProbeFlags } from "./flags.ts";
import type { Credentials, Target } from "./send.ts";

export interface FoundTarget extends Target {
  readonly otherScope?: string;
}

export async function findTarget(flags: ProbeFlags): Promise<FoundTarget> {
  const { endpoint, region = "", local, otherScope, withoutPolicyProfile } = flags;
  if (local || endpoint === undefined) return findLocal(flags);
  const runner = await credentials();
  const bystander = withoutPolicyProfile === undefined ? undefined : await credentials(withoutPolicyProfile);
  if (bystander?.accessKeyId === runner.accessKeyId)
    throw new CannotRun(
      `The profile ${withoutPolicyProfile} has the runner's own keys: give one of a principal without a policy.`,
    );
  return {
    endpoint,
    region,
    runner,
    ...(bystander ? { bystander } : {}),
    ...(otherScope === undefined ? {} : { otherScope }),
  };
}

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

async function credentials(profile?: string): Promise<Credentials> {
  try {
    return await defaultProvider({ logger: silent, ...(profile === undefined ? {} : { profile }) })();
  } catch (error) {
    const [reason] = String((error as Error).message).split("\n");
    throw new CannotRun(
      profile === undefined
        ? `There are no AWS credentials (${reason}): sign in, and set AWS_PROFILE if it is not the default profile.`
        : `The profile ${profile} has no credentials (${reason}): sign in with it, or name another one.`,
    );
  }
}

const brokerFile = ".local/broker.json";

interface LocalPrincipal {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  readonly session_token?: string;
  readonly scopes: readonly string[];
  readonly operates: readonly string[];
}

interface LocalBroker {
  readonly endpoint: string;
  readonly region: string;
  readonly principals: Readonly<Record<string, LocalPrincipal>>;
}

function findLocal(flags: ProbeFlags): FoundTarget {
  const { endpoint, region, principals } = readBrokerFile();
  const all = Object.values(principals);
  const as = flags.local?.as;
  const runner = as === undefined ? all.find(({ scopes }) => scopes.includes(flags.scope)) : principals[as];
  if (!runner)
    throw new CannotRun(
      as === undefined
        ? `No local principal is a caller of ${flags.scope}: give another --scope, or --as NAME.`
        : `There is no local principal ${as}: there are ${Object.keys(principals).join(", ")}.`,
    );
  const bystander = all.find(({ scopes, operates }) => scopes.length + operates.length === 0);
  const otherCallersScope = all
    .flatMap(({ scopes }) => scopes)
    .find((scope) => scope !== flags.scope && !runner.scopes.includes(scope));
  const otherScope = flags.otherScope ?? otherCallersScope;
  return {
    endpoint,
    region: flags.region ?? region,
    runner: keysOf(runner),
    ...(bystander ? { bystander: keysOf(bystander) } : {}),
    ...(otherScope === undefined ? {} : { otherScope }),
  };
}

function readBrokerFile(): LocalBroker {
  try {
    return JSON.parse(readFileSync(brokerFile, "utf8")) as LocalBroker;
  } catch {
    throw new CannotRun(`There is no ${brokerFile}: run \`npm start\` here, in another terminal.`);
  }
}

const keysOf = ({ access_key_id, secret_access_key, session_token }: LocalPrincipal): Credentials => ({
  accessKeyId: access_key_id,
  secretAccessKey: secret_access_key,
  ...(session_token === undefined ? {} : { sessionToken: session_token }),
});
