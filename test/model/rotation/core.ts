/** The rotation under test, with the callers' logins: the project's own code, or a mutant's copy. */
import type * as ControlModule from "../../../functions/domain/control.ts";
import type * as RotationModule from "../../../functions/domain/rotation.ts";
import type * as Issue from "../../../functions/use-cases/issue.ts";
import type * as Operate from "../../../functions/use-cases/operate.ts";
import type * as Ports from "../../../functions/use-cases/ports.ts";
import type * as Retire from "../../../functions/use-cases/retire-pairs.ts";
import type * as Rotate from "../../../functions/use-cases/rotate-secret.ts";
import type * as Job from "../../../functions/use-cases/rotation-job.ts";
import type * as Sweep from "../../../functions/use-cases/sweep.ts";

export type RotationCore = typeof ControlModule &
  typeof RotationModule &
  typeof Issue &
  typeof Operate &
  typeof Ports &
  typeof Retire &
  typeof Rotate &
  typeof Job &
  typeof Sweep;

const modules = [
  "domain/control",
  "domain/rotation",
  "use-cases/issue",
  "use-cases/operate",
  "use-cases/ports",
  "use-cases/retire-pairs",
  "use-cases/rotate-secret",
  "use-cases/rotation-job",
  "use-cases/sweep",
];

/** @param functions the folder that holds `domain/` and `use-cases/` */
export async function loadRotation(functions: URL): Promise<RotationCore> {
  const loaded = await Promise.all(
    modules.map((name) => import(/* @vite-ignore */ new URL(`${name}.ts`, functions).href)),
  );
  return Object.assign({}, ...loaded);
}
