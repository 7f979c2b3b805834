import { expect, test } from "vitest";
import { callerOf, statusAtLooker } from "../../support/broker-stand.ts";
import { eventOf } from "../../support/runtime-interface/event.ts";
import { behavesAsApiFunction } from "./api-function.ts";
import { answerOf, nothingLeftBehind, said } from "./stand.ts";

const ask = (broker: Parameters<typeof eventOf>[0]) =>
  eventOf(broker, "report-service", "POST", "/scopes/sales/logout");

const stand = behavesAsApiFunction({ functionId: "logout", ask });

test("a lease that another function issued is ended at Looker", async () => {
  const issued = await callerOf(stand(), "report-service").token("sales");
  const instance = await stand().start();
  expect(answerOf(await instance.invoke(ask(stand().broker)), stand()).json).toEqual({
    revoked: 1,
    pending: 0,
  });
  await nothingLeftBehind(stand());
  expect(await statusAtLooker(stand().broker.lookerUrl, issued.json.access_token)).toBe(401);
});

test("a Looker that hangs at the logout is answered for before the time is up, with nothing left behind", async () => {
  const { broker, definition } = stand();
  await callerOf(stand(), "report-service").token("sales");
  const instance = await stand().start();
  broker.looker?.control.addFault({ route: "logout", kind: "hang" });
  const upAt = performance.now() + definition.timeoutSeconds * 1_000;
  const outcome = await instance.invoke(ask(broker));
  const answer = answerOf(outcome, stand());
  expect([answer.status, answer.json]).toEqual([202, { revoked: 0, pending: 1 }]);
  expect("at" in outcome && outcome.at).toBeLessThan(upAt);
  await nothingLeftBehind(stand());
});

test("with too little time left for Looker the lease is fenced all the same, and pending", async () => {
  const { broker } = stand();
  const caller = callerOf(stand(), "nightly-job");
  const issued = await caller.token("sales");
  const instance = await stand().start();
  broker.looker?.control.addFault({ route: "logout", kind: "hang" });
  const event = eventOf(broker, "nightly-job", "POST", "/scopes/sales/logout");
  const answer = answerOf(await instance.invoke(event, 3_000), stand());
  expect(said(answer)).toEqual([202]);
  expect((await caller.token("sales")).json.lease_id).not.toBe(issued.json.lease_id);
});
