// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax of Fn::Sub.
import { describe, expect, it } from "vitest";
import { resolveValue } from "../../../../local/stack/intrinsics.ts";

describe("intrinsic functions", () => {
  const resolve = (value: unknown) =>
    resolveValue(value, "Here", {
      ref: (name) => (name === "Known" ? "known" : undefined),
      attribute: (id, attribute) => (id === "Known" ? `known.${attribute}` : undefined),
    });

  it.each([
    [{ Ref: "Known" }, "known"],
    [{ "Fn::GetAtt": "Known.Deep.Arn" }, "known.Deep.Arn"],
    [{ "Fn::Join": ["/", ["a", { Ref: "Known" }, 3]] }, "a/known/3"],
    [{ "Fn::Select": [1, { "Fn::Split": [":", "a:b:c"] }] }, "b"],
    [{ "Fn::Sub": "${Known}-${Known.Arn}-${!Literal}" }, "known-known.Arn-${Literal}"],
    [{ "Fn::Sub": ["${own}/${Known}", { own: { Ref: "Known" } }] }, "known/known"],
    [
      [1, { Ref: "AWS::NoValue" }, { a: { Ref: "AWS::NoValue" }, b: 2 }],
      [1, { b: 2 }],
    ],
  ])("resolves %j", (value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  it.each([
    { "Fn::Sub": "${Unknown}" },
    { "Fn::Select": [5, ["a"]] },
    { "Fn::Join": ["", [{ an: "object" }]] },
    { "Fn::Join": [""] },
    { "Fn::If": ["x", 1, 2] },
    { Ref: "Known", more: 1 },
  ])("refuses %j", (value) => {
    expect(() => resolve(value)).toThrow("The template cannot be run locally: Here: ");
  });
});
