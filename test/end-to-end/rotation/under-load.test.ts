/** A rotation while a hundred processes fetch tokens without a pause. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { TokenBrokerClient } from "../../../client/src/token/token-broker-client.ts";
import { callerOf, statusAtLooker, untilSeen } from "../../support/broker-stand.ts";
import { sha256 } from "../../support/held-tokens.ts";
import { events } from "../../support/looker-ledger.ts";
import { dayMs, minuteMs, onRotation } from "./rotation-stage.ts";
import { jobs, services } from "./scopes.ts";

const stage = onRotation();
const processesPerService = 3;
/** Within the logins that a caller has in ten minutes, for four crowds. */
const runsPerJob = 14;
const jobRestsMs = 1_000;

afterEach(() => stage.stand.looker.control.clearFaults());

interface Crowd {
  /** Of the tokens that were given to somebody. */
  readonly given: ReadonlySet<string>;
  /** Ends with the requests under way. @throws the first failed request */
  leave(): Promise<{ fetches: number; statuses: ReadonlySet<number> }>;
}

/** Each fetch is a new process's first one, and its token is used at Looker at once. Returns when each has a token. */
async function crowd(): Promise<Crowd> {
  const { broker, secrets } = stage.stand;
  const given = new Set<string>();
  const statuses = new Set<number>();
  let [fetches, leaving] = [0, false];
  /** The end of the lease is a job's alone: services share theirs. */
  const fetchOnce = async (name: string, endLease = false) => {
    const { accessKeyId, secretAccessKey, sessionToken } = callerOf(stage.stand, name).principal;
    const client = new TokenBrokerClient({
      endpoint: broker.endpoint,
      region: broker.region,
      scope: "sales",
      credentials: { accessKeyId, secretAccessKey, sessionToken },
    });
    const { accessToken, baseUrl } = await client.token();
    secrets.add(accessToken);
    given.add(sha256(accessToken));
    statuses.add(await statusAtLooker(baseUrl, accessToken));
    if (endLease) expect((await client.logout()).pending).toBe(0);
    fetches += 1;
  };
  const callers = services.flatMap((name) => Array.from({ length: processesPerService }, () => name));
  const firstFetches = callers.map((name) => fetchOnce(name));
  const loops = callers.map(async (name, index) => {
    await firstFetches[index];
    while (!leaving) await fetchOnce(name);
  });
  await Promise.all(firstFetches);
  loops.push(
    ...jobs.map(async (name) => {
      for (let run = 0; run < runsPerJob && !leaving; run++) {
        await fetchOnce(name, true);
        await sleep(jobRestsMs);
      }
    }),
  );
  return {
    given,
    async leave() {
      leaving = true;
      await Promise.all(loops);
      return { fetches, statuses };
    },
  };
}

/** All leases end, as they do after some minutes. */
async function endLeases(): Promise<void> {
  for (const name of services) expect((await callerOf(stage.stand, name).logout("sales")).status).toBe(200);
}

const deletions: readonly ("live" | "ended")[] = ["live", "ended"];

test.each(deletions)(
  "the tokens of a deleted pair are %s: a hundred callers see nothing of a rotation",
  async (tokensOfDeletedPairs) => {
    const { looker } = stage.stand;
    looker.control.changeSettings({ tokensOfDeletedPairs });
    looker.control.resetLedger();
    const old = await stage.currentClientId();
    const early = await crowd();
    await stage.untilRotated(await stage.rotate());
    const fresh = await stage.currentClientId();
    expect(stage.pairs()).toEqual([old, fresh]);

    // A day later the old pair is denied, and stays for as long as its tokens live.
    await stage.timePasses(dayMs);
    await stage.retire();
    await stage.timePasses(5 * minuteMs);
    await stage.retire();
    expect(stage.pairs()).toEqual([old, fresh]);
    await untilSeen(
      () =>
        events(stage.stand, "login").some(
          ({ clientId, tokenSha256 = "" }) => clientId === fresh && early.given.has(tokenSha256),
        ),
      "a job's token by the new pair",
    );
    const before = await early.leave();
    expect(before.statuses).toEqual(new Set([200]));
    expect(before.fetches).toBeGreaterThan(2 * services.length * processesPerService);

    await endLeases();
    const late = await crowd();
    expect(looker.liveTokens().filter(({ clientId }) => clientId === old)).toEqual([]);
    await stage.retire();
    expect(stage.pairs()).toEqual([fresh]);
    await stage.timePasses(10 * minuteMs);
    await stage.retire();
    const after = await late.leave();
    expect(after.statuses).toEqual(new Set([200]));

    expect((await stage.control()).rotation).toEqual({ retiring: [] });
    expect(events(stage.stand, "pair_created")).toHaveLength(1);
    expect(events(stage.stand, "pair_deleted").map(({ pair }) => pair?.clientId)).toEqual([old]);
    const testLogins = events(stage.stand, "login").filter(
      ({ clientId, tokenSha256 = "" }) =>
        clientId === fresh && !early.given.has(tokenSha256) && !late.given.has(tokenSha256),
    );
    expect(testLogins).toHaveLength(1);
    for (const refusal of ["login_failed", "login_locked_out", "api_unauthorized"] as const)
      expect(events(stage.stand, refusal)).toEqual([]);
    await endLeases();
    expect(looker.liveTokens()).toEqual([]);
  },
  240_000,
);
