/** `looker-token logout`: a caller ends its own leases. */
import { brokerOf, scopeOf } from "../broker.ts";
import type { OptionValues } from "../options.ts";
import { exitCodeOf, outcomeLine, outcomeOf, type RevocationCounts } from "../outcome.ts";
import { sessionNameOf } from "../run-session.ts";
import type { Terminal } from "../terminal.ts";

export async function logout(io: Terminal, values: OptionValues): Promise<number> {
  const scope = scopeOf(values);
  const [leaseId, session] = [values["lease-id"], values["session-name"]];
  const body = {
    ...(leaseId === undefined ? {} : { lease_id: leaseId }),
    ...(session === undefined ? {} : { session: sessionNameOf(session, "") }),
  };
  // Not sent again: in the meantime another process of the role may have got a new lease.
  const { revoked, pending }: RevocationCounts = await brokerOf(io, values, {
    may: "call",
    scope,
  }).askOnce({
    method: "POST",
    path: `/scopes/${scope}/logout`,
    body: Object.keys(body).length === 0 ? undefined : body,
  });
  const result = { revoked, pending, expired: 0, gone: 0, unknown: 0 };
  io.print(
    values.json
      ? `${JSON.stringify({ outcome: outcomeOf(result), scope, revoked, pending }, null, 2)}\n`
      : outcomeLine(result, `yours in ${scope}`, io.paint),
  );
  return exitCodeOf(result);
}
