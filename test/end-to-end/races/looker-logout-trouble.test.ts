import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { callerOf, sharedStand, statusAtLooker } from "../../support/broker-stand.ts";
import { untilAnswered } from "../../support/crowd.ts";
import { heldRows, listing } from "../../support/held-tokens.ts";
import { events } from "../../support/looker-ledger.ts";

const stand = sharedStand({ maxInstances: 20 });

test("a Looker, or a proxy, that does not confirm a logout: pending, retried by the sweeper, confirmed dead", async () => {
  const { looker, broker } = stand;
  const operator = callerOf(stand, "platform-engineer");
  const troubles = [
    ["report-service", "sales", { kind: "status", status: 500 }],
    ["nightly-job", "sales", { kind: "html_404" }],
    ["finance-service", "finance", { kind: "html_401" }],
  ] as const;
  const tokens: string[] = [];
  for (const [name, scope, trouble] of troubles) {
    const caller = callerOf(stand, name);
    const { json } = (await untilAnswered(() => caller.token(scope))).answer;
    tokens.push(json.access_token);
    looker.control.addFault({ route: "logout", ...trouble });
    const answer = await caller.logout(scope);
    expect([name, answer.status, answer.json]).toEqual([name, 202, { revoked: 0, pending: 1 }]);
    looker.control.clearFaults();
    expect(await statusAtLooker(broker.lookerUrl, json.access_token)).toBe(200);
    expect((await listing(operator, scope)).map(({ state }) => state)).toContain("pending");
    // None of it is served meanwhile.
    const next = (await untilAnswered(() => caller.token(scope))).answer.json;
    expect(next.access_token).not.toBe(json.access_token);
    expect((await caller.logout(scope, { lease_id: next.lease_id })).json).toEqual({
      revoked: 1,
      pending: 0,
    });
  }
  // Not due yet: the sweeper leaves them alone, for a Looker in trouble is not to be stormed.
  const before = events(stand, "logout").length;
  await broker.runSchedules("sweep");
  expect(events(stand, "logout")).toHaveLength(before);
  await sleep(16_000);
  await broker.runSchedules("sweep");
  for (const token of tokens) expect(await statusAtLooker(broker.lookerUrl, token)).toBe(401);
  expect(looker.liveTokens()).toEqual([]);
  expect((await heldRows(stand)).tokens.size).toBe(0);
  expect(await listing(operator, "sales")).toEqual([]);
  expect(await listing(operator, "finance")).toEqual([]);
});
