import { Annotations, Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { type CapacityProps, capacityWarnings } from "../../../infra/check-capacity.ts";
import { linesOf, synthesizedHere } from "../../support/synthesized.ts";

const throttle = (rateLimit: number, burstLimit = 400) => ({ throttle: { rateLimit, burstLimit } });

describe("throttle, account concurrency and reserved concurrency that cannot fit", () => {
  it.each<[string, CapacityProps, string]>([
    [
      "the default throttle in a new account",
      { accountConcurrency: 10 },
      "throttle: the default of 200 requests a second is above the 100 that Lambda takes with accountConcurrency 10: set at most 100, or ask AWS for more concurrency",
    ],
    [
      "a throttle above ten requests a second for each of the concurrency that is left",
      { accountConcurrency: 200, reservedConcurrency: { operate: 10, sweep: 2 }, ...throttle(2_000) },
      "throttle.rateLimit: 2000 requests a second is above the 1880 that Lambda takes with accountConcurrency 200 less 12 reserved: set at most 1880, or ask AWS for more concurrency",
    ],
    [
      "a reservation that leaves fewer than 100",
      { accountConcurrency: 105, reservedConcurrency: { operate: 4, sweep: 2 } },
      "reservedConcurrency: 6 of accountConcurrency 105 leaves 99, and Lambda keeps 100 for functions without a reservation: reserve less, or ask AWS for more",
    ],
  ])("are refused: %s", (_, settings, line) => {
    expect(linesOf(() => synthesizedHere({ settings: () => settings }))).toEqual([line]);
  });

  it.each<[string, CapacityProps]>([
    ["a reservation that leaves 100", { accountConcurrency: 106, reservedConcurrency: { operate: 6 } }],
    ["ten requests a second for each of the concurrency", { accountConcurrency: 10, ...throttle(100) }],
    ["a reservation in an account of unknown concurrency", { reservedConcurrency: { operate: 2_000 } }],
  ])("are not refused: %s", (_, settings) => {
    expect(() => synthesizedHere({ settings: () => settings })).not.toThrow();
  });
});

describe("a warning", () => {
  const warnings = (props: CapacityProps, region?: string) => [...capacityWarnings(props, region).keys()];
  const hung = "throttle-above-concurrency";
  const quota = "throttle-above-quota";
  const crowd = "burst-above-concurrency";
  const burstQuota = "burst-above-quota";

  it("comes when requests that wait for a hanging Looker would fill the account", () => {
    expect(warnings({})).toEqual([]);
    expect(warnings(throttle(333))).toEqual([]);
    expect(warnings(throttle(334))).toEqual([hung]);
    expect(warnings({ ...throttle(333), reservedConcurrency: { operate: 10, sweep: 2 } })).toEqual([hung]);
    expect(warnings({ ...throttle(1_000), accountConcurrency: 3_000 })).toEqual([]);
    expect(warnings({ ...throttle(100, 10), accountConcurrency: 10 })).toEqual([hung]);
  });

  it("comes when API Gateway's quota is below the throttle, which is lower in some regions", () => {
    const accountConcurrency = 100_000;
    expect(warnings({ accountConcurrency, ...throttle(10_001) }, "eu-central-1")).toEqual([quota]);
    expect(warnings({ accountConcurrency, ...throttle(10_000) }, "eu-central-1")).toEqual([]);
    expect(warnings({ accountConcurrency, ...throttle(2_501) }, "eu-central-2")).toEqual([quota]);
    expect(warnings({ accountConcurrency, ...throttle(2_501) })).toEqual([]);
  });

  it("comes when a burst is larger than the concurrency that is left for it", () => {
    expect(warnings(throttle(200, 1_000))).toEqual([]);
    expect(warnings(throttle(200, 1_001))).toEqual([crowd]);
    expect(warnings({ ...throttle(200, 1_000), reservedConcurrency: { operate: 10 } })).toEqual([crowd]);
    expect(warnings({ ...throttle(200, 2_000), accountConcurrency: 2_000 })).toEqual([]);
    expect(warnings(throttle(200, 100_000))).toEqual([crowd, burstQuota]);
    const told = capacityWarnings({ ...throttle(200, 500), accountConcurrency: 400 }, undefined).get(crowd);
    expect(told).toContain("burstLimit 500 gets in at once, and accountConcurrency 400 leaves 400.");
  });

  it("comes when API Gateway's burst quota is below the burst, which is lower in some regions", () => {
    const accountConcurrency = 100_000;
    expect(warnings({ accountConcurrency, ...throttle(200, 5_000) }, "eu-central-1")).toEqual([]);
    expect(warnings({ accountConcurrency, ...throttle(200, 5_001) }, "eu-central-1")).toEqual([burstQuota]);
    expect(warnings({ accountConcurrency, ...throttle(200, 1_250) }, "eu-south-1")).toEqual([]);
    expect(warnings({ accountConcurrency, ...throttle(200, 1_251) }, "eu-south-1")).toEqual([burstQuota]);
    expect(warnings({ accountConcurrency, ...throttle(200, 5_000) })).toEqual([]);
    const told = capacityWarnings({ accountConcurrency, ...throttle(200, 5_000) }, "eu-south-1").get(
      burstQuota,
    );
    expect(told).toContain(
      "burstLimit 5000 is above API Gateway's burst quota of 1250 for an account in eu-south-1.",
    );
  });

  it("stands in the stack's annotations", () => {
    const { stack } = synthesizedHere({ settings: () => throttle(400) });
    const found = Annotations.fromStack(stack).findWarning(
      "*",
      Match.stringLikeRegexp("throttle-above-concurrency"),
    );
    expect(found.map(({ entry }) => String(entry.data))).toEqual([
      expect.stringContaining(
        "400 requests a second hold 1200 instances, and accountConcurrency (not set, taken to be 1000) leaves 1000.",
      ),
    ]);
  });
});
