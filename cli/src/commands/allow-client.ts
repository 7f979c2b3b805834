/** `looker-token allow-client`: the way back from `revoke --client-id`. */
import { brokerOf, scopeOf } from "../broker.ts";
import { exitCodes } from "../exit-codes.ts";
import { field } from "../field.ts";
import type { OptionValues } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export async function allowClient(io: Terminal, values: OptionValues): Promise<number> {
  const { "denied-client-id": clientId } = values;
  if (clientId === undefined) throw new UsageError("Which client id? Pass --client-id ID.");
  // The id becomes a part of the path.
  if (!/^(?!\.{1,2}$)[\w.~-]{1,256}$/.test(clientId))
    throw new UsageError("--client-id takes a Looker client id.");
  const scope = scopeOf(values);
  const answer: Allowed = await brokerOf(io, values, { may: "operate", scope }).ask({
    method: "DELETE",
    path: `/scopes/${scope}/denials/${clientId}`,
  });
  if (values.json)
    io.print(`${JSON.stringify({ scopes: [{ scope, client_id: clientId, ...answer }] }, null, 2)}\n`);
  else if (answer.was_denied) io.print(allowedText(io, clientId, scope));
  else
    io.print(
      `${io.paint("yellow", "unchanged")}  client id ${clientId} was not denied. Is it spelt right?\n`,
    );
  return exitCodes.ok;
}

interface Allowed {
  readonly denied: false;
  readonly was_denied: boolean;
}

const allowedText = ({ paint }: Terminal, clientId: string, scope: string) =>
  [
    ...field("allowed", `client id ${clientId}, for all scopes that share the secret of ${scope}.`, (text) =>
      paint("green", text),
    ),
    ...field("", "A caller may be refused for ten more seconds."),
  ].join("");
