/** `looker-token revoke`: an operator ends leases, and is told whether they are dead. */
import { type Broker, brokerOf } from "../broker.ts";
import { confirm, refuseWithoutTerminal } from "../confirm.ts";
import { endLeases, leasesBefore } from "../end-leases.ts";
import { exitCodes } from "../exit-codes.ts";
import { denies, described, type Filter, filterOf } from "../filter.ts";
import type { Values } from "../options.ts";
import { leases } from "../outcome.ts";
import {
  inEach,
  noteFailures,
  operatorsNeed,
  type Settled,
  scopesJson,
  succeeded,
  targetsOf,
} from "../targets.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export async function revoke(io: Terminal, values: Values): Promise<number> {
  const filterAt = filterOf(values);
  const dryRun = values["dry-run"] === true;
  if (dryRun && values.yes) throw new UsageError("--dry-run and --yes: choose one.");
  if (!dryRun && !values.yes) refuseWithoutTerminal(io);
  const broker = brokerOf(values, operatorsNeed(values));
  const scopes = await targetsOf(values, broker);
  const before = await leasesBefore(broker, scopes);
  const filter = filterAt(broker.now());
  if (!values.yes) {
    const counted = await inEach(scopes, (scope) => countOf(broker, scope, filter));
    if (dryRun) return tell(io, values, counted, filter);
    if (!(await confirm(io, question(counted, filter)))) {
      io.note("Nothing was done.\n");
      return exitCodes.notDone;
    }
  }
  const request = (scope: string, signal: AbortSignal) =>
    ({ method: "DELETE", path: `/scopes/${scope}/leases`, query: { ...filter }, signal }) as const;
  return await endLeases(io, values, {
    ...{ broker, scopes, before, filter },
    begin: (scope, signal) => broker.askOnce(request(scope, signal)),
    async settle(scope, _, signal) {
      // Whether a client id is denied is in no list. Once it is, no lease begins by it: asked twice, nothing more is ended.
      if (denies(filter)) await broker.ask(request(scope, signal));
      return {};
    },
  });
}

async function countOf(broker: Broker, scope: string, filter: Filter): Promise<number> {
  const { matched }: { matched: number } = await broker.ask({
    method: "DELETE",
    path: `/scopes/${scope}/leases`,
    query: { ...filter, dry_run: "true" },
  });
  return matched;
}

function question(counted: readonly Settled<number>[], filter: Filter): string {
  const lines = counted.map((each) =>
    "value" in each
      ? `  ${each.scope}: ${leases(each.value)}`
      : `  ${each.scope}: not counted (${each.failure.code})`,
  );
  return [
    `To be ended (${described(filter)}):`,
    ...lines,
    ...(denies(filter) ? ["No new login will be made with this client id."] : []),
    "End them?",
  ].join("\n");
}

function tell(io: Terminal, values: Values, counted: readonly Settled<number>[], filter: Filter): number {
  const known = succeeded(counted);
  const matched = known.reduce((total, { value }) => total + value, 0);
  if (values.json) {
    const scopes = scopesJson(counted, (value) => ({ matched: value }));
    io.print(`${JSON.stringify({ matched, scopes }, null, 2)}\n`);
  } else {
    if (counted.length > 1) for (const { scope, value } of known) io.print(`  ${scope}: ${leases(value)}\n`);
    if (known.length > 0) io.print(`${leases(matched)} would be ended (${described(filter)})\n`);
  }
  return noteFailures(io, values, counted);
}
