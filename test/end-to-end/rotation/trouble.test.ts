/** A leaked secret, and rotations that cannot succeed. */
import { afterEach, expect, test } from "vitest";
import { TokenBrokerClient } from "../../../client/src/token/token-broker-client.ts";
import type { Fault } from "../../../local/looker/faults.ts";
import { callerOf, statusAtLooker, untilSeen } from "../../support/broker-stand.ts";
import { administrators, minuteMs, onRotation } from "./rotation-stage.ts";

const stage = onRotation();

afterEach(() => stage.stand.looker.control.clearFaults());

const token = async (name = "service-01") => {
  const answer = await callerOf(stage.stand, name).token("sales");
  expect([answer.status, answer.json.code]).toEqual([200, undefined]);
  return answer.json.access_token as string;
};
const atLooker = (accessToken: string) => statusAtLooker(stage.stand.broker.lookerUrl, accessToken);

const deny = async (clientId: string) => {
  const operator = callerOf(stage.stand, "platform-engineer");
  const answer = await operator.send("DELETE", `/scopes/sales/leases?client_id=${clientId}`);
  expect(answer.status).toBe(200);
  return answer.json;
};

/** A process that goes on with a new token when Looker takes the old one no more. */
function process(name: string) {
  const { accessKeyId, secretAccessKey, sessionToken } = callerOf(stage.stand, name).principal;
  const { endpoint, region } = stage.stand.broker;
  const client = new TokenBrokerClient({
    ...{ endpoint, region, scope: "sales" },
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  });
  let [leaving, uses] = [false, 0];
  const loop = (async () => {
    while (!leaving) {
      const { status } = await client.withToken(({ baseUrl, accessToken }) => {
        stage.stand.secrets.add(accessToken);
        return fetch(`${baseUrl}/api/4.0/user`, { headers: { authorization: `Bearer ${accessToken}` } });
      });
      expect(status).toBe(200);
      uses += 1;
    }
  })();
  return {
    async leave() {
      leaving = true;
      await loop;
      return uses;
    },
  };
}

test("a leaked secret: rotated, its client id denied, its leases dead, and its pair gone within ten minutes", async () => {
  const leaked = await stage.currentClientId();
  const old = await token();
  const user = process("service-02");
  await stage.untilRotated(await stage.rotate());
  const fresh = await stage.currentClientId();

  expect((await deny(leaked)).revoked).toBeGreaterThan(0);
  expect(await atLooker(old)).toBe(401);
  const next = await token();
  expect(await atLooker(next)).toBe(200);
  expect(stage.pairs()).toEqual([leaked, fresh]);

  await stage.retire();
  expect(stage.pairs()).toEqual([leaked, fresh]);
  // The next runs of the schedule.
  await stage.timePasses(5 * minuteMs);
  await stage.retire();
  expect(stage.pairs()).toEqual([fresh]);
  await untilSeen(
    () => stage.notes().find(({ outcome, client_id }) => outcome === "deleted" && client_id === leaked),
    "the record of the deletion",
  );
  expect(await user.leave()).toBeGreaterThan(0);
  await callerOf(stage.stand, "service-02").logout("sales");
  expect(await atLooker(next)).toBe(200);
  await stage.timePasses(10 * minuteMs);
  await stage.retire();
  // The denial by an operator stays for as long as the operator wants.
  expect((await stage.control()).rotation).toEqual({ retiring: [] });
});

test("a leaked secret, denied before it is rotated: callers wait for the new pair, and the old one is gone, too", async () => {
  const leaked = await stage.currentClientId();
  await deny(leaked);
  expect((await callerOf(stage.stand, "service-01").token("sales")).json.code).toBe(
    "looker_rejected_credentials",
  );
  await stage.untilRotated(await stage.rotate());
  await untilSeen(
    async () => (await callerOf(stage.stand, "service-01").token("sales")).status === 200,
    "a token by the new pair",
    20_000,
  );
  await callerOf(stage.stand, "service-01").logout("sales");
  await stage.timePasses(5 * minuteMs);
  await stage.retire();
  expect(stage.pairs()).toEqual([await stage.currentClientId()]);
});

/** The broker as before the failure: the current pair works, and there is no other. */
async function unchanged(current: string): Promise<void> {
  expect(await stage.currentClientId()).toBe(current);
  const caller = callerOf(stage.stand, "service-03");
  expect(await atLooker(await token("service-03"))).toBe(200);
  await caller.logout("sales");
}

test("an administrator with too few rights: the reason is in the record, an alarm is on, and the current pair works", async () => {
  const { control } = stage.stand.looker;
  const current = await stage.currentClientId();
  expect(stage.alarm("RotationFailures")).not.toBe("ALARM");
  control.changeUser(stage.userId(administrators), { admin: false });
  let version = "";
  const notes = await stage.notesAfter(async () => {
    version = await stage.rotate();
    await stage.rotations.settled();
  }, 1);
  expect(notes).toEqual([
    expect.objectContaining({ step: "createSecret", outcome: "failed", reason: "needs_administrator" }),
  ]);
  await untilSeen(() => stage.alarm("RotationFailures") === "ALARM", "the alarm");
  expect(stage.pairs()).toEqual([current]);
  await unchanged(current);

  control.changeUser(stage.userId(administrators), { admin: true });
  await stage.untilRotated(version);
  expect(await stage.untilRetired()).toEqual([await stage.currentClientId()]);
});

const away: readonly (readonly [string, Fault])[] = [
  ["at the administrator's login", { route: "login", kind: "status", status: 503 }],
  ["at the question whose the pair is", { route: "users", kind: "status", status: 502 }],
  ["at the creation of a pair", { route: "credentials", method: "POST", kind: "reset" }],
  ["after the creation of a pair", { route: "credentials", method: "POST", kind: "reset", when: "after" }],
  ["at the mark of a pair", { route: "credentials", method: "PATCH", kind: "html_502" }],
  ["at the new pair's question who it is", { route: "user", kind: "reset" }],
];

test.each(away)("Looker away %s: the rotation fails by name, and the retry ends it", async (_, fault) => {
  const { control } = stage.stand.looker;
  const current = await stage.currentClientId();
  let version = "";
  control.addFault({ ...fault, times: 1 });
  const notes = await stage.notesAfter(async () => {
    version = await stage.rotate();
    await stage.rotations.settled();
  }, 1);
  expect(notes.at(-1)).toMatchObject({ outcome: "failed", reason: "looker_unavailable" });
  await unchanged(current);
  await stage.timePasses(7 * minuteMs);
  await stage.untilRotated(version);
  const fresh = await stage.currentClientId();
  expect(stage.pairs()).toEqual([current, fresh]);
  expect(await stage.untilRetired()).toEqual([fresh]);
});
