import { expect, test } from "vitest";
import { callerOf, statusAtLooker } from "../../support/broker-stand.ts";
import { eventOf } from "../../support/runtime-interface/event.ts";
import { behavesAsApiFunction } from "./api-function.ts";
import { answerOf, nothingLeftBehind } from "./stand.ts";

const request = (method: string, path: string, body?: object) => (broker: Parameters<typeof eventOf>[0]) =>
  eventOf(broker, "platform-engineer", method, `/scopes/sales${path}`, body);
const list = request("GET", "/leases");
const endAll = request("DELETE", "/leases?all=true");

const stand = behavesAsApiFunction({ functionId: "operate", ask: list });

test("one instance lists, freezes, unfreezes and ends leases", async () => {
  const { broker } = stand();
  const caller = callerOf(stand(), "report-service");
  const issued = await caller.token("sales");
  const instance = await stand().start();
  const ask = async (event: ReturnType<typeof list>) => answerOf(await instance.invoke(event), stand()).json;

  expect(await ask(list(broker))).toMatchObject({
    leases: [{ lease_id: issued.json.lease_id, state: "live" }],
  });
  expect(await ask(request("PUT", "/freeze", { reason: "incident 42" })(broker))).toMatchObject({
    frozen: { reason: "incident 42" },
    revoked: 1,
    pending: 0,
  });
  await nothingLeftBehind(stand());
  expect(await statusAtLooker(broker.lookerUrl, issued.json.access_token)).toBe(401);
  expect(await ask(request("DELETE", "/freeze")(broker))).toMatchObject({ frozen: null });

  await caller.token("sales");
  expect(await ask(endAll(broker))).toMatchObject({ matched: 1, revoked: 1, pending: 0 });
});

test("a Looker that hangs at the logouts is answered for before the time is up, with nothing left behind", async () => {
  const { broker, definition } = stand();
  for (const name of ["report-service", "nightly-job"]) await callerOf(stand(), name).token("sales");
  const instance = await stand().start();
  broker.looker?.control.addFault({ route: "logout", kind: "hang" });
  const upAt = performance.now() + definition.timeoutSeconds * 1_000;
  const outcome = await instance.invoke(endAll(broker));
  const answer = answerOf(outcome, stand());
  expect([answer.status, answer.json]).toMatchObject([202, { revoked: 0, pending: 2 }]);
  expect("at" in outcome && outcome.at).toBeLessThan(upAt);
  await nothingLeftBehind(stand());
});
