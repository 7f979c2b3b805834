/** A deployment under way: two versions of a scope behind one gateway, 90 : 10, with another secret or another Looker. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningLooker, startLooker } from "../../../local/looker/server.ts";
import {
  type Answer,
  type Caller,
  callerOf,
  clientSecretOf,
  type Stand,
  startStand,
  startsWithinMs,
  statusAtLooker,
} from "../../support/broker-stand.ts";
import { crowd, untilAnswered } from "../../support/crowd.ts";
import { listing, lostTokens } from "../../support/held-tokens.ts";
import { shiftedTraffic, type Traffic } from "./second-version.ts";

const count = 200;
/** Requests under way at once. */
const width = 8;

interface Deployment {
  readonly stand: Stand;
  readonly traffic: Traffic;
  readonly reports: Caller;
  readonly operator: Caller;
}

async function startDeployment(): Promise<Deployment> {
  const traffic = shiftedTraffic();
  const stand = await startStand({ divert: traffic.divert });
  return {
    stand,
    traffic,
    reports: callerOf(stand, "report-service"),
    operator: callerOf(stand, "platform-engineer"),
  };
}

/** Requests of one caller, each repeated as it is told to: the answers, and the codes of the refusals before them. */
async function ask({ reports }: Deployment, requests: number) {
  const answers: Answer[] = [];
  const refused: string[] = [];
  let left = requests;
  await crowd(width, async () => {
    while (left-- > 0) {
      const asked = await untilAnswered(() => reports.token("sales"));
      answers.push(asked.answer);
      refused.push(...asked.refused.map(({ status, json }) => `${status} ${json?.code}`));
    }
  });
  expect(answers).toHaveLength(requests);
  return { answers, refused };
}

const leaseIds = (answers: readonly Answer[]) => [...new Set(answers.map(({ json }) => json.lease_id))];

/** Successful logins, by client id, as Looker has seen them. */
const logins = (looker: RunningLooker): Record<string, number> => {
  const byClient = Map.groupBy(
    looker.ledger().filter(({ event }) => event === "login"),
    ({ clientId = "" }) => clientId,
  );
  return Object.fromEntries([...byClient].map(([clientId, entries]) => [clientId, entries.length]));
};

describe("another secret for the same scope", () => {
  let deployment: Deployment;
  let [oldClient, newClient] = ["", ""];
  const held: { old?: Answer | undefined; new?: Answer | undefined } = {};
  const token = (which: "old" | "new") => held[which]?.json as { access_token: string; lease_id: string };
  beforeAll(async () => {
    deployment = await startDeployment();
    const { stand, traffic } = deployment;
    // The other scope's: the role may read it already.
    traffic.startSecond(stand, "sales", { secret: { secretName: "looker/finance" } });
    oldClient = (await clientSecretOf(stand.broker, "looker/sales")).client_id;
    newClient = (await clientSecretOf(stand.broker, "looker/finance")).client_id;
  }, startsWithinMs);
  afterAll(async () => {
    await deployment?.traffic.stop();
    await deployment?.stand.stop();
  });

  test("two hundred requests, a tenth of them to the new version: one login for each secret, nobody over a budget", async () => {
    const { stand, traffic } = deployment;
    traffic.shift(1);
    const { answers, refused } = await ask(deployment, count);
    expect(answers.map(({ status }) => status)).toEqual(Array(count).fill(200));
    expect(refused.filter((each) => each.startsWith("429"))).toEqual([]);
    const [first, second] = traffic.taken();
    expect(first + second).toBe(count + refused.length);
    expect(second).toBeGreaterThanOrEqual(count / 10);
    expect(logins(stand.looker)).toEqual({ [oldClient]: 1, [newClient]: 1 });
    expect(leaseIds(answers)).toHaveLength(2);
    expect(await lostTokens(stand)).toEqual([]);
  });

  test("the rollback, all to the old version, goes on with the old version's lease", async () => {
    const { stand, traffic } = deployment;
    traffic.shift(0);
    const { answers } = await ask(deployment, 20);
    expect(traffic.taken()).toEqual([20, 0]);
    expect(leaseIds(answers)).toHaveLength(1);
    [held.old] = answers;
    traffic.shift(10);
    const again = await ask(deployment, 20);
    expect(traffic.taken()).toEqual([0, 20]);
    expect(leaseIds(again.answers)).toHaveLength(1);
    [held.new] = again.answers;
    expect(token("new").lease_id).not.toBe(token("old").lease_id);
    expect(logins(stand.looker)).toEqual({ [oldClient]: 1, [newClient]: 1 });
  });

  test("an operator's listing says that both are live", async () => {
    const listed = await listing(deployment.operator, "sales");
    const states = listed.map(({ lease_id, state }) => [lease_id, state]);
    expect(new Map(states as [string, string][])).toEqual(
      new Map([
        [token("old").lease_id, "live"],
        [token("new").lease_id, "live"],
      ]),
    );
  });

  test("a revocation by the old secret's client id ends the old version's lease alone, and no login follows it", async () => {
    const { stand, traffic, reports, operator } = deployment;
    const { broker } = stand;
    const revoked = await operator.send("DELETE", `/scopes/sales/leases?client_id=${oldClient}`);
    expect(revoked.json).toMatchObject({ matched: 1, revoked: 1, pending: 0 });
    expect(await statusAtLooker(broker.lookerUrl, token("old").access_token)).toBe(401);
    expect(await statusAtLooker(broker.lookerUrl, token("new").access_token)).toBe(200);
    traffic.shift(10);
    expect(leaseIds((await ask(deployment, 10)).answers)).toEqual([token("new").lease_id]);
    traffic.shift(0);
    expect((await reports.token("sales")).json.code).toBe("looker_rejected_credentials");
    // The failure of one configuration refuses nobody of the other.
    traffic.shift(10);
    expect(leaseIds((await ask(deployment, 10)).answers)).toEqual([token("new").lease_id]);
    expect(logins(stand.looker)).toEqual({ [oldClient]: 1, [newClient]: 1 });
  });
});

describe("another Looker for the same scope", () => {
  let deployment: Deployment;
  let moved: RunningLooker;
  let client = "";
  beforeAll(async () => {
    deployment = await startDeployment();
    const { stand, traffic } = deployment;
    const secret = await clientSecretOf(stand.broker, "looker/sales");
    client = secret.client_id;
    moved = await startLooker({
      accounts: [
        {
          userId: "201",
          displayName: "The service account after the move",
          credentials: [{ clientId: client, clientSecret: secret.client_secret }],
        },
      ],
    });
    traffic.startSecond(stand, "sales", { lookerUrl: moved.url });
  }, startsWithinMs);
  afterAll(async () => {
    await deployment?.traffic.stop();
    await deployment?.stand.stop();
    await moved?.close();
  });

  test("one login at each Looker, each version names its own, and a rollback logs in nowhere", async () => {
    const { stand, traffic } = deployment;
    traffic.shift(1);
    const { answers, refused } = await ask(deployment, count);
    expect(answers.map(({ status }) => status)).toEqual(Array(count).fill(200));
    expect(refused.filter((each) => each.startsWith("429"))).toEqual([]);
    const perLooker = Map.groupBy(answers, ({ json }) => json.base_url as string);
    expect([...perLooker.keys()].sort()).toEqual([stand.broker.lookerUrl, moved.url].sort());
    for (const of of perLooker.values()) expect(leaseIds(of)).toHaveLength(1);
    traffic.shift(0);
    const rolledBack = await ask(deployment, 20);
    expect(leaseIds(rolledBack.answers)).toEqual(leaseIds(perLooker.get(stand.broker.lookerUrl) ?? []));
    expect(logins(stand.looker)).toEqual({ [client]: 1 });
    expect(logins(moved)).toEqual({ [client]: 1 });
  });

  test("both are live for an operator, and a revocation of the scope ends each at its own Looker", async () => {
    const { stand, operator } = deployment;
    expect((await listing(operator, "sales")).map(({ state }) => state)).toEqual(["live", "live"]);
    const revoked = await operator.send("DELETE", "/scopes/sales/leases?all=true");
    expect(revoked.json).toEqual({ matched: 2, revoked: 2, pending: 0 });
    expect(stand.looker.liveTokens()).toEqual([]);
    expect(moved.liveTokens()).toEqual([]);
  });
});
