/** The runbook's entries about tokens and secrets that leak or are refused: each fault made, seen, typed away, and over. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { clientSecretOf, statusAtLooker, untilSeen } from "../support/broker-stand.ts";
import { onRunbook } from "./runbook-stage.ts";

const book = onRunbook(import.meta.filename);
const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
const sha256Of = (text: string) => createHash("sha256").update(text).digest("hex");
const takenBy = (token: string) => statusAtLooker(book.stand.broker.lookerUrl, token);

/** A further API key of the scope's service account, as a Looker administrator would make it. */
function newKey(userId: string, clientId: string): { client_id: string; client_secret: string } {
  const clientSecret = createHash("sha256").update(clientId).digest("hex").slice(0, 24);
  book.stand.broker.looker?.addAccount({
    userId,
    displayName: "",
    credentials: [{ clientId, clientSecret }],
  });
  return { client_id: clientId, client_secret: clientSecret };
}

test("#leaked-token: whose token it is, its end, and Looker's word for it", async () => {
  const { json } = await book.caller("report-service").token("sales");
  const shell = await book.at("leaked-token");
  const found = await shell.type("looker-token whose", `${json.access_token}\n`);
  expect([found.exitCode, found.out]).toEqual([0, expect.stringContaining(`Lease      ${json.lease_id}\n`)]);
  expect(found.out).toContain(`Caller     ${role("report-service")}\n`);

  const revoked = await shell.type("looker-token whose --revoke", `${json.access_token}\n`);
  expect([revoked.exitCode, revoked.out]).toEqual([
    0,
    expect.stringMatching(/^revoked {2}1 lease of sales; Looker confirmed its end$/m),
  ]);
  expect(await takenBy(json.access_token)).toBe(401);
  shell.set({ LEASE: json.lease_id });
  await untilSeen(
    async () => /kind: lease_end/.test((await shell.type("looker-token ask is-this-lease")).out),
    "its end",
  );
  const again = await shell.type("looker-token whose --revoke", `${json.access_token}\n`);
  expect([again.exitCode, again.out]).toEqual([
    5,
    expect.stringMatching(/^No lease of sales, finance has this token/),
  ]);
}, 120_000);

test("#leaked-token: all of a caller, the whole scope, and a token that is not the broker's", async () => {
  const [reports, nightly] = [book.caller("report-service"), book.caller("nightly-job")];
  const [one, other] = [(await reports.token("sales")).json, (await nightly.token("sales")).json];
  const shell = await book.at("leaked-token");
  shell.set({ SCOPE: "sales", CALLER: role("report-service") });
  expect((await shell.type('looker-token revoke --scope "$SCOPE" --caller')).out).toMatch(
    /^revoked {2}1 lease/,
  );
  expect([await takenBy(one.access_token), await takenBy(other.access_token)]).toEqual([401, 200]);

  const frozen = await shell.type("looker-token freeze");
  expect(frozen.out).toMatch(/^frozen {3}sales.*\nrevoked {2}1 lease/s);
  expect([await takenBy(other.access_token), (await nightly.token("sales")).status]).toEqual([401, 403]);
  expect((await shell.type("looker-token unfreeze")).out).toMatch(/^unfrozen {2}sales/);
  expect((await nightly.token("sales")).status).toBe(200);

  const foreign = newKey("101", "somebodys-own-key");
  const login = await fetch(`${book.stand.broker.lookerUrl}/api/4.0/login`, {
    method: "POST",
    body: new URLSearchParams(foreign),
  });
  const { access_token: stray } = (await login.json()) as { access_token: string };
  const asked = await shell.type("looker-token whose", `${stray}\n`);
  expect(asked.out).toContain(`looker-token ask who-got-this-token --token-sha256 ${sha256Of(stray)}\n`);
  shell.set({ LOOKER: book.stand.broker.lookerUrl });
  await shell.type("read -rs TOKEN", `${stray}\n`);
  expect((await shell.type("printf")).out).toBe(
    '{"id":"101","display_name":"Service account of looker/sales"}\n204\n',
  );
  expect(await takenBy(stray)).toBe(401);
}, 120_000);

test("an option that was forgotten ends nothing", async () => {
  const { json } = await book.caller("report-service").token("sales");
  const shell = await book.at("leaked-token");
  for (const given of [{}, { SCOPE: "sales" }]) {
    shell.set(given);
    const ran = await shell.type('looker-token revoke --scope "$SCOPE" --caller');
    expect([ran.exitCode, ran.err]).toEqual([2, expect.stringContaining("is empty")]);
  }
  expect(await takenBy(json.access_token)).toBe(200);
}, 120_000);

test("#leaked-client-secret: a new pair, the old one denied, and its tokens dead", async () => {
  const { looker } = book.stand.broker;
  const old = await clientSecretOf(book.stand.broker, "looker/sales");
  const reports = book.caller("report-service");
  const { json } = await reports.token("sales");
  const fresh = newKey("101", "fresh-key-of-sales");

  const shell = await book.at("leaked-client-secret");
  shell.set({ SCOPE: "sales", CLIENT_ID: old.client_id });
  await shell.type("SECRET=", JSON.stringify(fresh));
  expect((await shell.type("aws secretsmanager put-secret-value")).exitCode).toBe(0);
  // The administrator deletes the old key.
  looker?.control.setDisabled(old.client_id, true);
  const revoke = 'looker-token revoke --all-scopes --client-id "$CLIENT_ID"';
  expect((await shell.type(`${revoke} --dry-run`)).out).toMatch(
    /sales: it is the credential in use\.[\s\S]*finance: it is not[\s\S]*1 lease would be ended/,
  );
  const revoked = await shell.type(`${revoke} --yes`);
  expect([revoked.exitCode, revoked.out]).toEqual([
    0,
    expect.stringContaining("revoked  1 lease of 2 scopes"),
  ]);
  expect(await takenBy(json.access_token)).toBe(401);

  // An instance that has the old pair in its memory reads the new one at once, or after ten seconds.
  await untilSeen(
    async () => (await reports.token("sales")).status === 200,
    "a token by the new pair",
    30_000,
  );
  const listed = (await shell.type("looker-token leases")).out;
  expect(listed).toContain("fresh-key-of-sales");
  expect(listed).not.toContain(old.client_id);
  const rows = (await shell.type("looker-token ask tokens-of-a-client-id")).out.trim().split("\n\n");
  for (const row of rows) expect(row).toMatch(/confirmed_ends: [1-9]|dead_by: /);
  expect(rows.some((row) => row.includes(json.lease_id) && /confirmed_ends: 1/.test(row))).toBe(true);
}, 120_000);

test("#leaked-client-secret: the new client id was denied by mistake, and is allowed again", async () => {
  const { client_id } = await clientSecretOf(book.stand.broker, "looker/finance");
  const finance = book.caller("finance-service");
  expect((await finance.token("finance")).status).toBe(200);
  const shell = await book.at("leaked-client-secret");
  shell.set({ SCOPE: "finance", CLIENT_ID: client_id });
  await shell.type('looker-token revoke --all-scopes --client-id "$CLIENT_ID" --yes');
  expect((await finance.token("finance")).status).toBe(502);
  const allowed = await shell.type("looker-token allow-client");
  expect([allowed.exitCode, allowed.out]).toEqual([0, expect.stringMatching(/^allowed +client id /)]);
  await untilSeen(async () => (await finance.token("finance")).status === 200, "a token", 30_000);
}, 120_000);

test("#rejected-credentials: a pair that Looker refuses is seen by alarm and record, and a new one works", async () => {
  const { broker } = book.stand;
  const { client_id } = await clientSecretOf(broker, "looker/finance");
  book.looker.changeSecret(client_id, "changed-at-looker-only");
  const finance = book.caller("finance-service");
  const refused = await finance.token("finance");
  expect([refused.status, refused.json.code]).toEqual([502, "looker_rejected_credentials"]);
  await untilSeen(() => book.alarm("RejectedCredentials") === "ALARM", "the alarm");

  const shell = await book.at("rejected-credentials");
  expect((await shell.type("looker-token ask what-goes-wrong")).out).toMatch(
    /reason: login_rejected[\s\S]*scope: finance/,
  );
  shell.set({ SCOPE: "finance" });
  book.aws.answer("secretsmanager describe-secret", () => ["changed", "deleted", {}]);
  await shell.type("SECRET=");
  book.aws.answer("secretsmanager restore-secret", (flags) => flags["secret-id"]);
  expect((await shell.type("aws secretsmanager restore-secret")).out).toBe("looker/finance\n");
  const right = { client_id, client_secret: "changed-at-looker-only" };
  await shell.type("PAIR=", JSON.stringify(right));
  expect((await shell.type("aws secretsmanager put-secret-value")).exitCode).toBe(0);

  // Within twenty seconds, as the entry says.
  await untilSeen(async () => (await finance.token("finance")).status === 200, "a token", 20_000);
  const { out } = await shell.type("looker-token leases");
  expect(out).toMatch(new RegExp(`finance-service.* live .*${client_id}`));
}, 120_000);

test("#rejected-credentials: four failures in a row are never reached, however often callers ask", async () => {
  const { client_id } = await clientSecretOf(book.stand.broker, "looker/finance");
  book.looker.setDisabled(client_id, true);
  book.looker.resetLedger();
  const finance = book.caller("finance-service");
  for (let tries = 0; tries < 6; tries++) expect((await finance.token("finance")).status).toBe(502);
  expect(book.looker.ledger().map(({ event }) => event)).toEqual(["login_failed"]);
  const shell = await book.at("rejected-credentials");
  expect((await shell.type("looker-token ask what-goes-wrong")).out).toContain("looker_rejected_credentials");
}, 120_000);
