/** The broker around the entries: in which state an event finds it, and which dependency fails it. */
import type { Item } from "../../../functions/adapters/row-values.ts";
import { resources } from "../../../functions/contract.ts";
import { Unavailable } from "../../../functions/use-cases/ports.ts";
import { canary } from "../../support/canary.ts";
import { apiEvent, roleIdentity } from "../../support/fakes/api-function.ts";
import { secretId } from "../../support/fakes/in-memory-broker.ts";
import { oncall } from "../../support/fakes/in-memory-operator.ts";
import { broker } from "./adapters.ts";
import type { Invoke } from "./entries.ts";
import { type Change, changed } from "./hostile.ts";

export const states = ["empty", "leased", "due", "frozen"] as const;
export type State = (typeof states)[number];

const day = 86_400_000;
const secret = { clientId: "clientOne", clientSecret: canary.clientSecret, versionId: "version-1" };

/** As on the first day, but a day later: what was kept in memory is too old to be used. */
export async function prepare(invoke: Invoke, state: State): Promise<void> {
  const { table, looker, sealer, first, stored, clock } = broker;
  table.items.clear();
  table.calls.length = 0;
  table.before = undefined;
  table.after = undefined;
  looker.ledger.length = 0;
  looker.live.clear();
  looker.onLogin = () => ({ kind: "token", accessToken: canary.token, expiresInSeconds: 3_600 });
  looker.onLogout = undefined;
  sealer.down = false;
  first.secrets.down = false;
  stored.set(secretId, secret);
  clock.jump(day);
  if (state === "empty") return;
  await invoke("issue-token", apiEvent());
  await invoke("issue-token", apiEvent({ body: { session: "job" } }));
  await invoke("issue-token", apiEvent({ identity: bystander }));
  // Long enough for a lease to be reported as stale; or past its end.
  clock.jump(state === "due" ? 1_000_000 : 60_000);
  if (state === "frozen") {
    looker.onLogout = () => "unconfirmed";
    const freeze = {
      method: "PUT",
      resource: resources.freeze,
      identity: oncall,
      body: { reason: "incident 7" },
    };
    await invoke("operate", apiEvent(freeze));
    looker.onLogout = undefined;
    clock.jump(60_000);
  }
}

/** Whose row nobody changes. */
const bystanderId = "AROABYSTANDER0000000";
const bystander = roleIdentity("report-bystander", { uniqueId: bystanderId });

export function changeRows(changes: readonly Change[]): void {
  if (changes.length === 0) return;
  for (const [name, item] of broker.table.items)
    if (!name.includes(bystanderId))
      broker.table.items.set(name, changed(item, changes, ["pk", "sk"]) as Item);
}

/** Logged out, if there is something to be logged out. */
export function bystanderIsSwept(): boolean {
  const row = [...broker.table.items].find(([name]) => name.includes(bystanderId))?.[1];
  return row === undefined || (row.lease === undefined && (row.outbox as unknown[]).length === 0);
}

export const faults = [
  "no answer from the table",
  "a write whose answer is lost",
  "no answer from KMS",
  "no answer from Secrets Manager",
  "no such secret",
  "a login rejected",
  "a login throttled",
  "a login without an end",
  "a login that is an error",
  "a logout without an end",
] as const;
export type Fault = (typeof faults)[number];

export function makeFault(fault: Fault | undefined): void {
  const { table, looker, sealer, first, stored } = broker;
  const unavailable = () => {
    throw new Unavailable("dynamodb");
  };
  switch (fault) {
    case "no answer from the table":
      table.before = unavailable;
      break;
    case "a write whose answer is lost":
      table.after = (operation) => (operation === "write" ? unavailable() : undefined);
      break;
    case "no answer from KMS":
      sealer.down = true;
      break;
    case "no answer from Secrets Manager":
      first.secrets.down = true;
      break;
    case "no such secret":
      stored.set(secretId, "not_found");
      break;
    case "a login rejected":
      looker.onLogin = () => ({ kind: "rejected" });
      break;
    case "a login throttled":
      looker.onLogin = () => ({ kind: "throttled", retryAfterSeconds: 999_999 });
      break;
    case "a login without an end":
      looker.onLogin = () => ({ kind: "unknown", reason: "timeout" });
      break;
    case "a login that is an error":
      looker.onLogin = () => ({ kind: "failed", reason: "status_500" });
      break;
    case "a logout without an end":
      looker.onLogout = () => "unconfirmed";
      break;
  }
}
