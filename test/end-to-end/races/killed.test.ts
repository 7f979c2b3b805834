/** Instances that are killed at the worst moments: child processes, since only those die as a machine does. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { resources } from "../../../functions/contract.ts";
import {
  type Caller,
  callerOf,
  counted,
  sharedStand,
  statusAtLooker,
  untilSeen,
} from "../../support/broker-stand.ts";
import { untilAnswered } from "../../support/crowd.ts";
import { functionBehind, killBusy } from "../../support/function-instances.ts";
import { heldRows, listing, lostTokens, sha256 } from "../../support/held-tokens.ts";
import { events, untilHeld } from "../../support/looker-ledger.ts";

const stand = sharedStand({ maxInstances: 20, instances: "processes" });

const loginPath = "/api/4.0/login";
const logoutPath = "/api/4.0/logout";

const lease = async (caller: Caller, scope: string) =>
  (await untilAnswered(() => caller.token(scope))).answer.json as { access_token: string };
const whereIs = async (token: string) => (await heldRows(stand)).tokens.get(sha256(token))?.where;

/** Schedules run until the operator's listing of the scope tells no pending lease. */
const untilSwept = (scope: string) =>
  untilSeen(async () => {
    // The index knows whole seconds: what was revoked in this one is due in the next.
    await stand.broker.runSchedules("sweep");
    const listed = await listing(callerOf(stand, "platform-engineer"), scope);
    return listed.every(({ state }) => state !== "pending");
  }, "the sweeper's end of what is due");

/** Of the instance that is killed while minting: when its login began, and the token that nobody holds. */
let killedMint: { began: number; orphans: string[] } | undefined;

test("an instance killed while minting, its login on the way, leaves a token that no row holds: the known window", async () => {
  const { looker } = stand;
  const reports = callerOf(stand, "report-service");
  // The secret has proven itself: its first use would be guarded by more than the lock.
  await lease(callerOf(stand, "nightly-job"), "sales");
  const logins = events(stand, "login").length;
  looker.control.addFault({ route: "login", kind: "hold", times: 1 });
  const doomed = reports.token("sales");
  await untilHeld(stand, loginPath);
  const began = Date.now();
  expect(await killBusy(stand, functionBehind(stand, "POST", resources.token))).toBe(1);
  expect((await doomed).status).toBe(503);
  looker.control.release();
  await untilSeen(() => events(stand, "login").length === logins + 1, "the login of a dead instance");
  const orphans = await lostTokens(stand);
  expect(orphans).toEqual([events(stand, "login")[logins]?.tokenSha256]);
  // While the dead instance's lock stands, its caller is told to come again.
  expect((await reports.token("sales")).json.code).toBe("busy");
  killedMint = { began, orphans };
});

test("an instance killed while logging out: the token is not served again, and the sweeper ends it", async () => {
  const { looker, broker } = stand;
  const nightly = callerOf(stand, "nightly-job");
  const own = await lease(nightly, "sales");
  looker.control.addFault({ route: "logout", kind: "hang" });
  const logout = nightly.logout("sales");
  await untilHeld(stand, logoutPath, "hang");
  expect(await killBusy(stand, functionBehind(stand, "POST", resources.logout))).toBe(1);
  expect((await logout).status).toBe(503);
  // The fence was written before.
  expect((await lease(nightly, "sales")).access_token).not.toBe(own.access_token);
  expect(await whereIs(own.access_token)).toBe("outbox");
  // Looker has never heard of the logout: what a dead instance sent proves nothing.
  looker.control.clearFaults();
  expect(await statusAtLooker(broker.lookerUrl, own.access_token)).toBe(200);
  await untilSwept("sales");
  expect(await statusAtLooker(broker.lookerUrl, own.access_token)).toBe(401);
});

test("an instance killed in the middle of a freeze: the scope is frozen, and the sweeper ends its leases", async () => {
  const { looker, broker } = stand;
  const [finance, operator] = [callerOf(stand, "finance-service"), callerOf(stand, "platform-engineer")];
  const operate = functionBehind(stand, "PUT", resources.freeze);
  const frozen = await lease(finance, "finance");
  looker.control.addFault({ route: "logout", kind: "hang" });
  const freeze = operator.send("PUT", "/scopes/finance/freeze", JSON.stringify({ reason: "incident" }));
  await untilHeld(stand, logoutPath, "hang");
  await untilSeen(
    async () => (await whereIs(frozen.access_token)) === "outbox",
    "the frozen lease in the outbox",
  );
  expect(await killBusy(stand, operate)).toBe(1);
  expect((await freeze).status).toBe(503);
  expect((await finance.token("finance")).json.code).toBe("scope_frozen");
  expect(await whereIs(frozen.access_token)).toBe("outbox");
  expect(await statusAtLooker(broker.lookerUrl, frozen.access_token)).toBe(200);
  looker.control.clearFaults();
  await untilSwept("finance");
  expect(await listing(operator, "finance")).toEqual([]);
  expect(await statusAtLooker(broker.lookerUrl, frozen.access_token)).toBe(401);
  expect((await operator.send("DELETE", "/scopes/finance/freeze")).status).toBe(200);
  expect((await untilAnswered(() => finance.token("finance"))).answer.status).toBe(200);
});

// Last of these: its lock stands for twenty seconds, in which the others were tried.
test("the caller of the instance killed while minting is served once that lock is over, and the window is counted once", async () => {
  if (!killedMint) throw new Error("No instance was killed while minting.");
  const reports = callerOf(stand, "report-service");
  await sleep(Math.max(0, killedMint.began + 20_500 - Date.now()));
  expect((await untilAnswered(() => reports.token("sales"))).answer.status).toBe(200);
  expect(await lostTokens(stand)).toEqual(killedMint.orphans);
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
  await broker.runSchedules("sweep");
  const { tokens } = await heldRows(stand);
  const left = [...tokens.values()].filter(({ scope, where }) => scope === "sales" && where !== "outbox");
  expect(left).toEqual([]);
});
