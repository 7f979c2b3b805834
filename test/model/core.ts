/** The protocol under test: the project's own, or a mutant's copy of it. */

import type * as ControlModule from "../../functions/domain/control.ts";
import type * as LeaseModule from "../../functions/domain/lease.ts";
import type * as SessionBudgetModule from "../../functions/domain/session-budget.ts";
import type * as SlotModule from "../../functions/domain/slot.ts";
import type * as Denials from "../../functions/use-cases/denials.ts";
import type * as Issue from "../../functions/use-cases/issue.ts";
import type * as LogOut from "../../functions/use-cases/log-out.ts";
import type * as Operate from "../../functions/use-cases/operate.ts";
import type * as Ports from "../../functions/use-cases/ports.ts";
import type * as Sweep from "../../functions/use-cases/sweep.ts";

export type Core = typeof ControlModule &
  typeof Denials &
  typeof Issue &
  typeof LeaseModule &
  typeof LogOut &
  typeof Operate &
  typeof Ports &
  typeof SessionBudgetModule &
  typeof SlotModule &
  typeof Sweep;

/** The folders that hold the protocol: a mutant is a copy of both. */
export const protocolFolders = ["domain", "use-cases"] as const;

const modules = [
  "domain/control",
  "domain/lease",
  "domain/session-budget",
  "domain/slot",
  "use-cases/denials",
  "use-cases/issue",
  "use-cases/log-out",
  "use-cases/operate",
  "use-cases/ports",
  "use-cases/sweep",
];

/** @param functions the folder that holds {@link protocolFolders}. */
export async function loadCore(functions: URL): Promise<Core> {
  const loaded = await Promise.all(
    modules.map((name) => import(/* @vite-ignore */ new URL(`${name}.ts`, functions).href)),
  );
  return Object.assign({}, ...loaded);
}
