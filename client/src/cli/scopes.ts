/** `looker-token scopes` and `looker-token whoami`: what the broker says about the caller. */
import { type Broker, brokerOf } from "./broker.ts";
import { exitCodes } from "./exit-codes.ts";
import type { Values } from "./options.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { span } from "./time.ts";

interface Permissions {
  readonly caller: { readonly arn: string; readonly account: string; readonly unique_id: string };
  readonly scopes: readonly {
    readonly scope: string;
    readonly base_url: string;
    readonly lease_seconds: number;
    readonly may: readonly ("token" | "operate")[];
  }[];
}

export const permissionsOf = (broker: Broker, more: { budgetMs?: number } = {}): Promise<Permissions> =>
  broker.ask({ method: "GET", path: "/scopes", ...more });

export async function scopes(io: Terminal, values: Values): Promise<number> {
  const { scopes } = await permissionsOf(brokerOf(values, { may: "any" }));
  if (values.json) io.print(`${JSON.stringify({ scopes }, null, 2)}\n`);
  else if (scopes.length === 0)
    io.note("No scope lists you; `looker-token whoami` shows who you are to the broker.\n");
  else
    io.print(
      table(
        ["SCOPE", "MAY", "LEASE", "LOOKER"],
        scopes.map((each) => [each.scope, each.may.join(", "), span(each.lease_seconds), each.base_url]),
        io.paint,
      ),
    );
  return exitCodes.ok;
}

export async function whoami(io: Terminal, values: Values): Promise<number> {
  const broker = brokerOf(values, { may: "any" });
  const { caller } = await permissionsOf(broker);
  const { endpoint, region } = broker;
  if (values.json) io.print(`${JSON.stringify({ ...caller, endpoint, region }, null, 2)}\n`);
  else
    io.print(
      [
        ["Caller", caller.arn],
        ["Account", caller.account],
        ["Unique id", caller.unique_id],
        ["Broker", `${endpoint} (${region})`],
      ]
        .map(([name = "", value]) => `${io.paint("bold", name.padEnd(9))}  ${value}\n`)
        .join(""),
    );
  return exitCodes.ok;
}
