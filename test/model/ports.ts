/** All that an instance is given of the world. */
import type { MintPorts } from "../../functions/use-cases/mint-job.ts";
import type { Sealer } from "../../functions/use-cases/ports.ts";
import type { OperatePorts } from "../../functions/use-cases/revoke-slots.ts";
import { lookerFor } from "./looker.ts";
import { secretsFor } from "./secrets.ts";
import type { Instance } from "./simulation.ts";
import { tableFor } from "./table.ts";
import type { Holder, World } from "./world.ts";

/** @param holder whose tokens its logins make */
export function portsFor(
  world: World,
  instance: Instance,
  { holder, secretAgeMs = 0 }: { holder?: Holder; secretAgeMs?: number } = {},
): OperatePorts & MintPorts {
  const { simulation } = world;
  return {
    clock: {
      now: () => simulation.timeAt(instance),
      sleep: (milliseconds) => simulation.wait(instance, "sleeps", milliseconds),
    },
    ids: { next: () => world.newId(instance) },
    table: tableFor(world, instance),
    looker: lookerFor(world, instance, holder),
    sealer: sealerFor(world, instance),
    secrets: secretsFor(world, instance, secretAgeMs),
  };
}

function sealerFor(world: World, instance: Instance): Sealer {
  return {
    seal: async (token, context) => {
      const sealed = await world.ask(instance, "kms", { label: "seals" }, () => world.seal(token, context));
      const made = world.byToken.get(token);
      if (made) made.leaseId = context.lease_id;
      return sealed;
    },
    unseal: (sealed, context) =>
      world.ask(instance, "kms", { label: "unseals" }, () => world.unseal(sealed, context)),
  };
}
