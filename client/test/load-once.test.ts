import { expect, it } from "vitest";
import { failure } from "../../test/support/failure.ts";
import { loadOnce } from "../src/broker/load-once.ts";

it("loads once, for calls at the same time and for later ones", async () => {
  let loads = 0;
  const load = loadOnce(async () => ++loads);
  expect(await Promise.all([load(), load()])).toEqual([1, 1]);
  expect(await load()).toBe(1);
});

it("tries again after a load that failed", async () => {
  let loads = 0;
  const load = loadOnce(async () => {
    if (++loads === 1) throw new Error("too many open files");
    return loads;
  });
  await failure(load());
  expect(await load()).toBe(2);
});
