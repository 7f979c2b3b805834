/** 1,000 requests of one caller at once, on a cold fleet. */

import { crowdOf, delays } from "./fleet.ts";
import { printTable } from "./table.ts";

export async function benchCrowd(): Promise<void> {
  process.stdout.write(
    `Calls for 1,000 cold requests of one caller, all at once (table ${delays.table} ms, KMS ${delays.kms} ms, login ${delays.login} ms)\n\n`,
  );
  const rows: (string | number)[][] = [];
  for (const instances of [1, 10, 50]) {
    const { counts, coldMs, hotMs } = await crowdOf(1_000, instances);
    const beyondLogin = Math.round(coldMs - delays.login);
    rows.push([instances, counts.login, counts.table, counts.kms, beyondLogin, Math.round(hotMs)]);
  }
  printTable(
    [
      "instances",
      "logins",
      "DynamoDB calls",
      "KMS calls",
      "last answer after the login's own time, ms",
      "the same crowd when the lease is there, ms",
    ],
    rows,
  );
}
