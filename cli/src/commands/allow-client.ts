/** `looker-token allow-client`: the way back from `revoke --client-id`. */
import { brokerOf, scopeOf } from "../broker.ts";
import { exitCodes } from "../exit-codes.ts";
import type { OptionValues } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export async function allowClient(io: Terminal, values: OptionValues): Promise<number> {
  const { "denied-client-id": clientId } = values;
  if (clientId === undefined) throw new UsageError("Which client id? Pass --client-id ID.");
  // The id becomes a part of the path.
  if (!/^[\w.~-]{1,256}$/.test(clientId)) throw new UsageError("--client-id takes a Looker client id.");
  const scope = scopeOf(values);
  await brokerOf(io, values, { may: "operate", scope }).ask({
    method: "DELETE",
    path: `/scopes/${scope}/denials/${clientId}`,
  });
  io.print(
    values.json
      ? `${JSON.stringify({ scopes: [{ scope, client_id: clientId, denied: false }] }, null, 2)}\n`
      : `${io.paint("green", "allowed")}  client id ${clientId}, for all scopes that share the secret of ${scope}. A caller may be refused for ten more seconds\n`,
  );
  return exitCodes.ok;
}
