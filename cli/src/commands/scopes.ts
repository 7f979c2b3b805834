/** `looker-token scopes` and `looker-token whoami`: what the broker says about the caller. */
import { parsePermissions } from "@looker-token-broker/client/broker";
import { brokerOf } from "../broker.ts";
import { exitCodes } from "../exit-codes.ts";
import type { OptionValues } from "../options.ts";
import { permissionsOf } from "../permissions.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { span } from "../time.ts";

export async function scopes(io: Terminal, values: OptionValues): Promise<number> {
  const permissions = await permissionsOf(brokerOf(io, values, { may: "any" }));
  const { grants } = parsePermissions(permissions);
  if (values.json) io.print(`${JSON.stringify({ scopes: permissions.scopes }, null, 2)}\n`);
  else if (grants.length === 0)
    io.note("No scope lists you; `looker-token whoami` shows who you are to the broker.\n");
  else
    io.print(
      table(
        ["SCOPE", "MAY", "LEASE", "LOOKER"],
        grants.map((each) => [each.scope, each.may.join(", "), span(each.leaseSeconds), each.baseUrl]),
        io.paint,
      ),
    );
  return exitCodes.ok;
}

export async function whoami(io: Terminal, values: OptionValues): Promise<number> {
  const broker = brokerOf(io, values, { may: "any" });
  const permissions = await permissionsOf(broker);
  const { arn, account, uniqueId } = parsePermissions(permissions).caller;
  const { endpoint, region } = broker;
  if (values.json) io.print(`${JSON.stringify({ ...permissions.caller, endpoint, region }, null, 2)}\n`);
  else
    io.print(
      [
        ["Caller", arn],
        ["Account", account],
        ["Unique id", uniqueId],
        ["Broker", `${endpoint} (${region})`],
      ]
        .map(([name = "", value]) => `${io.paint("bold", name.padEnd(9))}  ${value}\n`)
        .join(""),
    );
  return exitCodes.ok;
}
