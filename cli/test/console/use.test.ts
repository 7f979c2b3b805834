import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchUse } from "../../src/console/use.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const minute = 60_000;

function watched() {
  const use = watchUse(60 * minute);
  let isOver = false;
  void use.ended.then(() => {
    isOver = true;
  });
  const after = async (minutes: number) => {
    await vi.advanceTimersByTimeAsync(minutes * minute);
    return isOver;
  };
  return { use, after };
}

test("an hour without use is the end", async () => {
  const { after } = watched();
  expect([await after(59), await after(1)]).toEqual([false, true]);
});

test("the hour begins anew with each use", async () => {
  const { use, after } = watched();
  await after(59);
  use.note();
  expect([await after(59), await after(1)]).toEqual([false, true]);
});

test("leases that are being ended are ended first", async () => {
  const { use, after } = watched();
  const finish = use.begin();
  expect(await after(90)).toBe(false);
  finish();
  expect(await after(60)).toBe(true);
});

test("a console that was closed waits for nothing", async () => {
  const { use } = watched();
  use.release();
  expect(vi.getTimerCount()).toBe(0);
});
