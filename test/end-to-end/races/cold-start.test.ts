import { expect, test } from "vitest";
import type { RunningLooker } from "../../../local/looker/server.ts";
import { callerOf, clientSecretOf, counted, leaksIn, sharedStand } from "../../support/broker-stand.ts";
import { crowd, manyCallers, untilAnswered } from "../../support/crowd.ts";
import { lostTokens } from "../../support/held-tokens.ts";
import { events } from "../../support/looker-ledger.ts";

const stand = sharedStand({ maxInstances: 20 });

test("a thousand cold requests at once of one caller make one login, and all get its token", async () => {
  const reports = callerOf(stand, "report-service");
  const all = await crowd(1_000, () => untilAnswered(() => reports.token("sales"), { seconds: 90 }));
  expect(events(stand, "login")).toHaveLength(1);
  expect(stand.looker.ledger()).toHaveLength(1);
  expect(tally(all.map(({ answer }) => answer.status))).toEqual({ 200: 1_000 });
  expect(new Set(all.map(({ answer }) => answer.json.lease_id)).size).toBe(1);
  expect(new Set(all.map(({ answer }) => answer.json.access_token)).size).toBe(1);
  // Whoever was not served at once was told to come again.
  for (const { status, json, headers } of all.flatMap(({ refused }) => refused)) {
    if (status === 504) continue;
    expect([status, json?.code]).toEqual([503, "busy"]);
    expect(headers["retry-after"]).toMatch(/^[1-9]\d?$/);
  }
  expect(await lostTokens(stand)).toEqual([]);
  expect(counted(stand, "possible_orphans")).toBe(0);
  expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0);
});

test("a thousand requests of fifty callers with a wrong secret cost one failed login, and no lock-out", async () => {
  const { client_id } = await clientSecretOf(stand.broker, "looker/finance");
  stand.looker.control.changeSecret(client_id, "changed-at-looker-only");
  stand.looker.control.resetLedger();
  const callers = manyCallers(stand, "finance-service", 50);
  const all = await crowd(1_000, () => untilAnswered(() => callers.token("finance"), { seconds: 90 }));
  expect(tally(all.map(({ answer }) => `${answer.status} ${answer.json?.code}`))).toEqual({
    "502 looker_rejected_credentials": 1_000,
  });
  expect(stand.looker.ledger().map(({ event }) => event)).toEqual(["login_failed"]);
  expect(new Set(stand.broker.logs().flatMap((line) => line.match(/AROA\w+X\d{4}/g) ?? [])).size).toBe(50);
  expect(await lockouts(stand.looker)).toEqual([]);
});

function tally(values: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** As an admin of Looker sees them. */
async function lockouts({ url, addAccount }: RunningLooker): Promise<unknown> {
  const credentials = { clientId: "admin-of-the-test", clientSecret: "not-a-real-secret" };
  addAccount({ userId: "1", displayName: "Admin", credentials: [credentials], admin: true });
  const login = await fetch(`${url}/api/4.0/login`, {
    method: "POST",
    body: new URLSearchParams({ client_id: credentials.clientId, client_secret: credentials.clientSecret }),
  });
  const { access_token } = (await login.json()) as { access_token: string };
  const answer = await fetch(`${url}/api/4.0/user_login_lockouts`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  expect(answer.status).toBe(200);
  return await answer.json();
}
