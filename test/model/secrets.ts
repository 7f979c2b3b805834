/** Secrets Manager, behind each instance's copy. */
import type { ClientSecrets } from "../../functions/use-cases/ports.ts";
import { clientIdOf } from "./configurations.ts";
import type { Instance } from "./simulation.ts";
import type { World } from "./world.ts";

/** As the adapter: a copy is not read again before this. */
const rereadAfterMs = 10_000;

/** @param ageMs of the instance's copy */
export function secretsFor(world: World, instance: Instance, ageMs: number): ClientSecrets {
  const { simulation } = world;
  const readAt = simulation.now - ageMs;
  const secretAsOf = (secretId: string, at: number) => {
    const versionId = clientIdOf(secretId, world.versionOf(secretId, at));
    return { clientId: versionId, clientSecret: "secret", versionId, readAt: at + instance.skewMs };
  };
  const read = (secretId: string) =>
    world.ask(instance, "secretsmanager", { label: "reads the secret" }, () =>
      secretAsOf(secretId, simulation.now),
    );
  return {
    current: async (secretId) => (ageMs > 0 ? secretAsOf(secretId, readAt) : await read(secretId)),
    reread: async (secretId, outdatedAt) =>
      ageMs > 0 && ageMs < rereadAfterMs && outdatedAt === undefined
        ? secretAsOf(secretId, readAt)
        : await read(secretId),
  };
}
