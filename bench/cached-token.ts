/** A live token from memory: the client and its session beside the session of Looker's own SDK, in one process. */
import { NodeSession } from "@looker/sdk-node";
import { ApiSettings, type IAuthSession } from "@looker/sdk-rtl";
import { callerOf, clientSecretOf, type Stand } from "../test/support/broker-stand.ts";
import { median } from "./table.ts";
import { takingTurns } from "./turns.ts";

export const cachedRounds = 31;
const roundsToWarmUp = 10;
export const callsInRound = 50_000;

type Call = () => Promise<unknown>;

/** Nanoseconds of one call, median of the rounds. */
export interface CachedPath {
  readonly name: string;
  readonly ns: number;
  /** The SDK's path that does the same. */
  readonly beside: { readonly name: string; readonly ns: number };
}

export async function cachedPaths(stand: Stand): Promise<CachedPath[]> {
  const { client, session } = await ourSession(stand);
  const theirs = await sdkSession(stand);
  const measured = (name: string, call: Call) => ({ name, call, ns: [] as number[] });
  const getToken = measured("getToken()", () => theirs.getToken());
  const authenticate = measured("authenticate()", authenticating(theirs));
  const pairs = [
    [measured("the client's token()", () => client.token()), getToken],
    [measured("its session's getToken()", () => session.getToken()), getToken],
    [measured("its session's authenticate()", authenticating(session)), authenticate],
  ] as const;

  const all = [...new Set(pairs.flat())];
  const turn = async ({ call, ns }: (typeof all)[number]) => {
    const begin = performance.now();
    for (let calls = 0; calls < callsInRound; calls++) await call();
    ns.push(((performance.now() - begin) * 1e6) / callsInRound);
  };
  await takingTurns(all, roundsToWarmUp, turn);
  for (const { ns } of all) ns.length = 0;
  await takingTurns(all, cachedRounds, turn);
  return pairs.map(([{ name, ns }, beside]) => ({
    name,
    ns: median(ns),
    beside: { name: beside.name, ns: median(beside.ns) },
  }));
}

/** With a token from the broker. */
async function ourSession(stand: Stand) {
  // Not before it is built.
  const { TokenBrokerClient } = await import("@looker-token-broker/client");
  const { lookerSession } = await import("@looker-token-broker/client/looker-sdk");
  const { endpoint, region } = stand.broker;
  const { accessKeyId, secretAccessKey, sessionToken } = callerOf(stand, "report-service").principal;
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  const client = new TokenBrokerClient({ endpoint, region, credentials, scope: "sales" });
  const session = lookerSession(client);
  await session.login();
  return { client, session };
}

/** As a service that holds the secret has it, with a token from Looker. Its login prints a debug line that says nothing. */
async function sdkSession({ broker }: Stand): Promise<IAuthSession> {
  const secret = await clientSecretOf(broker, "looker/sales");
  const settings = new ApiSettings({ base_url: broker.lookerUrl });
  settings.readConfig = () => secret;
  const session = new NodeSession(settings);
  await session.login();
  return session;
}

/** What the SDK does before each of its requests, which are new objects. */
function authenticating(session: IAuthSession): Call {
  const url = `${session.settings.base_url}/api/4.0/user`;
  return () => session.authenticate({ method: "GET", url, headers: {} });
}
