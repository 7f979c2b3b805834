/** Mutants of the rotation: each breaks one rule, and must be caught. `npm run test:mutants` tries them. */
import type { Edit } from "../../support/edited-sources.ts";
import { broken } from "./broken.ts";
import { checkRotation, type Verdict } from "./check.ts";
import type { RotationCore } from "./core.ts";
import { killings } from "./killings.ts";
import { plain, type Scenario } from "./run.ts";

/**
 * Some rules are a second line of defence, and break no promise alone. Examples are the search for tokens of an old pair and the
 * announcement of a new version. steps.test.ts tests them.
 */
export const rotationMutants: Record<string, readonly Edit[]> = {
  "a rotation's lock is nobody's": [
    {
      file: "domain/rotation.ts",
      find: 'if (held && now < held.until + clockSkewMs) return { outcome: "held" };',
      replace: "",
    },
  ],
  "a rotation's lock has run out already": [
    { file: "use-cases/rotation-state.ts", find: "until: deadline + invocationEndsMs", replace: "until: 0" },
  ],
  "a rotation's lock never runs out": [
    {
      file: "domain/rotation.ts",
      find: "now < held.until + clockSkewMs",
      replace: "now < Number.POSITIVE_INFINITY",
    },
  ],
  "a step waits for no other run": [
    { file: "use-cases/rotate-secret.ts", find: "work, deadline - stepNeedsMs)", replace: "work)" },
  ],
  "a step that has waited believes the stages of before": [
    {
      file: "use-cases/rotate-secret.ts",
      find: "const { secretArn, isCurrent } = await confirm(ports, request, rotate, found);",
      replace: 'const secretArn = "";',
    },
  ],
  "a killed run's token is not counted": [
    {
      file: "use-cases/rotation-state.ts",
      find: 'if (locking === "taken_over") count(audit, "possible_orphans");',
      replace: "",
    },
  ],
  "a new pair is not written ahead": [
    {
      file: "use-cases/create-pair.ts",
      find: "await note(run, (at) => ({ versionId, userId, replaces: current.clientId, at, before }));",
      replace: "",
    },
  ],
  "what a killed run left stays": [
    {
      file: "use-cases/create-pair.ts",
      find: "for (const pair of left.remove) await remove(run, pair);",
      replace: "",
    },
  ],
  "every new unmarked pair is the broker's own": [
    {
      file: "domain/left-over-pairs.ts",
      find: "createdAt !== undefined && Math.abs(createdAt - at) <= createdWithinMs;",
      replace: "createdAt !== undefined && at > 0;",
    },
  ],
  "a deletion needs no confirmation": [
    {
      file: "use-cases/create-pair.ts",
      find: "if (left.some(({ id }) => id === pair.pairId)) throw error;",
      replace: "",
    },
  ],
  "a pending pair that is gone stays pending": [
    {
      file: "use-cases/create-pair.ts",
      find: 'await ports.versions.moveStage(job.secret.secretId, "AWSPENDING", versionId);',
      replace: "",
    },
  ],
  "a pair of a version that lost its stage is not retired": [
    {
      file: "use-cases/create-pair.ts",
      find: "if (left.retire.length > 0)",
      replace: "if (left.retire.length > 99)",
    },
  ],
  "the old pair is not queued": [
    {
      file: "use-cases/rotate-secret.ts",
      find: "return queued && { ...control, rotation: queued };",
      replace: "return undefined;",
    },
  ],
  "the stages are not looked at": [
    {
      file: "domain/rotation.ts",
      find: "if (!inUse.has(pair.clientId)) return",
      replace: "if (inUse) return",
    },
  ],
  "the denial stays after a rollback": [
    {
      file: "domain/rotation.ts",
      find: 'denied: pair.denied?.by === "operator" ? pair.denied : undefined,',
      replace: "denied: pair.denied,",
    },
  ],
  "an old pair is retired at once": [
    {
      file: "domain/rotation.ts",
      find: "export const rollbackMs = dayMs;",
      replace: "export const rollbackMs = 0;",
    },
  ],
  "an operator's denial hastens nothing": [
    {
      file: "domain/rotation.ts",
      find: 'if (!pair || pair.denied?.by === "operator" || pair.deletedAt !== undefined) return undefined;',
      replace: "if (!pair || pair) return undefined;",
    },
  ],
  "a token of a rotation is let go": [
    {
      file: "use-cases/rotation-login.ts",
      find: 'if (await endToken(ports, job, token)) count(audit, "logouts");\n    else count(audit, "possible_orphans");',
      replace: "",
    },
  ],
  "a login of a rotation is not written ahead": [
    {
      file: "use-cases/rotation-login.ts",
      find: "const plan = planLogin(await table.secretControls.read(secretId), credential, clock.now(), as);",
      replace:
        'const plan = { kind: "log_in", writeAhead: false } as any; void planLogin; void table; void credential;',
    },
  ],
};

/** A person makes a pair just after the first step. */
const besidePeople: Scenario = { ...plain, deeds: [{ after: 1, deed: "somebody makes a pair" }] };

const pairGone: Scenario = { ...plain, deeds: [{ after: 1, deed: "the new pair is deleted" }] };

const deniedSoon: Scenario = { ...plain, deeds: [{ after: 4, deed: "deny the old pair" }] };

const twiceAtOnce: Scenario = { ...plain, secondAfterMs: 5 };

/** Killings first, since most mutants need one. */
export async function catchRotationMutant(
  core: RotationCore,
  options: { runs: number; seed: number },
): Promise<Verdict> {
  let runs = 0;
  const struck = [
    [pairGone, deniedSoon, twiceAtOnce],
    killings(core, [plain, besidePeople], { to: 220 }),
    killings(core, [plain], { kind: "lose" }),
  ];
  for (const scenarios of struck)
    for await (const scenario of scenarios) {
      runs++;
      const wrong = await broken(core, scenario);
      if (wrong.length > 0) return { runs, failure: wrong.join("\n") };
    }
  const wrongAdministrator = { ...plain, settings: { ...plain.settings, administratorWorks: false } };
  const failedLogins = (await broken(core, wrongAdministrator)).filter((rule) =>
    rule.startsWith("two failed"),
  );
  if (failedLogins.length > 0) return { runs, failure: `${failedLogins[0]}\n` };
  const checked = await checkRotation(core, options);
  return { ...checked, runs: runs + checked.runs };
}
