/** `looker-token freeze` and `unfreeze`: whether a scope is served at all. */
import { brokerOf } from "../broker.ts";
import type { Paint } from "../colour.ts";
import { confirm, requireTerminal } from "../confirm.ts";
import { leasesBefore } from "../end-leases.ts";
import { endAndReport } from "../ending-report.ts";
import { exitCodes } from "../exit-codes.ts";
import { field } from "../field.ts";
import { freezing, unfreezeIn } from "../freezing.ts";
import type { Frozen } from "../listing.ts";
import type { OptionValues } from "../options.ts";
import { inEachScope, noteFailures, operatorGrant, scopesJson, succeeded, targetScopes } from "../targets.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export async function freeze(io: Terminal, values: OptionValues): Promise<number> {
  const { reason } = values;
  if (reason === undefined)
    throw new UsageError("Why? Pass --reason TEXT: the operator who unfreezes the scope will read it.");
  const ask = values["all-scopes"] === true && !values.yes;
  if (ask) requireTerminal(io);
  const broker = brokerOf(io, values, operatorGrant(values));
  const scopes = await targetScopes(values, broker);
  if (ask && !(await confirm(io, `Freeze ${scopes.join(", ")}, and end all their leases?`))) {
    io.note("Nothing was done.\n");
    return exitCodes.notDone;
  }
  const before = await leasesBefore(broker, scopes);
  return await endAndReport(io, values, { broker, scopes, before, ...freezing(broker, reason) });
}

export async function unfreeze(io: Terminal, values: OptionValues): Promise<number> {
  const broker = brokerOf(io, values, operatorGrant(values));
  const all = await inEachScope(await targetScopes(values, broker), (scope) => unfreezeIn(broker, scope));
  if (values.json) io.print(`${JSON.stringify({ scopes: scopesJson(all, unfrozenJson) }, null, 2)}\n`);
  else for (const { scope, value } of succeeded(all)) io.print(unfrozenText(scope, value, io.paint));
  return noteFailures(io, values, all);
}

const unfrozenJson = (was: Frozen | null | undefined) => ({
  frozen: null,
  ...(was === undefined ? {} : { was }),
});

function unfrozenText(scope: string, was: Frozen | null | undefined, paint: Paint): string {
  if (was === null) return `${paint("dim", "unchanged")}  ${scope} was not frozen\n`;
  const done = `${paint("green", "unfrozen")}  ${scope}; callers get new leases again\n`;
  return was ? `${done}${field("", `frozen by ${was.by} at ${was.at}: ${was.reason}`).join("")}` : done;
}
