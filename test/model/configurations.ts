/** The scopes, in the one or two configurations that live side by side, and the callers with their names. */
import type { Scope } from "../../functions/domain/scope.ts";
import type { SlotKey } from "../../functions/use-cases/ports.ts";
import type { Scenario, ScopeName } from "./scenario.ts";

const account = "111122223333";
const host = "https://looker.example";
const secondHost = "https://looker-next.example";
export const leaseMs = 900_000;

export type Configurations = Readonly<Record<ScopeName, readonly [Scope, ...Scope[]]>>;

export function configurationsOf({
  secondConfiguration,
  mintsPerTenMinutes,
  sessionMintsPerTenMinutes,
}: Scenario): Configurations {
  const scope = (name: ScopeName, secretId: string, baseUrl = host): Scope => ({
    name,
    baseUrl,
    secretId,
    callers: [],
    operators: [],
    leaseSeconds: leaseMs / 1_000,
    mintsPerTenMinutes,
    sessionMintsPerTenMinutes,
  });
  const first = scope("sales", "looker/shared");
  return {
    sales:
      secondConfiguration === "none"
        ? [first]
        : secondConfiguration === "url"
          ? [first, scope("sales", "looker/shared", secondHost)]
          : [first, scope("sales", "looker/next")],
    support: [scope("support", "looker/shared")],
    finance: [scope("finance", "looker/finance")],
  };
}

/** @param session 0: the slot that the caller's processes share */
export const keyOf = (scope: ScopeName, caller: number, session = 0): SlotKey => ({
  scope,
  account,
  uniqueId: `CALLER${caller}`,
  ...(session > 0 && { session: `session-${session}` }),
});

/** The second caller is renamed to what the first was called before. */
const namesOf = [
  ["anna", "anna-b"],
  ["job", "anna"],
];

export const arnOf = (caller: number, name: number): string =>
  `arn:aws:iam::${account}:user/${namesOf[caller]?.[name] ?? `user-${caller}`}`;

/** Names a version of a secret, and stands for its client id. */
export const clientIdOf = (secretId: string, version: number): string => `${secretId}-v${version}`;
