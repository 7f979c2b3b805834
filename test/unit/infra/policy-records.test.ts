import { AnyPrincipal, Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { describe, expect, it } from "vitest";
import { resolved } from "../../support/iam/resolved.ts";
import { account, type SynthesizeOptions, synthesizedHere } from "../../support/synthesized.ts";

const parameter = (name: string, options: SynthesizeOptions = {}) => {
  const { stack, resources } = resolved(options);
  const found = resources.find(
    ({ properties: { Name } }) => Name === `/looker-token-broker/Broker/policies/${name}`,
  );
  return { stack, policy: JSON.parse(String(found?.properties.Value)), properties: found?.properties };
};

describe("the policy that is written down, without intrinsic functions, is", () => {
  it("the table's", () => {
    const { policy, stack } = parameter("table");
    expect(policy).toEqual(stack.tables[0]?.resourcePolicy);
    expect(policy.Statement[0].Sid).toBe("DenyRowsToOthers");
  });

  it("the table's with what an app of one's own adds to it", () => {
    const denied = new PolicyStatement({
      sid: "DenyScans",
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ["dynamodb:Scan"],
      resources: ["*"],
    });
    const { policy, stack } = parameter("table", {
      prepare: ({ broker }) => void broker.table.addToResourcePolicy(denied),
    });
    expect(policy).toEqual(stack.tables[0]?.resourcePolicy);
    expect(policy.Statement).toHaveLength(2);
  });

  it("the sealing key's", () => {
    const { policy, stack } = parameter("sealing-key");
    expect(policy).toEqual(stack.keys[0]?.policy);
    expect(policy.Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(["Administer", "Seal", "Open"]);
  });
});

it("fits into a standard parameter, or is an advanced one where break-glass roles make it long", () => {
  const named = (count: number) =>
    Array.from(
      { length: count },
      (_, index) => `arn:aws:iam::${account}:role/emergency/${"x".repeat(40)}-${index}`,
    );
  for (const count of [0, 15, 40]) {
    const { properties } = parameter("table", { settings: () => ({ breakGlassArns: named(count) }) });
    const length = String(properties?.Value).length;
    expect([count, properties?.Tier, length <= (count > 15 ? 8_192 : 4_096)]).toEqual([
      count,
      count > 15 ? "Advanced" : "Standard",
      true,
    ]);
  }
});

it("is written under names that the runbook reads", () => {
  const names = synthesizedHere()
    .ofType("AWS::SSM::Parameter")
    .map(([, { Properties }]) => Properties.Name);
  expect(names).toEqual(
    expect.arrayContaining([
      "/looker-token-broker/Broker/policies/table",
      "/looker-token-broker/Broker/policies/sealing-key",
    ]),
  );
});
