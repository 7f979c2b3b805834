import { expect, test } from "vitest";
import { eventOf } from "../../support/runtime-interface/event.ts";
import { behavesAsApiFunction } from "./api-function.ts";
import { answerOf, nothingLeftBehind, said } from "./stand.ts";

const tokenFor = (caller: string) => (broker: Parameters<typeof eventOf>[0]) =>
  eventOf(broker, caller, "POST", "/scopes/sales/token");
const ask = tokenFor("report-service");
const askAnother = tokenFor("nightly-job");

const stand = behavesAsApiFunction({ functionId: "issue-token", ask });

test("a hot fetch is one BatchGetItem, and on a cold instance one Decrypt more", async () => {
  const { broker } = stand();
  const [first, second] = [await stand().start(), await stand().start()];
  const issued = answerOf(await first.invoke(ask(broker)), stand());
  expect(issued.json).toMatchObject({ token_type: "Bearer", scope: "sales", base_url: broker.lookerUrl });

  broker.awsProxy.clearCalls();
  expect(answerOf(await first.invoke(ask(broker)), stand()).json.lease_id).toBe(issued.json.lease_id);
  expect(stand().calls()).toEqual(["dynamodb:BatchGetItem"]);

  broker.awsProxy.clearCalls();
  expect(answerOf(await second.invoke(ask(broker)), stand()).json.lease_id).toBe(issued.json.lease_id);
  expect(stand().calls()).toEqual(["dynamodb:BatchGetItem", "kms:Decrypt"]);
});

test("the list of scopes takes no call at all, even on a cold instance", async () => {
  const { broker } = stand();
  const instance = await stand().start();
  broker.awsProxy.clearCalls();
  const answer = answerOf(
    await instance.invoke(eventOf(broker, "report-service", "GET", "/scopes")),
    stand(),
  );
  expect(answer.json).toMatchObject({ scopes: [{ scope: "sales", may: ["token"] }] });
  expect(stand().calls()).toEqual([]);
});

test("a Looker that hangs at the login is answered for before the time is up, with nothing left behind", async () => {
  const { broker, definition } = stand();
  const instance = await stand().start();
  // The secret has worked before: this is about Looker, not about an attempt that may have spoiled it.
  expect(said(answerOf(await instance.invoke(ask(broker)), stand()))).toEqual([200]);
  broker.looker?.control.addFault({ route: "login", kind: "hang" });
  const upAt = performance.now() + definition.timeoutSeconds * 1_000;
  const outcome = await instance.invoke(askAnother(broker));
  expect(said(answerOf(outcome, stand()))).toEqual([503, "looker_unavailable"]);
  expect("at" in outcome && outcome.at).toBeLessThan(upAt);
  await nothingLeftBehind(stand());
  // Whoever holds a lease is served all the while.
  expect(said(answerOf(await instance.invoke(ask(broker)), stand()))).toEqual([200]);
});

test("with too little time left for a login none is begun", async () => {
  const { broker } = stand();
  const instance = await stand().start();
  broker.looker?.control.resetLedger();
  const event = eventOf(broker, "finance-service", "POST", "/scopes/finance/token");
  expect(said(answerOf(await instance.invoke(event, 8_000), stand()))).toEqual([503, "busy"]);
  expect(broker.looker?.ledger()).toEqual([]);
});
