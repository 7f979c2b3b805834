import { expect, test } from "vitest";
import { beganHere } from "../../src/commands/exec.ts";

/** What the client makes of an answer: it counts `expires_in`, whole seconds, from when the request was sent. */
function beganFor({
  ageMs,
  tookMs = 200,
  leaseSeconds = 900,
  lifeSeconds = 900,
}: {
  ageMs: number;
  tookMs?: number;
  leaseSeconds?: number;
  lifeSeconds?: number;
}): boolean {
  const asked = 1_000_000;
  const expiresIn = Math.floor((lifeSeconds * 1_000 - ageMs) / 1_000);
  return beganHere(asked + expiresIn * 1_000, leaseSeconds, { asked, answered: asked + tookMs });
}

test.each([
  ["a login that took 150 ms of a request of 200", { ageMs: 150 }, true],
  ["a login that somebody waited for", { ageMs: 2_900, tookMs: 3_000 }, true],
  ["a lease of two seconds ago", { ageMs: 2_000 }, false],
  ["a lease of before a slow request", { ageMs: 5_500, tookMs: 3_000 }, false],
  ["a lease of minutes ago", { ageMs: 300_000 }, false],
  [
    "a lease whose full life is not known, since Looker cuts it short",
    { ageMs: 150, lifeSeconds: 600 },
    false,
  ],
  ["a scope that the broker would not tell about", { ageMs: 150, leaseSeconds: 0 }, false],
])("%s: started here is what is known to be", (_, lease, expected) => {
  expect(beganFor(lease)).toBe(expected);
});
