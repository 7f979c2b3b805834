/** `looker-token logout`: a caller ends its own leases. */
import { brokerOf, scopeOf } from "../broker.ts";
import type { Values } from "../options.ts";
import { exitCodeOf, outcomeLine, outcomeOf } from "../outcome.ts";
import type { Terminal } from "../terminal.ts";

export async function logout(io: Terminal, values: Values): Promise<number> {
  const scope = scopeOf(values);
  const leaseId = values["lease-id"];
  // Not sent again: in the meantime another process of the role may have got a new lease.
  const { revoked, pending }: { revoked: number; pending: number } = await brokerOf(values, {
    may: "call",
    scope,
  }).askOnce({
    method: "POST",
    path: `/scopes/${scope}/logout`,
    body: leaseId === undefined ? undefined : { lease_id: leaseId },
  });
  const ending = { revoked, pending, expired: 0, gone: 0, unknown: 0 };
  io.print(
    values.json
      ? `${JSON.stringify({ outcome: outcomeOf(ending), scope, revoked, pending }, null, 2)}\n`
      : outcomeLine(ending, `yours in ${scope}`, io.paint),
  );
  return exitCodeOf(ending);
}
