/** Instances that are killed at the worst moments: child processes, since only those die as a machine does. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { resources } from "../../../functions/contract.ts";
import { callerOf, counted, sharedStand, statusAtLooker, untilSeen } from "../../support/broker-stand.ts";
import { untilAnswered } from "../../support/crowd.ts";
import { functionBehind, killBusy } from "../../support/function-instances.ts";
import { heldRows, listing, lostTokens, sha256 } from "../../support/held-tokens.ts";
import { events, untilHeld } from "../../support/looker-ledger.ts";

const stand = sharedStand({ maxInstances: 20, instances: "processes" });

const loginPath = "/api/4.0/login";
const logoutPath = "/api/4.0/logout";

test("instances killed while minting and while revoking: nothing is lost but the known window", async () => {
  const { looker, broker } = stand;
  const [reports, nightly] = [callerOf(stand, "report-service"), callerOf(stand, "nightly-job")];
  const [finance, operator] = [callerOf(stand, "finance-service"), callerOf(stand, "platform-engineer")];
  const issueToken = functionBehind(stand, "POST", resources.token);

  // Two leases that will be revoked by instances that do not live to see the end of it.
  const own = (await untilAnswered(() => nightly.token("sales"))).answer.json;
  const frozen = (await untilAnswered(() => finance.token("finance"))).answer.json;
  expect([own.token_type, frozen.token_type]).toEqual(["Bearer", "Bearer"]);

  // Killed while minting: the login is at Looker, and takes effect after the instance is gone.
  looker.control.addFault({ route: "login", kind: "hold", times: 1 });
  const doomed = reports.token("sales");
  await untilHeld(stand, loginPath);
  const mintBegan = Date.now();
  expect(await killBusy(stand, issueToken)).toBe(1);
  expect((await doomed).status).toBe(503);
  looker.control.release();
  await untilSeen(() => events(stand, "login").length === 3, "the login of a dead instance");
  const orphans = await lostTokens(stand);
  expect(orphans).toEqual([events(stand, "login")[2]?.tokenSha256]);

  // Killed while logging out: the fence was written before.
  looker.control.addFault({ route: "logout", kind: "hold" });
  const logout = nightly.logout("sales");
  await untilHeld(stand, logoutPath);
  expect(await killBusy(stand, functionBehind(stand, "POST", resources.logout))).toBe(1);
  expect((await logout).status).toBe(503);

  // Killed in the middle of a freeze.
  const freeze = operator.send("PUT", "/scopes/finance/freeze", JSON.stringify({ reason: "incident" }));
  await untilHeld(stand, logoutPath, 1);
  await untilSeen(
    () => broker.instances(functionBehind(stand, "PUT", resources.freeze)).some(({ busy }) => busy),
    "freeze",
  );
  await untilSeen(
    async () => (await heldRows(stand)).tokens.get(sha256(frozen.access_token))?.where === "outbox",
    "the frozen lease in the outbox",
  );
  expect(await killBusy(stand, functionBehind(stand, "PUT", resources.freeze))).toBe(1);
  expect((await freeze).status).toBe(503);

  // Neither token is served, and both are in rows.
  expect((await finance.token("finance")).json.code).toBe("scope_frozen");
  const renewed = (await untilAnswered(() => nightly.token("sales"))).answer.json;
  expect(renewed.access_token).not.toBe(own.access_token);
  const { tokens } = await heldRows(stand);
  expect(tokens.get(sha256(own.access_token))?.where).toBe("outbox");
  expect(tokens.get(sha256(frozen.access_token))?.where).toBe("outbox");

  // As if Looker had never heard of the logouts: what a dead instance sent proves nothing.
  looker.control.clearFaults();
  // The index knows whole seconds: what was revoked in this one is due in the next.
  await untilSeen(async () => {
    await broker.runSchedules();
    return (await listing(operator, "finance")).length === 0;
  }, "the sweeper's end of what is due");
  expect(await statusAtLooker(broker.lookerUrl, own.access_token)).toBe(401);
  expect(await statusAtLooker(broker.lookerUrl, frozen.access_token)).toBe(401);
  expect((await operator.send("DELETE", "/scopes/finance/freeze")).status).toBe(200);
  expect((await untilAnswered(() => finance.token("finance"))).answer.status).toBe(200);

  // While the dead instance's lock stands, its caller is told to come again; after that it is served.
  if (Date.now() - mintBegan < 14_000) expect((await reports.token("sales")).json.code).toBe("busy");
  await sleep(Math.max(0, mintBegan + 20_500 - Date.now()));
  const { answer } = await untilAnswered(() => reports.token("sales"));
  expect(answer.status).toBe(200);
  expect(await lostTokens(stand)).toEqual(orphans);
  await untilSeen(() => counted(stand, "possible_orphans") >= 1, "the known window counted");
  expect(counted(stand, "possible_orphans")).toBe(1);
});

test("instances killed at random under load: every live token is in a row, or was made for a dead instance", async () => {
  const { broker, looker } = stand;
  const [reports, nightly] = [callerOf(stand, "report-service"), callerOf(stand, "nightly-job")];
  const issueToken = functionBehind(stand, "POST", resources.token);
  const logout = functionBehind(stand, "POST", resources.logout);
  looker.control.addFault({ route: "login", kind: "delay", delayMs: 100 });
  const lostBefore = (await lostTokens(stand)).length;
  let killed = 0;
  const load = Array.from({ length: 4 }, async (_, client) => {
    const caller = client % 2 === 0 ? reports : nightly;
    for (let turn = 0; turn < 6; turn++) {
      await caller.token("sales");
      await caller.logout("sales");
    }
  });
  const killer = (async () => {
    for (let round = 0; round < 8; round++) {
      await sleep(150);
      killed += (await killBusy(stand, round % 2 === 0 ? issueToken : logout)) as number;
    }
  })();
  await Promise.all([...load, killer]);
  looker.control.clearFaults();
  expect(killed).toBeGreaterThan(0);
  // Everything that is out there and known can be ended now; what is not known is at most one token for each kill.
  expect((await lostTokens(stand)).length - lostBefore).toBeLessThanOrEqual(killed);
  const operator = callerOf(stand, "platform-engineer");
  const ended = await operator.send("DELETE", "/scopes/sales/leases?all=true");
  expect([200, 202]).toContain(ended.status);
  await broker.runSchedules();
  const { tokens } = await heldRows(stand);
  const left = [...tokens.values()].filter(({ scope, where }) => scope === "sales" && where !== "outbox");
  expect(left).toEqual([]);
});
