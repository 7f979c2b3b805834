import { describe, expect, it } from "vitest";
import { fairQueue, type Queued } from "../../../../functions/use-cases/fair-queue.ts";

interface Named extends Queued {
  readonly name: string;
}

/** `a2` is of the account `a`, tried twice. */
const item = (name: string): Named => ({ name, account: name.slice(0, 1), attempts: Number(name.slice(1)) });

async function drained(...names: string[]): Promise<string[]> {
  const queue = fairQueue<Named>();
  for (const name of names) queue.push(item(name));
  queue.close();
  const order: string[] = [];
  for await (const { name } of queue) order.push(name);
  return order;
}

describe("a fair queue", () => {
  it("gives accounts their turns, however many items one of them has", async () => {
    expect(await drained("a0", "a0", "a0", "a0", "b0", "b0", "c0")).toEqual([
      ...["a0", "b0", "c0"],
      ...["a0", "b0"],
      ...["a0", "a0"],
    ]);
  });

  it("takes the fewest attempts of an account first, and among equals who came first", async () => {
    expect(await drained("a5", "a0", "a3", "a0", "a1")).toEqual(["a0", "a0", "a1", "a3", "a5"]);
  });

  it("does not let few attempts of one account take another's turn", async () => {
    expect(await drained("b9", "b9", "a0", "a0", "a0")).toEqual(["b9", "a0", "b9", "a0", "a0"]);
  });

  it("gives an account that comes late its turn at once", async () => {
    const queue = fairQueue<Named>();
    for (const name of ["a0", "a1", "a2", "a3"]) queue.push(item(name));
    const order: string[] = [];
    for await (const { name } of queue) {
      order.push(name);
      if (name === "a0") {
        queue.push(item("b7"));
        queue.close();
      }
    }
    expect(order.indexOf("b7")).toBeLessThanOrEqual(2);
    expect(order).toHaveLength(5);
  });

  it("gives each item to one of its workers, also those that waited for it, and ends with all of them", async () => {
    const queue = fairQueue<Named>();
    const taken: string[] = [];
    const workers = Array.from({ length: 5 }, async () => {
      for await (const { name } of queue) taken.push(name);
    });
    await Promise.resolve();
    for (const name of ["a0", "b1", "c2"]) queue.push(item(name));
    await Promise.resolve();
    queue.push(item("d3"));
    queue.close();
    await Promise.all(workers);
    expect(taken.toSorted()).toEqual(["a0", "b1", "c2", "d3"]);
  });

  it("gives an item to a waiting worker before it is closed", async () => {
    const queue = fairQueue<Named>();
    const next = queue[Symbol.asyncIterator]().next();
    await Promise.resolve();
    queue.push(item("a0"));
    expect(await next).toMatchObject({ value: { name: "a0" } });
  });

  it("that is closed and empty ends at once", async () => {
    expect(await drained()).toEqual([]);
  });
});
