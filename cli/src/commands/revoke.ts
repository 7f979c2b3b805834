/** `looker-token revoke`: an operator ends leases, and is told whether they are dead. */
import { brokerOf } from "../broker.ts";
import { confirm, requireTerminal } from "../confirm.ts";
import { denialQuestion } from "../denial.ts";
import { leasesBefore } from "../end-leases.ts";
import { endAndReport } from "../ending-report.ts";
import { exitCodes } from "../exit-codes.ts";
import { describeFilter, type Filter, filterOf } from "../filter.ts";
import type { OptionValues } from "../options.ts";
import { leases } from "../outcome.ts";
import { type Foreseen, foresee, revocation } from "../revocation.ts";
import {
  inEachScope,
  noteFailures,
  operatorGrant,
  type ScopeResult,
  scopesJson,
  succeeded,
  targetScopes,
} from "../targets.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export async function revoke(io: Terminal, values: OptionValues): Promise<number> {
  const filterAt = filterOf(values);
  const dryRun = values["dry-run"] === true;
  if (dryRun && values.yes) throw new UsageError("--dry-run and --yes: choose one.");
  if (!dryRun && !values.yes) requireTerminal(io);
  const broker = brokerOf(io, values, operatorGrant(values));
  const scopes = await targetScopes(values, broker);
  const before = await leasesBefore(broker, scopes);
  const isWhole = before.size === scopes.length;
  const filter = filterAt(broker.now(), isWhole ? [...before.values()].flat() : undefined);
  if (filter.caller !== undefined && filter.caller !== values.caller && !values.json)
    io.note(`--caller was read as ${filter.caller}.\n`);
  if (!values.yes) {
    const counted = await inEachScope(scopes, (scope) => foresee(broker, scope, filter));
    if (dryRun) return reportCounts(io, values, counted, filter);
    if (!(await confirm(io, question(counted, filter)))) {
      io.note("Nothing was done.\n");
      return exitCodes.notDone;
    }
  }
  return await endAndReport(io, values, { broker, scopes, before, ...revocation(broker, filter) });
}

function question(counted: readonly ScopeResult<Foreseen>[], filter: Filter): string {
  const lines = counted.map((each) =>
    "value" in each
      ? `  ${each.scope}: ${leases(each.value.matched)}`
      : `  ${each.scope}: not counted (${each.failure.code})`,
  );
  return [
    `To be ended (${describeFilter(filter)}):`,
    ...lines,
    ...denialWords(counted, filter),
    "End them?",
  ].join("\n");
}

const denialWords = (counted: readonly ScopeResult<Foreseen>[], filter: Filter): string[] =>
  denialQuestion(
    filter,
    succeeded(counted).map(({ value }) => value.denial),
    counted.map(({ scope }) => scope),
  );

function reportCounts(
  io: Terminal,
  values: OptionValues,
  counted: readonly ScopeResult<Foreseen>[],
  filter: Filter,
): number {
  const known = succeeded(counted);
  const matched = known.reduce((total, { value }) => total + value.matched, 0);
  if (values.json) {
    const scopes = scopesJson(counted, (value) => value);
    io.print(`${JSON.stringify({ filter, matched, scopes }, null, 2)}\n`);
  } else {
    if (counted.length > 1)
      for (const { scope, value } of known) io.print(`  ${scope}: ${leases(value.matched)}\n`);
    const denial = denialWords(counted, filter).map((line) => `${line}\n`);
    if (known.length > 0)
      io.print(`${denial.join("")}${leases(matched)} would be ended (${describeFilter(filter)})\n`);
  }
  return noteFailures(io, values, counted);
}
