/** The scopes that an operator's command is for: one, or all that the operator operates. */

import { parsePermissions, TokenBrokerError } from "@looker-token-broker/client/broker";
import { type Broker, scopeOf } from "./broker.ts";
import type { RequiredGrant } from "./broker-file.ts";
import { exitCodes } from "./exit-codes.ts";
import { errorOf, type Failure, failureOf, noteFailure } from "./failure.ts";
import type { OptionValues } from "./options.ts";
import { permissionsOf } from "./permissions.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export function operatorGrant(values: OptionValues): RequiredGrant {
  return { may: "operate", scope: values["all-scopes"] ? undefined : scopeOf(values) };
}

export async function targetScopes(values: OptionValues, broker: Broker): Promise<string[]> {
  if (!values["all-scopes"]) return [scopeOf(values)];
  if (values.scope !== undefined) throw new UsageError("--scope and --all-scopes: choose one.");
  return await operatedScopes(broker);
}

export async function operatedScopes(broker: Broker): Promise<string[]> {
  const { grants } = parsePermissions(await permissionsOf(broker));
  const operated = grants.filter(({ may }) => may.includes("operate")).map(({ scope }) => scope);
  if (operated.length === 0) throw operatesNothing();
  return operated;
}

export const operatesNothing = () =>
  new TokenBrokerError("not_allowed", "No scope lists you as an operator.");

export type ScopeResult<T> = { scope: string; value: T } | { scope: string; failure: Failure };

/** All at once; what fails in one scope stops none of the others. */
export async function inEachScope<T>(
  scopes: readonly string[],
  work: (scope: string) => Promise<T>,
): Promise<ScopeResult<T>[]> {
  return await Promise.all(
    scopes.map(async (scope) => {
      try {
        return { scope, value: await work(scope) };
      } catch (error) {
        return { scope, failure: failureOf(error) };
      }
    }),
  );
}

export function succeeded<T>(all: readonly ScopeResult<T>[]): { scope: string; value: T }[] {
  return all.flatMap((each) => ("value" in each ? [each] : []));
}

export function failed<T>(all: readonly ScopeResult<T>[]): { scope: string; failure: Failure }[] {
  return all.flatMap((each) => ("failure" in each ? [each] : []));
}

/** `scopes` of the JSON, of one scope as of several: what there is to say of each, or its error. */
export function scopesJson<T>(
  all: readonly ScopeResult<T>[],
  tell: (value: T, scope: string) => object,
  ofFailed: object = {},
): object[] {
  return all.map((each) => ({
    scope: each.scope,
    ...("value" in each ? tell(each.value, each.scope) : { ...ofFailed, error: errorOf(each.failure) }),
  }));
}

/** Tells what failed where. @returns the exit code: that of the first failure, if there is one. */
export function noteFailures<T>(io: Terminal, values: OptionValues, all: readonly ScopeResult<T>[]): number {
  const failures = failed(all);
  for (const { scope, failure } of failures)
    noteFailure(io, values, all.length > 1 || values.json ? { ...failure, scope } : failure);
  return failures[0]?.failure.exitCode ?? exitCodes.ok;
}
