import { expect, it } from "vitest";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { type Fault, faultyRow, lost } from "../../../support/fakes/faulty-row.ts";

const landing = (row: ReturnType<typeof faultyRow>, ms: number) =>
  row.add({ deadline: row.clock.now() + ms, mustLand: true });

it("the first conflict is met at once", async () => {
  const { add, clock } = faultyRow(["overtaken"]);
  await add();
  expect(clock.slept).toEqual([]);
});

it("further conflicts wait 20 to 40 ms, twice as long each time, and never more than 640 ms", async () => {
  const row = faultyRow(Array<Fault>(12).fill("overtaken"));
  await landing(row, 15_000);
  const shortest = row.clock.slept.map((_, index) => Math.min(20 * 2 ** index, 320));
  expect(shortest).toHaveLength(11);
  row.clock.slept.forEach((slept, index) => {
    expect(slept).toBeGreaterThanOrEqual(shortest[index] ?? 0);
    expect(slept).toBeLessThan(2 * (shortest[index] ?? 0));
  });
});

it("a recovered row is read within 300 ms", async () => {
  const row = faultyRow([]);
  const { read } = row.rows;
  const backAt = row.clock.now() + 10_000;
  row.rows.read = async (key) => {
    if (row.clock.now() < backAt) throw lost();
    return await read(key);
  };
  await landing(row, 15_000);
  expect(row.clock.now() - backAt).toBeLessThan(300);
  expect(Math.max(...row.clock.slept)).toBeLessThanOrEqual(300);
});

it("an unreadable row is not waited for at the deadline", async () => {
  const row = faultyRow([]);
  row.rows.read = async () => {
    throw lost();
  };
  await expect(landing(row, 0)).rejects.toBeInstanceOf(Unavailable);
  expect(row.clock.slept).toEqual([]);
});
