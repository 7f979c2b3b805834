/** `next_token`: where a listing goes on. Opaque to callers, and input from outside when it comes back. */

import { Problem } from "../domain/problem.ts";
import { isSessionName } from "../domain/session-budget.ts";
import type { ListPosition } from "../use-cases/operate.ts";

export function writePosition({ partition, after }: ListPosition): string {
  return Buffer.from(JSON.stringify([partition, after ?? null])).toString("base64url");
}

export function readPosition(token: string | undefined): ListPosition {
  if (token === undefined) return { partition: 0, after: undefined };
  try {
    const [partition, after, ...rest] = JSON.parse(
      Buffer.from(token, "base64url").toString("utf8"),
    ) as unknown[];
    const partitionIsRight =
      Number.isInteger(partition) && Number(partition) >= 0 && Number(partition) < 1_000;
    const afterIsRight = after === null || (typeof after === "string" && isSlotName(after));
    if (partitionIsRight && afterIsRight && rest.length === 0)
      return { partition: Number(partition), after: after === null ? undefined : (after as string) };
  } catch {
    // Falls through: not base64, not JSON, not a list.
  }
  throw new Problem("bad_request", { detail: "next_token: must be the next_token of the page before." });
}

/** The name of a row in its partition: a caller's shared slot, or one of its sessions. */
function isSlotName(text: string): boolean {
  const [, session] = /^caller#\d{12}#[A-Z0-9]{1,128}(?:#session#(.+))?$/s.exec(text) ?? [undefined, ""];
  return session === undefined || isSessionName(session);
}
