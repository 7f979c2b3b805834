/** Where the broker is and whose keys are used: the runner's own, or those of `npm start`. */
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { keysOf, type LocalBroker, readBrokerFile } from "../cli/src/broker-file.ts";
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

function findLocal(flags: ProbeFlags): FoundTarget {
  const { endpoint, region, principals } = localBroker();
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

/** Of this directory, and of none above it: a probe of another broker would be believed to be one of this. */
function localBroker(): LocalBroker {
  try {
    const broker = readBrokerFile(".");
    if (broker) return broker;
  } catch {
    // Nothing that can be read.
  }
  throw new CannotRun("There is no .local/broker.json: run `npm start` here, in another terminal.");
}
