/** Each gap of gaps.ts is one still. The list shrinks as the engine grows. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { deploy, deploysWithinMs } from "./deploy.ts";
import type { Deployment } from "./deployment.ts";
import { gaps } from "./gaps.ts";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await deploy();
}, deploysWithinMs);
afterAll(() => deployment?.close());

test.each(gaps.filter(({ learned }) => learned !== undefined))("not yet: $what", async ({ learned }) => {
  const message = "The engine has learned this: remove the gap from gaps.ts, and see what it now shows.";
  expect(await learned?.(deployment), message).toBe(false);
});
