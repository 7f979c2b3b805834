import { expect, it } from "vitest";
import { forEachParallel } from "../../../../functions/use-cases/pool.ts";

it("after a failure nothing further begins, and running work ends first", async () => {
  const begun: number[] = [];
  let finish = () => {};
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const ended = forEachParallel([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error("first");
    await slow;
  });
  let settled = false;
  void ended
    .catch(() => {})
    .finally(() => {
      settled = true;
    });
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toBe(false);
  finish();
  await expect(ended).rejects.toThrow("first");
  expect(begun).toEqual([1, 2]);
});
