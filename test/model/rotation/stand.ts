/** One world whose functions a test invokes by hand, one after the other. */
import type { AuditFields, RotationStep } from "../../../functions/use-cases/record.ts";
import type { RotationCore } from "./core.ts";
import { portsFor } from "./ports.ts";
import { plain } from "./run.ts";
import { broker, functionArn, secretName, versionName, World, type WorldSettings } from "./world.ts";

const timeoutMs = 117_000;

export function stand(core: RotationCore, settings: Partial<WorldSettings> = {}) {
  const world = new World(
    core,
    { ...plain.settings, ...settings },
    { order: [0], strikes: [], telling: false },
  );
  const { simulation, secret } = world;
  const secrets = new Map([[secretName, world.rotating]]);

  /** @returns what is recorded, and the failure's message */
  async function invoked(work: (audit: AuditFields) => Promise<unknown>) {
    const audit: AuditFields = {};
    const end = work(audit).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    await simulation.run();
    return { audit, failure: await end, note: audit.rotations?.[0] };
  }

  return {
    world,
    /** Begins a rotation. */
    begin: (number = 1) => secret.begin(versionName(number)),
    step: (step: RotationStep, version = versionName(1)) =>
      invoked((audit) =>
        core.rotateSecret(
          portsFor(world, world.instance(step)),
          { step, secretId: secret.arn, versionId: version },
          { broker, functionArn, secrets, deadline: simulation.now + timeoutMs, audit },
        ),
      ),
    retire: () =>
      invoked((audit) =>
        core.retirePairs(portsFor(world, world.instance("retire")), {
          ...{ secrets: secrets.values(), deadline: simulation.now + timeoutMs, audit },
        }),
      ),
    pass: (minutes: number) => {
      simulation.now += minutes * 60_000;
    },
    async rotation() {
      return (await world.control()).rotation ?? core.noRotation;
    },
  };
}
