/** `looker-token freeze` and `unfreeze`: whether a scope is served at all. */
import { brokerOf } from "./broker.ts";
import { confirm, refuseWithoutTerminal } from "./confirm.ts";
import { endLeases } from "./end-leases.ts";
import { exitCodes } from "./exit-codes.ts";
import { everything } from "./filter.ts";
import type { Values } from "./options.ts";
import { inEach, noteFailures, operatorsNeed, succeeded, targetsOf } from "./targets.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export async function freeze(io: Terminal, values: Values): Promise<number> {
  const { reason } = values;
  if (reason === undefined)
    throw new UsageError("Why? Pass --reason TEXT: whoever unfreezes the scope will read it.");
  const ask = values["all-scopes"] === true && !values.yes;
  if (ask) refuseWithoutTerminal(io);
  const broker = brokerOf(values, operatorsNeed(values));
  const scopes = await targetsOf(values, broker);
  if (ask && !(await confirm(io, `Freeze ${scopes.join(", ")}, and end all their leases?`))) {
    io.note("Nothing was done.\n");
    return exitCodes.notDone;
  }
  return await endLeases(io, values, {
    broker,
    scopes,
    filter: everything,
    begin: (scope, signal) =>
      broker.ask({ method: "PUT", path: `/scopes/${scope}/freeze`, body: { reason }, signal }),
  });
}

export async function unfreeze(io: Terminal, values: Values): Promise<number> {
  const broker = brokerOf(values, operatorsNeed(values));
  const all = await inEach(await targetsOf(values, broker), (scope) =>
    broker.ask({ method: "DELETE", path: `/scopes/${scope}/freeze` }),
  );
  const thawed = succeeded(all).map(({ scope }) => scope);
  if (values.json)
    io.print(`${JSON.stringify({ scopes: thawed.map((scope) => ({ scope, frozen: null })) }, null, 2)}\n`);
  else
    for (const scope of thawed)
      io.print(`${io.paint("green", "unfrozen")}  ${scope}; callers get new leases again\n`);
  return noteFailures(io, values, all);
}
