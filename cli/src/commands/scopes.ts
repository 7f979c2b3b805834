/** `looker-token scopes` and `looker-token whoami`: what the broker says about the caller. */
import { parsePermissions, type ScopeGrant } from "@looker-token-broker/client/broker";
import { accountOf, findingCount, openFindings } from "../account.ts";
import { type Broker, brokerOf } from "../broker.ts";
import type { Paint } from "../colour.ts";
import { exitCodes } from "../exit-codes.ts";
import type { OptionValues } from "../options.ts";
import { permissionsOf } from "../permissions.ts";
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
  else io.print(grantsText(grants, await openFindingsIn(broker, grants), io.paint));
  return exitCodes.ok;
}

function grantsText(grants: readonly ScopeGrant[], found: ReadonlyMap<string, number>, paint: Paint): string {
  const hasFindings = [...found.values()].some((count) => count > 0);
  const wordFor = (scope: string) => {
    const count = found.get(scope) ?? 0;
    return count > 0 ? paint("yellow", findingCount(count)) : "-";
  };
  return table(
    ["SCOPE", "MAY", "LEASE", "LOOKER", ...(hasFindings ? ["ACCOUNT"] : [])],
    grants.map(({ scope, may, leaseSeconds, baseUrl }) => [
      ...[scope, may.join(", "), span(leaseSeconds), baseUrl],
      ...(hasFindings ? [wordFor(scope)] : []),
    ]),
    paint,
  );
}

/** The list of scopes is more important than this column, so it does not wait for long. */
const findingsWithinMs = 3_000;

/** By scope. Those without an answer are missing: the IAM policy may not allow it, or an older broker has no such route. */
async function openFindingsIn(
  broker: Broker,
  grants: readonly ScopeGrant[],
): Promise<ReadonlyMap<string, number>> {
  const operated = grants.filter(({ may }) => may.includes("operate")).map(({ scope }) => scope);
  const all = await inEachScope(operated, (scope) =>
    accountOf(broker, scope, { timeoutMs: findingsWithinMs }),
  );
  return new Map(succeeded(all).map(({ scope, value }) => [scope, openFindings(value).length]));
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
