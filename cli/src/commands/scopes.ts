/** `looker-token scopes` and `looker-token whoami`: what the broker says about the caller. */
import { parsePermissions, type ScopeGrant } from "@looker-token-broker/client/broker";
import { type Broker, brokerOf } from "../broker.ts";
import { exitCodes } from "../exit-codes.ts";
import { stateOf } from "../listing.ts";
import type { OptionValues } from "../options.ts";
import { permissionsOf } from "../permissions.ts";
import { type ScopeState, stateLines } from "../scope-state.ts";
import { table } from "../table.ts";
import { inEachScope, succeeded } from "../targets.ts";
import type { Terminal } from "../terminal.ts";
import { span } from "../time.ts";

export async function scopes(io: Terminal, values: OptionValues): Promise<number> {
  const broker = brokerOf(io, values, { may: "any" });
  const permissions = await permissionsOf(broker);
  const { grants } = parsePermissions(permissions);
  if (values.json) io.print(`${JSON.stringify({ scopes: permissions.scopes }, null, 2)}\n`);
  else if (grants.length === 0)
    io.note("No scope lists you; `looker-token whoami` shows who you are to the broker.\n");
  else io.print(grantsText(grants, await statesIn(broker, grants), io));
  return exitCodes.ok;
}

export function grantsText(
  grants: readonly ScopeGrant[],
  states: readonly ScopeState[],
  { paint, width }: Pick<Terminal, "paint" | "width">,
): string {
  const frozen = new Set(states.flatMap((each) => (each.frozen ? [each.scope] : [])));
  const rows = grants.map(({ scope, may, leaseSeconds, baseUrl }) => [
    scope,
    may.join(", "),
    span(leaseSeconds),
    ...(frozen.size > 0 ? [frozen.has(scope) ? paint("yellow", "frozen") : "-"] : []),
    baseUrl,
  ]);
  const heads = ["SCOPE", "MAY", "LEASE", ...(frozen.size > 0 ? ["STATE"] : []), "LOOKER"];
  return stateLines(states, paint) + table(heads, rows, paint, { width, keys: 1 });
}

/** The list of scopes is more important than their states, so it does not wait for long. */
const stateWithinMs = 3_000;

/** Of the scopes that the caller operates. Those without an answer are missing: the IAM policy may not allow it. */
async function statesIn(broker: Broker, grants: readonly ScopeGrant[]): Promise<readonly ScopeState[]> {
  const operated = grants.filter(({ may }) => may.includes("operate")).map(({ scope }) => scope);
  const all = await inEachScope(operated, (scope) => stateOf(broker, scope, { timeoutMs: stateWithinMs }));
  return succeeded(all).map(({ value }) => value);
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
