/** The core under test: the project's own, or a mutant's copy of it. */
import type * as Issue from "../../functions/core/issue.ts";
import type * as LogOut from "../../functions/core/log-out.ts";
import type * as Operate from "../../functions/core/operate.ts";
import type * as Ports from "../../functions/core/ports.ts";
import type * as SlotModule from "../../functions/core/slot.ts";
import type * as Sweep from "../../functions/core/sweep.ts";

export type Core = typeof Issue &
  typeof LogOut &
  typeof Operate &
  typeof Ports &
  typeof SlotModule &
  typeof Sweep;

export async function loadCore(directory: URL): Promise<Core> {
  const modules = await Promise.all(
    ["issue", "log-out", "operate", "ports", "slot", "sweep"].map(
      (name) => import(/* @vite-ignore */ new URL(`${name}.ts`, directory).href),
    ),
  );
  return Object.assign({}, ...modules);
}
