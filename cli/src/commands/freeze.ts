/** `looker-token freeze` and `unfreeze`: whether a scope is served at all. */
import { type Broker, brokerOf } from "../broker.ts";
import { confirm, requireTerminal } from "../confirm.ts";
import { endLeases, leasesBefore } from "../end-leases.ts";
import { exitCodes } from "../exit-codes.ts";
import { clockSkewMs, everything } from "../filter.ts";
import { type Frozen, listingOf } from "../listing.ts";
import { LostAnswer } from "../lost-answer.ts";
import type { OptionValues } from "../options.ts";
import { inEachScope, noteFailures, operatorGrant, scopesJson, succeeded, targetScopes } from "../targets.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export async function freeze(io: Terminal, values: OptionValues): Promise<number> {
  const { reason } = values;
  if (reason === undefined)
    throw new UsageError("Why? Pass --reason TEXT: whoever unfreezes the scope will read it.");
  const ask = values["all-scopes"] === true && !values.yes;
  if (ask) requireTerminal(io);
  const broker = brokerOf(io, values, operatorGrant(values));
  const scopes = await targetScopes(values, broker);
  if (ask && !(await confirm(io, `Freeze ${scopes.join(", ")}, and end all their leases?`))) {
    io.note("Nothing was done.\n");
    return exitCodes.notDone;
  }
  const before = await leasesBefore(broker, scopes);
  const begun = broker.now();
  return await endLeases(io, values, {
    ...{ broker, scopes, before, filter: everything },
    begin: (scope, signal) =>
      broker.askOnce({ method: "PUT", path: `/scopes/${scope}/freeze`, body: { reason }, signal }),
    async settle(scope, lost, signal) {
      const frozen = await frozenNow(broker, scope, lost, signal);
      if (frozen?.reason === reason && Date.parse(frozen.at) >= begun - clockSkewMs) return { frozen };
      throw new LostAnswer(
        lost.reason,
        `By its list, ${scope} is ${frozen ? "under another freeze" : "not frozen"}.`,
      );
    },
  });
}

/** By the list. Throws the first failure where that cannot be had. */
async function frozenNow(
  broker: Broker,
  scope: string,
  lost: LostAnswer,
  signal?: AbortSignal,
): Promise<Frozen | undefined> {
  const { frozen } = await listingOf(broker, scope, signal ? { signal } : {}).catch(() => {
    throw lost;
  });
  return frozen;
}

export async function unfreeze(io: Terminal, values: OptionValues): Promise<number> {
  const broker = brokerOf(io, values, operatorGrant(values));
  const all = await inEachScope(await targetScopes(values, broker), (scope) => unfreezeIn(broker, scope));
  if (values.json)
    io.print(`${JSON.stringify({ scopes: scopesJson(all, () => ({ frozen: null })) }, null, 2)}\n`);
  else
    for (const { scope } of succeeded(all))
      io.print(`${io.paint("green", "unfrozen")}  ${scope}; callers get new leases again\n`);
  return noteFailures(io, values, all);
}

async function unfreezeIn(broker: Broker, scope: string): Promise<void> {
  try {
    await broker.askOnce({ method: "DELETE", path: `/scopes/${scope}/freeze` });
  } catch (error) {
    if (!(error instanceof LostAnswer)) throw error;
    // Not sent again: somebody may have frozen it anew.
    if (await frozenNow(broker, scope, error))
      throw new LostAnswer(error.reason, `By its list, ${scope} is still frozen.`);
  }
}
