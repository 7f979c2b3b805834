/** Rotations without success: the reason is told, nothing is left over, and the current version still works. */
import { describe, expect, it } from "vitest";
import { loadRotation } from "./core.ts";
import { judge } from "./judgement.ts";
import { serviceUser } from "./looker-accounts.ts";
import { type Outcome, plain, play, type Scenario } from "./run.ts";
import { versionName, type World } from "./world.ts";

const core = await loadRotation(new URL("../../../functions/", import.meta.url));

const withSettings = (settings: Partial<Scenario["settings"]>): Scenario => ({
  ...plain,
  settings: { ...plain.settings, ...settings },
});

/** Plays it and expects no change. @returns the reasons */
async function failing(scenario: Scenario, prepare: (world: World) => void = () => {}): Promise<string[]> {
  const outcome = await play(core, scenario, false, prepare);
  expect(await stillAsBefore(scenario, outcome)).toEqual([]);
  return [...new Set(outcome.failures)];
}

async function stillAsBefore(scenario: Scenario, outcome: Outcome): Promise<string[]> {
  const { world } = outcome;
  expect(outcome.gaveUp).toBe(true);
  expect(outcome.refusals).toEqual([]);
  expect(world.secret.at("AWSCURRENT")).toBe(versionName(0));
  expect(world.accounts.find(world.first.clientId)).toBe(world.first);
  const expected = ["the rotation never ended", "a rotation was given up", "the first pair is current still"];
  return (await judge(scenario, outcome)).filter((rule) => !expected.includes(rule));
}

describe("a rotation fails", () => {
  it("with an administrator of too few rights", async () => {
    expect(await failing(withSettings({ administratorMay: false }))).toEqual([
      "createSecret: needs_administrator",
    ]);
  });

  it("without an administrator, if the account may not manage its own pairs", async () => {
    expect(await failing(withSettings({ own: true, ownPairs: false }))).toEqual([
      "createSecret: needs_administrator",
    ]);
  });

  it("of an account with as many pairs as Looker allows", async () => {
    expect(await failing(withSettings({ maxPairs: 2 }))).toEqual(["createSecret: too_many_pairs"]);
  });

  it("of an account with more than fifty pairs", async () => {
    const crowd = (world: World) => {
      for (let more = 0; more < 50; more++) world.accounts.create(serviceUser, "others");
    };
    expect(await failing(withSettings({ maxPairs: 1_000 }), crowd)).toEqual(["createSecret: too_many_pairs"]);
  });

  it("with a rejected pair of the administrator, tried once in six minutes", async () => {
    // The rule about failed logins in a row is the judgement's.
    expect(await failing(withSettings({ administratorWorks: false }))).toEqual([
      "createSecret: administrator_rejected",
    ]);
  });

  it("while somebody else's version is pending, and leaves it alone", async () => {
    const foreign = (world: World) => {
      const { clientId, clientSecret } = world.foreign;
      for (const number of [1, 2, 3])
        world.secret.values.set(versionName(number), { clientId, clientSecret });
    };
    expect(await failing(plain, foreign)).toEqual(["createSecret: foreign_pending"]);
  });

  it("of a secret without rotation at Secrets Manager, or with another function", async () => {
    expect(
      await failing(plain, (world) => {
        world.secret.rotationEnabled = false;
      }),
    ).toContain("createSecret: not_rotating");
    expect(
      await failing(plain, (world) => {
        world.secret.functionArn = "arn:aws:lambda:eu-west-1:111122223333:function:another";
      }),
    ).toEqual(["createSecret: foreign_function"]);
  });
});
