/** Secrets Manager's steps at a whole broker, by ordinary and by unusual deliveries. */
import { afterEach, expect, test } from "vitest";
import type { Delivery } from "../../../local/aws/rotation-steps.ts";
import { callerOf, counted, untilSeen } from "../../support/broker-stand.ts";
import { events } from "../../support/looker-ledger.ts";
import { administrators, onRotation, selfRotated } from "./rotation-stage.ts";

const stage = onRotation();

afterEach(() => {
  stage.rotations.setDelivery(() => "once");
  stage.rotations.setTestHasValue(false);
});

const lookerEvents = () => stage.stand.looker.ledger().map(({ event }) => event);

test("AWS's test of a new schedule makes no pair, and its tokens are logged out", async () => {
  expect([stage.pairs().length, stage.pairs(selfRotated).length]).toEqual([1, 1]);
  expect(stage.stand.looker.liveTokens()).toEqual([]);
  await untilSeen(() => stage.notes().length === 2, "the records of both tests");
  for (const note of stage.notes()) expect(note).toMatchObject({ step: "testSecret", outcome: "done" });
  // Of both secrets, which are tested at once.
  expect(lookerEvents().toSorted()).toEqual(["api", "api", "login", "login", "logout", "logout"]);
});

test("AWS's test of a schedule passes, too, where its version has the current value", async () => {
  stage.rotations.setTestHasValue(true);
  const before = await stage.currentClientId();
  stage.stand.looker.control.resetLedger();
  const [note] = await stage.notesAfter(() => stage.changeSchedule(), 1);
  await stage.rotations.settled();
  expect(note).toMatchObject({ step: "testSecret", outcome: "done" });
  expect([stage.pairs(), await stage.currentClientId()]).toEqual([[before], before]);
  expect(lookerEvents()).toEqual(["login", "api", "logout"]);
});

test("a rotation makes one pair and one test login, and the old pair is deleted after a day", async () => {
  const old = await stage.currentClientId();
  const administrator = await stage.currentClientId(administrators);
  stage.stand.looker.control.resetLedger();
  const version = await stage.rotate();
  await stage.untilRotated(version);
  const fresh = await stage.currentClientId();
  expect(stage.pairs()).toEqual([old, fresh]);
  expect(stage.stand.looker.ledger().map(({ event, clientId }) => [event, clientId])).toEqual([
    ["login", administrator],
    ["api", administrator],
    ["api", administrator],
    ["pair_created", administrator],
    ["pair_marked", administrator],
    ["logout", administrator],
    ["login", fresh],
    ["api", fresh],
    ["logout", fresh],
  ]);
  expect(await stage.untilRetired()).toEqual([fresh]);
  expect(stage.stand.looker.liveTokens()).toEqual([]);
  const caller = callerOf(stage.stand, "service-01");
  expect((await caller.token("sales")).status).toBe(200);
  expect((await caller.logout("sales")).status).toBe(200);
});

test("an account that may manage its own pairs rotates without an administrator", async () => {
  const { control } = stage.stand.looker;
  control.changeSettings({ ownPairsByApi: true });
  control.changeUser(stage.userId(selfRotated), { canManageCredentials: true });
  const old = await stage.currentClientId(selfRotated);
  await stage.untilRotated(await stage.rotate(selfRotated), selfRotated);
  const fresh = await stage.currentClientId(selfRotated);
  expect(fresh).not.toBe(old);
  expect(await stage.untilRetired(selfRotated)).toEqual([fresh]);
});

const deliveries: readonly Delivery[] = ["twice", "twice at once"];

test.each(deliveries)(
  "each step delivered %s ends as if it came once, without a failure",
  async (delivery) => {
    stage.rotations.setDelivery(() => delivery);
    stage.stand.looker.control.resetLedger();
    const old = await stage.currentClientId();
    const notes = await stage.notesAfter(async () => stage.untilRotated(await stage.rotate()), 8);
    // Log lines of two instances come in any order.
    const ends = notes.map(({ step, outcome }) => `${step} ${outcome}`).toSorted();
    const steps = ["createSecret", "finishSecret", "setSecret", "testSecret"];
    expect(ends).toEqual(steps.flatMap((step) => [`${step} done`, `${step} done`]));
    expect(counted(stage.stand, "rotation_failures")).toBe(0);
    expect(stage.alarm("RotationFailures")).not.toBe("ALARM");
    const fresh = await stage.currentClientId();
    expect(stage.pairs()).toEqual([old, fresh]);
    expect(events(stage.stand, "pair_created")).toHaveLength(1);
    expect(await stage.untilRetired()).toEqual([fresh]);
    expect(events(stage.stand, "login_failed")).toEqual([]);
    expect(stage.stand.looker.liveTokens()).toHaveLength(0);
  },
);
