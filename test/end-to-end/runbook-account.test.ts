/** The runbook's entries about the account check: an account that became an administrator, and a check that cannot be made. */
import { DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { expect, test } from "vitest";
import { clientSecretOf, records, untilSeen } from "../support/broker-stand.ts";
import { atTable, onRunbook } from "./runbook-stage.ts";

const book = onRunbook(import.meta.filename);

async function userOfSales(): Promise<string> {
  const { client_id } = await clientSecretOf(book.stand.broker, "looker/sales");
  const pair = book.looker.pairs().find(({ clientId }) => clientId === client_id);
  if (!pair) throw new Error("Looker does not know the pair of sales.");
  return pair.userId;
}

const checksOfSales = () =>
  records(book.stand.broker).filter(({ kind, scope }) => kind === "account_check" && scope === "sales");

test("#account-findings: a new administrator is seen by alarm and command, kept out by a freeze, and over after the next check", async () => {
  const userId = await userOfSales();
  book.looker.changeUser(userId, { admin: true });
  const caller = book.caller("report-service");
  await caller.token("sales");
  await book.stand.broker.runSchedules();
  await untilSeen(() => book.alarm("AccountFindings") === "ALARM", "the alarm");
  const shell = await book.at("account-findings");
  shell.set({ SCOPE: "sales" });
  expect((await shell.type("looker-token account --all-scopes")).out).toMatch(
    /^sales {2}1 finding\n[\s\S]*admin_account/,
  );
  expect((await shell.type("looker-token freeze")).out).toMatch(/revoked {2}1 lease of sales/);
  expect((await caller.token("sales")).json.code).toBe("scope_frozen");

  book.looker.changeUser(userId, { admin: false });
  expect((await shell.type("looker-token unfreeze")).exitCode).toBe(0);
  expect((await caller.token("sales")).status).toBe(200);
  // The next check is due after a week: as if this one had been made then.
  await book.put({ ...(await rowOfSales()), checked: undefined, failed: undefined });
  await book.stand.broker.runSchedules();
  expect((await shell.type("looker-token account --scope")).out).toMatch(/^sales {2}no findings\n/);
}, 120_000);

async function rowOfSales() {
  const row = (await book.rows()).find(({ pk, sk }) => pk === "scope#sales" && sk === "#account");
  if (!row) throw new Error("There is no row of a check of sales.");
  return row;
}

test("#account-check-failed: Looker's answer is missing, then an edited row is removed, and the next check works", async () => {
  book.looker.addFault({ route: "users", kind: "status", status: 500 });
  await book.stand.broker.runSchedules();
  const shell = await book.at("account-check-failed");
  shell.set({ SCOPE: "sales" });
  expect((await shell.type("looker-token account --all-scopes")).out).toMatch(
    /^Failed +account_status_500, /m,
  );
  book.looker.clearFaults();

  await book.put({ ...(await rowOfSales()), failed: "edited" });
  await book.stand.broker.runSchedules();
  expect(checksOfSales().at(-1)).toMatchObject({ reason: "row_unreadable" });
  book.aws.answer("dynamodb delete-item", (flags) =>
    atTable(book.stand, async (client, TableName) => {
      expect(flags["table-name"]).toBe(TableName);
      await client.send(new DeleteItemCommand({ TableName, Key: JSON.parse(flags.key ?? "") }));
      return "";
    }),
  );
  expect((await shell.type("aws dynamodb delete-item")).exitCode).toBe(0);
  await book.stand.broker.runSchedules();
  expect((await shell.type("looker-token account --scope")).out).toMatch(/^sales {2}no findings\n/);
}, 120_000);
