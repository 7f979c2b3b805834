/** The rules that every rotation keeps, whatever strikes it. */
import { secretControlItem } from "../../../functions/adapters/rows.ts";
import { serviceUser } from "./looker-accounts.ts";
import type { Outcome } from "./run.ts";
import { secretName } from "./world.ts";

/** @returns the broken rules */
export async function judge(outcome: Outcome): Promise<string[]> {
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
  rule(current?.by === "broker", "the current version has no pair");
  rule(accounts.pairs.includes(world.foreign), "a pair of others is gone");
  if (!done.has("roll back")) {
    rule(current !== world.first, "the first pair is current still");
    rule(own.length === 1, `${own.length} pairs of the broker are left: ${own.map(({ clientId }) => clientId)}`);
  }
  rule(rotation.retiring.every(({ clientId }) => accounts.find(clientId)), "a deleted pair is remembered");
  rule(done.has("roll back") || rotation.retiring.length === 0, "a pair is waiting still");
  rule(!rotation.created, "a creation is open still");
  const size = JSON.stringify(secretControlItem(secretName, control)).length;
  rule(size < 8_000, `the control item has ${size} characters`);
  const denied = done.has("deny the old pair") || done.has("deny the current pair");
  for (const { pair, held } of accounts.deleted)
    rule(
      held === 0 || denied || pair !== world.first,
      `${pair.clientId} was deleted while ${held} of its tokens were held`,
    );
  for (const { pair, at } of accounts.deleted)
    if (pair === world.first && !denied && !done.has("rotate again"))
      rule(at - (secret.lastRotatedAt ?? 0) > 86_000_000, "the first pair was deleted within a day");
  const left = accounts.tokens.filter((token) => accounts.isAlive(token) && !token.isCallers);
  rule(
    left.every(({ owner }) => world.killed.has(owner)),
    `a token of ${left.map(({ owner }) => owner)} is alive`,
  );
  rule(
    left.length <= outcome.possibleOrphans,
    `${left.length} tokens are alive, and ${outcome.possibleOrphans} are counted`,
  );
  if (!denied)
    rule(outcome.refusals.length === 0, `callers were refused: ${[...new Set(outcome.refusals)].join(" | ")}`);
  return wrong;
}
