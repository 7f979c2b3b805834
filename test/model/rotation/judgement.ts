/** The rules of every rotation, under all faults. */
import { secretControlItem } from "../../../functions/adapters/rows.ts";
import { serviceUser } from "./looker-accounts.ts";
import type { Outcome, Scenario } from "./run.ts";
import { secretName } from "./world.ts";

/** @returns the broken rules */
export async function judge(scenario: Scenario, outcome: Outcome): Promise<string[]> {
  const { world, done } = outcome;
  const { accounts, secret } = world;
  const wrong = [...accounts.violations, ...outcome.unforeseen];
  const rule = (holds: boolean, name: string) => {
    if (!holds) wrong.push(name);
  };
  const control = await world.control();
  const rotation = control.rotation ?? { retiring: [] };
  const current = accounts.find(secret.valueAt("AWSCURRENT")?.clientId ?? "");
  const own = accounts.pairsOf(serviceUser).filter(({ by }) => by === "broker");
  rule(!outcome.gaveUp, "the rotation never ended");
  rule(!outcome.gaveUpOnce || done.has("deny the pending pair"), "a rotation was given up");
  rule(current?.by === "broker", "the current version has no pair");
  rule(accounts.pairs.includes(world.foreign), "a pair of others is gone");
  if (!done.has("roll back")) {
    rule(current !== world.first, "the first pair is current still");
    rule(
      own.length === 1,
      `${own.length} pairs of the broker are left: ${own.map(({ clientId }) => clientId)}`,
    );
  }
  rule(
    rotation.retiring.every(({ clientId }) => accounts.find(clientId)),
    "a deleted pair is remembered",
  );
  rule(done.has("roll back") || rotation.retiring.length === 0, "a pair is waiting still");
  rule(!rotation.created, "a creation is open still");
  const size = JSON.stringify(secretControlItem(secretName, control)).length;
  rule(size < 8_000, `the control item has ${size} characters`);
  // Secrets Manager may deliver a step twice at once. Only a killed or a cut-off run keeps another from the lock.
  if (scenario.strikes.length === 0 && !outcome.gaveUp) {
    const failed = scenario.deeds.length === 0 ? outcome.failures : outcome.failures.filter(isLocked);
    rule(failed.length === 0, `a step failed: ${failed}`);
    if (scenario.deeds.length === 0)
      rule(accounts.madeByBroker === 2, `${accounts.madeByBroker - 1} pairs were made, and not one`);
  }
  for (const { pair, at, held } of accounts.deleted) {
    if (world.deniedAt.has(pair.clientId)) continue;
    rule(held === 0, `${pair.clientId} was deleted while ${held} of its tokens were held`);
    const replacedAt = world.replacedAt.get(pair.clientId);
    rule(
      replacedAt === undefined || at - replacedAt >= 86_400_000,
      `${pair.clientId} was deleted within a day`,
    );
  }
  const replacedAt = world.replacedAt.get(world.first.clientId) ?? Number.NaN;
  const deniedAt = world.deniedAt.get(world.first.clientId) ?? Number.NaN;
  // Later on a retirement run is a day away.
  const isEarly = deniedAt < replacedAt + 60_000 && scenario.retireEveryMinutes < 60;
  const isCalm = scenario.strikes.length === 0 && !done.has("roll back") && !done.has("Looker is away");
  if (isEarly && isCalm) {
    const [deletion] = accounts.deleted.filter(({ pair }) => pair === world.first);
    const waited = (deletion?.at ?? Number.POSITIVE_INFINITY) - Math.max(replacedAt, deniedAt);
    rule(waited < 2 * 3_600_000, "a denied pair was not deleted soon");
  }
  rule(
    outcome.lastRefusals === 0 || world.deniedAt.has(current?.clientId ?? ""),
    `in the end callers are refused: ${outcome.refusals.at(-1)}`,
  );
  // Also if Looker has ended it by itself since.
  const left = accounts.tokens.filter(({ alive, isCallers }) => alive && !isCallers);
  rule(
    scenario.strikes.some(({ fault }) => fault.kind !== "crash") ||
      left.every(({ owner }) => world.killed.has(owner)),
    `a token of ${left.map(({ owner }) => owner)} was not logged out`,
  );
  rule(
    left.length <= outcome.possibleOrphans,
    `${left.length} tokens were not logged out, and ${outcome.possibleOrphans} are counted`,
  );
  if (world.deniedAt.size === 0 && !done.has("Looker is away") && !done.has("roll back"))
    rule(
      outcome.refusals.length === 0,
      `callers were refused: ${[...new Set(outcome.refusals)].join(" | ")}`,
    );
  return wrong;
}

const isLocked = (failure: string) => failure.endsWith(": locked");
