/** Dependencies that throttle, hang, lose answers, or are away. */
import { afterEach, expect, test } from "vitest";
import { resources } from "../../../functions/contract.ts";
import type { Fault, InjectFault } from "../../../local/aws/call.ts";
import { callerOf, counted, sharedStand, statusAtLooker, untilSeen } from "../../support/broker-stand.ts";
import { manyCallers, timed, untilAnswered } from "../../support/crowd.ts";
import { functionBehind } from "../../support/function-instances.ts";
import { lostTokens, sha256 } from "../../support/held-tokens.ts";
import { events } from "../../support/looker-ledger.ts";

const stand = sharedStand({ maxInstances: 20 });
afterEach(() => {
  stand.broker.awsProxy.setFault(undefined);
  stand.looker.control.clearFaults();
});

/** "Quickly": two SDK attempts of a second each, and what this machine adds. */
const quicklyMs = 6_000;

const dynamodb =
  (fault: Fault): InjectFault =>
  ({ service }) =>
    service === "dynamodb" ? fault : undefined;

test("DynamoDB away, in each of its ways: 503 quickly for every verb; afterwards all is as it was", async () => {
  const { broker, looker } = stand;
  const [reports, nightly] = [callerOf(stand, "report-service"), callerOf(stand, "nightly-job")];
  const operator = callerOf(stand, "platform-engineer");
  const held = (await untilAnswered(() => reports.token("sales"))).answer.json;
  await operator.send("GET", "/scopes/sales/leases");
  await reports.logout("sales", { lease_id: "no-such-lease" });
  const faults: Fault[] = [
    { throw: "throttle" },
    { throw: "unavailable" },
    { throw: "hang" },
    { throw: "reset" },
  ];
  for (const fault of faults) {
    broker.awsProxy.setFault(dynamodb(fault));
    const asked = [
      () => reports.token("sales"),
      () => nightly.token("sales"),
      () => reports.logout("sales"),
      () => operator.send("GET", "/scopes/sales/leases"),
      () => operator.send("DELETE", "/scopes/sales/leases?all=true"),
      () => operator.send("DELETE", `/scopes/sales/leases?lease_id=${held.lease_id}`),
      () => operator.send("PUT", "/scopes/sales/freeze", JSON.stringify({ reason: "incident" })),
    ];
    const answers = await Promise.all(asked.map((ask) => timed(ask)));
    for (const [index, { result, ms }] of answers.entries()) {
      expect([fault.throw, index, result.status, result.json?.code]).toEqual([
        fault.throw,
        index,
        503,
        "busy",
      ]);
      expect(result.headers["retry-after"]).toMatch(/^[1-9]$/);
      expect(ms, `${fault.throw} #${index}`).toBeLessThan(quicklyMs);
    }
    broker.awsProxy.setFault(undefined);
    expect((await reports.token("sales")).json.lease_id).toBe(held.lease_id);
  }
  expect(await statusAtLooker(broker.lookerUrl, held.access_token)).toBe(200);
  expect(
    looker
      .ledger()
      .filter(({ event }) => event !== "api")
      .map(({ event }) => event),
  ).toEqual(["login"]);
});

test("every third answer of DynamoDB lost, late, or refused: right answers or 503, and no token lost uncounted", async () => {
  const { broker, looker } = stand;
  const callers = manyCallers(stand, "finance-service", 12);
  // The secret has proven itself: a first use whose record is lost holds everyone up for one back-off, six minutes.
  expect((await untilAnswered(() => callers.token("finance"))).answer.status).toBe(200);
  // Instances that exist already: what is slow from here on is not their start.
  await Promise.all(Array.from({ length: 20 }, () => callers.send("GET", "/scopes")));
  const faults: Fault[] = [
    { throw: "reset", when: "after" },
    { throw: "throttle" },
    { throw: "internal", when: "after" },
    { throw: "hang", when: "after" },
    { throw: "reset" },
    { throw: "hang" },
  ];
  let calls = 0;
  broker.awsProxy.setFault(({ service }) =>
    service === "dynamodb" && ++calls % 3 === 0 ? faults[(calls / 3) % faults.length] : undefined,
  );
  const answers = await Promise.all(
    Array.from({ length: 120 }, (_, index) =>
      timed(() => (index % 5 === 4 ? callers.logout("finance") : callers.token("finance"))),
    ),
  );
  broker.awsProxy.setFault(undefined);
  for (const { result } of answers)
    expect(
      result.status === 200 || result.status === 202 || result.status === 503,
      result.text.slice(0, 80),
    ).toBe(true);
  expect(answers.filter(({ result }) => result.json?.code === "internal")).toEqual([]);
  // Served tokens are Looker's own, and whatever lives at Looker is in a row, or counted as perhaps lost.
  const made = new Set(events(stand, "login").map(({ tokenSha256 }) => tokenSha256));
  for (const { result } of answers)
    if (result.json?.access_token) expect(made.has(sha256(result.json.access_token))).toBe(true);
  const lost = await lostTokens(stand);
  await untilSeen(() => counted(stand, "possible_orphans") >= lost.length, "each lost token counted");
  // A table that works again finds every caller served, or told to come again while a lost lock runs out.
  const { answer } = await untilAnswered(() => callers.token("finance"));
  expect(answer.status).toBe(200);
  expect(looker.ledger().some(({ event }) => event === "login_failed")).toBe(false);
});

test("KMS away: instances that have unsealed the lease serve it still; with Looker and Secrets Manager away too", async () => {
  const { broker, looker } = stand;
  const [reports, nightly] = [callerOf(stand, "report-service"), callerOf(stand, "nightly-job")];
  const issueToken = functionBehind(stand, "POST", resources.token);
  const lostBefore = await lostTokens(stand);
  for (const { number } of broker.instances(issueToken)) await broker.kill(issueToken, number);
  const held = (await untilAnswered(() => reports.token("sales"))).answer.json;
  expect(broker.instances(issueToken)).toHaveLength(1);
  const away =
    (fault: Fault): InjectFault =>
    ({ service }) =>
      service === "kms" || service === "secretsmanager" ? fault : undefined;
  for (const fault of [
    { throw: "unavailable" },
    { throw: "hang" },
    { throw: "throttle" },
  ] satisfies Fault[]) {
    broker.awsProxy.setFault(away(fault));
    looker.control.addFault({ route: "all", kind: "hang" });
    const { result, ms } = await timed(() => reports.token("sales"));
    expect([fault.throw, result.status, result.json.access_token === held.access_token]).toEqual([
      fault.throw,
      200,
      true,
    ]);
    expect(ms).toBeLessThan(1_500);
    looker.control.clearFaults();
  }
  // Who has no lease is told so: Looker, which hangs, is given the eight seconds of a login.
  looker.control.addFault({ route: "all", kind: "hang" });
  const other = await timed(() => nightly.token("sales"));
  expect(other.result.status).toBe(503);
  expect(other.ms).toBeLessThan(10_000);
  // An instance that has not unsealed it cannot: 503, not another login.
  looker.control.clearFaults();
  broker.awsProxy.setFault(({ service }) => (service === "kms" ? { throw: "unavailable" } : undefined));
  const logins = events(stand, "login").length;
  for (const { number } of broker.instances(issueToken)) await broker.kill(issueToken, number);
  const cold = await timed(() => reports.token("sales"));
  expect([cold.result.status, cold.result.json.code]).toEqual([503, "busy"]);
  expect(cold.ms).toBeLessThan(quicklyMs);
  expect(events(stand, "login")).toHaveLength(logins);
  // A login whose token cannot be sealed is ended at once: none is kept that no row could hold.
  expect((await nightly.token("sales")).status).toBe(503);
  broker.awsProxy.setFault(undefined);
  expect((await reports.token("sales")).json.lease_id).toBe(held.lease_id);
  expect((await untilAnswered(() => nightly.token("sales"))).answer.status).toBe(200);
  expect(await lostTokens(stand)).toEqual(lostBefore);
});
