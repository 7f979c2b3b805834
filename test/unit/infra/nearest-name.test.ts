import { describe, expect, it } from "vitest";
import { nearestName, unknownName } from "../../../infra/nearest-name.ts";

const names = ["organizationId", "vpcEndpointIds", "domain", "dashboard", "memorySize", "logRetention"];

describe("the nearest name", () => {
  it.each([
    ["organisationId", "organizationId"],
    ["organiaztionId", "organizationId"],
    ["vpcEndpointId", "vpcEndpointIds"],
    ["VPC_ENDPOINT_IDS", "vpcEndpointIds"],
    ["domian", "domain"],
    ["dashbaord", "dashboard"],
    ["memory", "memorySize"],
    ["retention", "logRetention"],
    ["memroysize", "memorySize"],
  ])("of %s is %s", (name, nearest) => {
    expect(nearestName(name, names)).toBe(nearest);
  });

  it.each(["", "id", "timeout", "x".repeat(1000)])("of %j is none", (name) => {
    expect(nearestName(name, names)).toBeUndefined();
  });

  it("is the one with the fewest changes", () => {
    expect(nearestName("secretArm", ["secretName", "secretArn"])).toBe("secretArn");
  });
});

it("an unknown name that is like no other is told all there are", () => {
  expect(unknownName("field", "timeout", ["a", "b"])).toBe("there is no such field. The fields are a, b");
});
