import { expect, it } from "vitest";
import {
  clockSkewMs,
  configurationDigest,
  loginTimeoutMs,
  lookerLifeIsOver,
  nextLogoutAt,
  refreshAt,
} from "../../../../functions/domain/lease.ts";
import { lease, minutes, now } from "../../../support/tokens.ts";

const ids = Array.from({ length: 500 }, (_, index) => `lease-${index}`);
const share = (leaseId: string) => (refreshAt(lease({ leaseId })) - now) / (15 * minutes);

it("a lease is renewed from 75 to 85 % of its life", () => {
  for (const id of ids) {
    expect(share(id)).toBeGreaterThanOrEqual(0.7499);
    expect(share(id)).toBeLessThanOrEqual(0.85);
  }
});

it("the moment of renewal is fixed by the lease's id", () => {
  expect(share("lease-1")).toBe(share("lease-1"));
});

it("leases that began together are renewed at moments that are spread evenly", () => {
  const tenths = new Array(10).fill(0);
  for (const id of ids) tenths[Math.min(9, Math.floor((share(id) - 0.75) * 100))]++;
  for (const count of tenths) expect(count).toBeGreaterThan(20);
});

it.each([
  ["its last millisecond by this clock", -1, false],
  ["its end by this clock", 0, false],
  ["the largest skew and a login less a millisecond after it", loginTimeoutMs + clockSkewMs - 1, false],
  ["the largest skew and a login after it", loginTimeoutMs + clockSkewMs, true],
])("a token's Looker life at %s is over: %#", (_, offset, over) => {
  expect(lookerLifeIsOver(lease(), now + 60 * minutes + offset)).toBe(over);
});

it("logouts are tried again ever more rarely, but at least every five minutes", () => {
  const waits = Array.from({ length: 40 }, (_, attempts) => nextLogoutAt(attempts, now) - now);
  expect(waits.slice(0, 3)).toEqual([15_000, 30_000, 60_000]);
  expect(waits).toEqual([...waits].sort((a, b) => a - b));
  expect(Math.max(...waits)).toBe(300_000);
});

it("a lease depends on its scope's URL and secret, and on nothing else", () => {
  const digest = configurationDigest({ baseUrl: "https://a.example.com", secretId: "one" });
  const same = { baseUrl: "https://a.example.com", secretId: "one", leaseSeconds: 120 };
  expect(configurationDigest(same)).toBe(digest);
  // A row keeps one on each token: 22 characters are 132 bits.
  expect(digest).toMatch(/^[\w-]{22}$/);
  expect(configurationDigest({ baseUrl: "https://b.example.com", secretId: "one" })).not.toBe(digest);
  expect(configurationDigest({ baseUrl: "https://a.example.com", secretId: "two" })).not.toBe(digest);
});

it("a digest has 22 characters of base64url", () => {
  expect(configurationDigest({ baseUrl: "https://example.cloud.looker.com", secretId: "a" })).toMatch(
    /^[\w-]{22}$/,
  );
});
