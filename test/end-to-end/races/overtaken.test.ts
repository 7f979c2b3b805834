/** A revocation or a freeze that meets a login under way. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { resources } from "../../../functions/contract.ts";
import { callerOf, counted, sharedStand, untilSeen } from "../../support/broker-stand.ts";
import { untilAnswered } from "../../support/crowd.ts";
import { functionBehind } from "../../support/function-instances.ts";
import { heldRows, listing, lostTokens, sha256 } from "../../support/held-tokens.ts";
import { events, untilHeld } from "../../support/looker-ledger.ts";

const stand = sharedStand({ maxInstances: 20 });

const loginPath = "/api/4.0/login";

test("whatever revokes while a login hangs for seconds: that token is ended, and never given out", async () => {
  const { looker, broker } = stand;
  const [reports, finance] = [callerOf(stand, "report-service"), callerOf(stand, "finance-service")];
  const operator = callerOf(stand, "platform-engineer");
  const role = encodeURIComponent("arn:aws:iam::111122223333:role/report-service");
  const given = new Set<string>();
  const revocations = [
    ["the caller's own logout", () => reports.logout("sales"), 202],
    ["an operator, by caller", () => operator.send("DELETE", `/scopes/sales/leases?caller=${role}`), 202],
    ["an operator, everything", () => operator.send("DELETE", "/scopes/sales/leases?all=true"), 202],
    [
      "an operator, by time",
      () =>
        operator.send(
          "DELETE",
          `/scopes/sales/leases?issued_before=${encodeURIComponent(new Date().toISOString())}`,
        ),
      202,
    ],
  ] as const;
  for (const [name, revoke, status] of revocations) {
    const logins = events(stand, "login").length;
    looker.control.addFault({ route: "login", kind: "hold", times: 1 });
    const asked = [reports.token("sales"), reports.token("sales"), reports.token("sales")];
    await untilHeld(stand, loginPath);
    await sleep(1_500);
    const answer = await revoke();
    expect([name, answer.status, answer.json.pending, answer.json.revoked]).toEqual([name, status, 1, 0]);
    looker.control.release();
    const answers = await Promise.all(asked);
    const made = events(stand, "login")[logins]?.tokenSha256 ?? "";
    await untilSeen(
      () => events(stand, "logout").some(({ tokenSha256 }) => tokenSha256 === made),
      `${name}: logout`,
    );
    expect((await heldRows(stand)).tokens.has(made)).toBe(false);
    // Whoever waited is told to come again, or given a token that was made after; and so is the next request.
    for (const each of answers) {
      expect([name, [200, 503].includes(each.status)]).toEqual([name, true]);
      if (each.status === 200) given.add(sha256(each.json.access_token));
    }
    const { answer: next } = await untilAnswered(() => reports.token("sales"));
    expect(next.status).toBe(200);
    given.add(sha256(next.json.access_token));
    expect(given.has(made)).toBe(false);
    expect((await reports.logout("sales")).json).toEqual({ revoked: 1, pending: 0 });
  }

  // Freeze, in the scope of another secret.
  looker.control.addFault({ route: "login", kind: "hold", times: 1 });
  const asked = finance.token("finance");
  await untilHeld(stand, loginPath);
  await sleep(1_500);
  const frozen = await operator.send("PUT", "/scopes/finance/freeze", JSON.stringify({ reason: "incident" }));
  expect([frozen.status, frozen.json.pending, frozen.json.revoked]).toEqual([202, 1, 0]);
  looker.control.release();
  expect((await asked).json.code).toBe("scope_frozen");
  expect((await finance.token("finance")).json.code).toBe("scope_frozen");
  await untilSeen(
    () => events(stand, "logout").length === events(stand, "login").length,
    "the frozen login ended",
  );
  expect(looker.liveTokens()).toEqual([]);
  expect(await listing(operator, "finance")).toEqual([]);
  expect(await lostTokens(stand)).toEqual([]);
  expect(counted(stand, "possible_orphans")).toBe(0);
  expect(broker.instances(functionBehind(stand, "POST", resources.token)).some(({ busy }) => busy)).toBe(
    false,
  );
});

test("revoked while hundreds ask: none of them is given the token that was revoked", async () => {
  const { looker } = stand;
  const reports = callerOf(stand, "report-service");
  const operator = callerOf(stand, "platform-engineer");
  looker.control.resetLedger();
  const first = (await untilAnswered(() => reports.token("sales"))).answer.json.access_token;
  let revokedAt = Number.POSITIVE_INFINITY;
  let late = 0;
  const crowd = Array.from({ length: 300 }, async (_, index) => {
    await sleep(index * 8);
    const askedAt = performance.now();
    const { json } = await reports.token("sales");
    if (askedAt > revokedAt && json.access_token === first) late++;
  });
  await sleep(600);
  const ended = await operator.send("DELETE", "/scopes/sales/leases?all=true");
  revokedAt = performance.now();
  expect([ended.status, ended.json.revoked]).toEqual([200, 1]);
  await Promise.all(crowd);
  expect(late).toBe(0);
  expect(events(stand, "login")).toHaveLength(2);
  expect(looker.liveTokens()).toHaveLength(1);
  expect(await lostTokens(stand)).toEqual([]);
});
