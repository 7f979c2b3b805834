/** The function is killed at one of its calls, and Secrets Manager or the schedule tries again. */
import { afterEach, expect, test } from "vitest";
import type { ArrivedCall } from "../../../local/aws/call.ts";
import type { Fault } from "../../../local/looker/faults.ts";
import { clientSecretOf, counted, untilSeen } from "../../support/broker-stand.ts";
import { killBusy } from "../../support/function-instances.ts";
import { events } from "../../support/looker-ledger.ts";
import { dayMs, minuteMs, onRotation, rotated } from "./rotation-stage.ts";

// Only a process dies as a machine does.
const stage = onRotation({ instances: "processes", maxInstances: 20 });

afterEach(() => {
  stage.stand.broker.awsProxy.setFault(undefined);
  stage.stand.looker.control.clearFaults();
});

/** As anybody with the current secret would: a new login at Looker, and its logout. */
async function currentPairWorks(): Promise<void> {
  const { lookerUrl } = stage.stand.broker;
  const pair = await clientSecretOf(stage.stand.broker, rotated);
  const login = await fetch(`${lookerUrl}/api/4.0/login`, {
    method: "POST",
    body: new URLSearchParams(pair),
  });
  expect(login.status).toBe(200);
  const { access_token } = (await login.json()) as { access_token: string };
  const headers = { authorization: `Bearer ${access_token}` };
  const logout = await fetch(`${lookerUrl}/api/4.0/logout`, { method: "DELETE", headers });
  expect(logout.status).toBe(204);
}

/** Everything that a killed run and Looker remember of it is over, its lock and a login without an answer among it. */
const recoveryMs = 7 * minuteMs;

async function untilKilled(isAtTheCall: () => boolean): Promise<void> {
  await untilSeen(isAtTheCall, "the call at which the function is killed", 30_000);
  expect(await killBusy(stage.stand, stage.functionId)).toBe(1);
}

async function endsWithOneNewPair(old: string, version: string): Promise<void> {
  await currentPairWorks();
  await stage.timePasses(recoveryMs);
  await stage.untilRotated(version);
  const fresh = await stage.currentClientId();
  expect(fresh).not.toBe(old);
  expect(stage.pairs()).toEqual([old, fresh]);
  await currentPairWorks();
  expect(await stage.untilRetired()).toEqual([fresh]);
  await currentPairWorks();
  expect(events(stage.stand, "login_failed")).toEqual([]);
}

const lookerCalls: readonly (readonly [string, Pick<Fault, "route" | "method">])[] = [
  ["the administrator's login", { route: "login" }],
  ["the creation of a pair", { route: "credentials", method: "POST" }],
  ["the mark of a pair", { route: "credentials", method: "PATCH" }],
  ["the new pair's question who it is", { route: "user" }],
  ["a logout", { route: "logout" }],
];

test.each(lookerCalls)(
  "killed at %s, whose effect comes later: the retry ends with one new pair",
  async (_, call) => {
    const { control } = stage.stand.looker;
    const old = await stage.currentClientId();
    control.addFault({ ...call, kind: "hold", times: 1 });
    const version = await stage.rotate();
    await untilKilled(() => control.inFlight().some(({ fault }) => fault === "hold"));
    control.release();
    await untilSeen(() => control.inFlight().length === 0, "the effect of the dead function's call");
    await endsWithOneNewPair(old, version);
  },
);

const awsCalls = ["PutSecretValue", "UpdateSecretVersionStage"].flatMap((operation) =>
  (["before", "after"] as const).map((when) => [when, operation] as const),
);

test.each(awsCalls)(
  "killed %s the effect of %s: the retry ends with one new pair",
  async (when, operation) => {
    const old = await stage.currentClientId();
    let arrived = false;
    stage.stand.broker.awsProxy.setFault((call: ArrivedCall) => {
      if (arrived || call.operation !== operation) return undefined;
      arrived = true;
      return { throw: "hang", when };
    });
    const version = await stage.rotate();
    await untilKilled(() => arrived);
    await endsWithOneNewPair(old, version);
  },
);

test("killed at the deletion of the old pair: the next run of the schedule deletes it", async () => {
  const { control } = stage.stand.looker;
  const old = await stage.currentClientId();
  await stage.untilRotated(await stage.rotate());
  await stage.timePasses(dayMs);
  await stage.retire();
  await stage.timePasses(5 * minuteMs);
  control.addFault({ route: "credentials", method: "DELETE", kind: "hold", times: 1 });
  const retirement = stage.retire();
  await untilKilled(() => control.inFlight().some(({ fault }) => fault === "hold"));
  await retirement;
  control.release();
  await currentPairWorks();
  await stage.timePasses(recoveryMs);
  await stage.retire();
  expect(stage.pairs()).toEqual([await stage.currentClientId()]);
  await stage.timePasses(10 * minuteMs);
  await stage.retire();
  expect((await stage.control()).rotation).toEqual({ retiring: [] });
  expect(events(stage.stand, "pair_deleted").map(({ pair }) => pair?.clientId)).toContain(old);
});

test("each token that a killed run left at Looker was counted as a possible orphan", async () => {
  const left = stage.stand.looker.liveTokens().length;
  expect(left).toBeGreaterThan(0);
  await untilSeen(() => counted(stage.stand, "possible_orphans") >= left, "the possible orphans");
});
