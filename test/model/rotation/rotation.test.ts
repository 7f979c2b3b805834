import { describe, expect, it } from "vitest";
import { broken } from "./broken.ts";
import { checkRotation } from "./check.ts";
import { loadRotation } from "./core.ts";
import { killings } from "./killings.ts";
import { type Deed, plain, play, type Scenario } from "./run.ts";
import { versionName } from "./world.ts";

const core = await loadRotation(new URL("../../../functions/", import.meta.url));
/** Anew each time: over many runs each killing has its turn. `npm run test:model -- --rotation` does all of them. */
const seed = (Math.random() * 2 ** 31) | 0;

const own: Scenario = {
  ...plain,
  settings: {
    ...plain.settings,
    own: true,
    twoScopes: true,
    endsTokens: false,
    logsOutOrphans: false,
  },
};

describe("a rotation ends with one new pair", () => {
  it.each<[string, Scenario]>([
    ["by an administrator", plain],
    [
      "by the account itself, of a secret of two scopes, at a Looker that lets tokens outlive their pair",
      own,
    ],
    ["with every invocation twice at once", { ...plain, secondAfterMs: 30 }],
    ["with one retirement run a day", { ...plain, retireEveryMinutes: 24 * 60 }],
  ])("%s", async (_, scenario) => {
    expect(await broken(core, scenario)).toEqual([]);
  });

  it("killed before and after its calls, and run again", { timeout: 120_000 }, async () => {
    for await (const scenario of killings(core, [plain, own], { every: 40, from: seed % 40 }))
      expect(await broken(core, scenario)).toEqual([]);
  });

  it("in any order of calls, with answers lost, and with deeds of people", { timeout: 120_000 }, async () => {
    const { failure } = await checkRotation(core, { runs: 40, seed });
    expect(failure).toBeUndefined();
  });

  it.each([0, 1, 2, 3, 4])("with Looker away after %i steps", async (after) => {
    expect(await broken(core, { ...plain, deeds: [{ after, deed: "Looker is away" }] })).toEqual([]);
  });
});

describe("people", () => {
  const deeds = (...done: [number, Deed][]): Scenario => ({
    ...plain,
    deeds: done.map(([after, deed]) => ({ after, deed })),
  });
  const timeOf = (minutes: number) => minutes * 60_000;

  it("a pair denied by an operator is deleted within minutes", async () => {
    const scenario = deeds([4, "deny the old pair"]);
    expect(await broken(core, scenario)).toEqual([]);
    const { world } = await play(core, scenario);
    const [{ pair, at } = { pair: undefined, at: 0 }] = world.accounts.deleted;
    expect(pair).toBe(world.first);
    const waited = at - (world.replacedAt.get(world.first.clientId) ?? 0);
    expect(waited).toBeGreaterThanOrEqual(timeOf(5));
    expect(waited).toBeLessThan(timeOf(15));
  });

  it("a current pair, denied, is replaced and deleted", async () => {
    for (const scenario of [deeds([1, "deny the old pair"]), { ...own, ...deeds([1, "deny the old pair"]) }])
      expect(await broken(core, { ...scenario, settings: own.settings })).toEqual([]);
  });

  it("a rollback makes the old pair current again, and it stays", async () => {
    // Within the day, and after the pair was denied.
    for (const after of [6, 9, 10]) {
      const scenario = deeds([after, "roll back"]);
      expect(await broken(core, scenario)).toEqual([]);
      const { world } = await play(core, scenario);
      expect(world.secret.at("AWSCURRENT")).toBe(versionName(0));
      expect(world.accounts.find(world.first.clientId)).toBe(world.first);
      const { rotation } = await world.control();
      expect(rotation?.retiring.flatMap(({ denied }) => denied ?? [])).toEqual([]);
    }
  });

  it("a pending pair deleted by somebody is given up, and the next rotation works", async () => {
    const scenario = deeds([1, "the new pair is deleted"]);
    expect(await broken(core, scenario)).toEqual([]);
    const { failures } = await play(core, scenario);
    expect(failures).toContain("createSecret: pending_pair_gone");
  });

  it("two rotations in a row leave one pair", async () => {
    expect(await broken(core, deeds([4, "rotate again"]))).toEqual([]);
  });
});
