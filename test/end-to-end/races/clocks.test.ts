import { expect, test } from "vitest";
import { callerOf, sharedStand } from "../../support/broker-stand.ts";
import { crowd, untilAnswered } from "../../support/crowd.ts";
import { lostTokens } from "../../support/held-tokens.ts";
import { events } from "../../support/looker-ledger.ts";

// Every second instance five seconds ahead of the others: as far as clocks may be apart.
const stand = sharedStand({
  maxInstances: 20,
  clockSkewMs: (number) => (number % 2 === 0 ? 2_500 : -2_500),
});

test("instances whose clocks are five seconds apart still make one login for one caller", async () => {
  const reports = callerOf(stand, "report-service");
  const all = await crowd(200, () => untilAnswered(() => reports.token("sales")));
  expect(new Set(all.map(({ answer }) => answer.json?.access_token)).size).toBe(1);
  expect(all.every(({ answer }) => answer.status === 200)).toBe(true);
  expect(events(stand, "login")).toHaveLength(1);
  expect(await lostTokens(stand)).toEqual([]);
});

test("what is revoked is given to nobody, whichever clock the next request meets", async () => {
  const reports = callerOf(stand, "report-service");
  const operator = callerOf(stand, "platform-engineer");
  const before = (await untilAnswered(() => reports.token("sales"))).answer.json.access_token;
  const revoked = await operator.send("DELETE", "/scopes/sales/leases?all=true");
  expect(revoked.json).toEqual({ matched: 1, revoked: 1, pending: 0 });
  const after = await crowd(100, () => untilAnswered(() => reports.token("sales")));
  expect(after.map(({ answer }) => answer.json?.access_token)).not.toContain(before);
  expect(events(stand, "login")).toHaveLength(2);
});
