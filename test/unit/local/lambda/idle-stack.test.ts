import { expect, it } from "vitest";
import { IdleStack } from "../../../../local/lambda/idle-stack.ts";

function stackOf(...instances: string[]): IdleStack<string> {
  const stack = new IdleStack<string>();
  for (const instance of instances) stack.push(instance);
  stack.takeUnneeded();
  return stack;
}

it("an instance is unneeded when it has had no request since the last look", () => {
  const stack = stackOf("coldest", "cold", "warm");
  const warm = stack.pop() ?? "";
  stack.push(warm);
  expect(warm).toBe("warm");
  expect(stack.takeUnneeded()).toEqual(["coldest", "cold"]);
  expect(stack.takeUnneeded()).toEqual(["warm"]);
});

it("an instance that came after the last look is not unneeded yet", () => {
  const stack = stackOf();
  stack.push("new");
  expect(stack.takeUnneeded()).toEqual([]);
});

it("a busy instance is not unneeded", () => {
  const stack = stackOf("busy");
  stack.pop();
  expect(stack.takeUnneeded()).toEqual([]);
});

it("an instance that died does not make another one unneeded", () => {
  const stack = stackOf("dead", "cold", "warm");
  stack.push(stack.pop() ?? "");
  stack.remove("dead");
  stack.remove("unknown");
  expect(stack.takeUnneeded()).toEqual(["cold"]);
  expect(stack.has("warm")).toBe(true);
});
