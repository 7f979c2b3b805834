/** A caller ends its own leases: one of them, those of a session, or all. First the fence, then the logouts. */

import type { LogOutPorts, LogoutCounts } from "./end-tokens.ts";
import { type CallerKey, type KeyedSlot, type SlotKey, type SlotTable, Unreadable } from "./ports.ts";
import { type AuditFields, noteNamed } from "./record.ts";
import { endFenced, fenceEach } from "./revoke-slots.ts";

export interface LogOutJob {
  /** With a session, the slot of this session. Without one, the caller's shared slot and all its sessions. */
  readonly key: SlotKey;
  readonly leaseId?: string | undefined;
  /** Epoch milliseconds: the invocation must have answered by then. */
  readonly deadline: number;
  readonly audit: AuditFields;
}

/**
 * @throws {Unreadable} once all else is ended, if an unreadable row may hold a lease of this request. The row is not fenced, so
 * nothing may be promised of it
 */
export async function logOut(ports: LogOutPorts, job: LogOutJob): Promise<LogoutCounts> {
  const { key, leaseId, audit } = job;
  noteNamed(audit, "lease_id", leaseId);
  let unreadable = false;
  const onUnreadable = () => {
    unreadable = true;
  };
  const slots =
    key.session === undefined ? ownSlots(ports.table, key, onUnreadable) : ownSession(ports.table, key);
  const fenced = await fenceEach(ports, slots, { leaseId }, job);
  const revoked = await endFenced(ports, fenced.slots, job);
  const pending = fenced.matched - revoked;
  Object.assign(audit, { revoked, pending });
  // The record counts the thrown error.
  const isFound = leaseId !== undefined && fenced.matched > 0;
  if (unreadable && !isFound) throw new Unreadable();
  audit.outcome = "revoked";
  return { revoked, pending };
}

async function* ownSlots(
  table: SlotTable,
  caller: CallerKey,
  onUnreadable: () => void,
): AsyncGenerator<KeyedSlot> {
  let after: string | undefined;
  do {
    const page = await table.queryOwnSlots(caller, after);
    if (page.unreadable > 0) onUnreadable();
    yield* page.entries;
    after = page.next;
  } while (after !== undefined);
}

async function* ownSession(table: SlotTable, key: SlotKey): AsyncGenerator<KeyedSlot> {
  yield { key, slot: await table.slots.read(key) };
}
