import { beforeEach, describe, expect, it } from "vitest";
import { commit } from "../../../../functions/use-cases/commit.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { countingIds } from "../../../support/fakes/counting-ids.ts";
import { type Fault, faultyRow, lost } from "../../../support/fakes/faulty-row.ts";

describe("a transition", () => {
  it("is written once, with a version and a name of its own", async () => {
    const { add, state } = faultyRow([]);
    expect(await add()).toMatchObject({ sum: 1 });
    expect(state.row).toMatchObject({ version: 1, sum: 1, writeId: expect.any(String) });
  });

  it("that wants nothing written writes nothing", async () => {
    const { rows, state, clock } = faultyRow([]);
    const outcome = await commit(rows, "row", () => ({ outcome: "nothing" }), {
      clock,
      ids: countingIds(),
      deadline: clock.now() + 1_000,
    });
    expect(outcome).toBe("nothing");
    expect(state.writes).toEqual([]);
  });

  it("begins from a row that was just read, without reading it again", async () => {
    const { add, state } = faultyRow([]);
    await add({ start: { version: 0, sum: 0, added: [] } });
    expect(state.reads).toBe(0);
  });
});

describe("a conflict", () => {
  it("is met by applying the transition to the row as it is now, never the old image", async () => {
    const { add, state } = faultyRow(["overtaken", "overtaken"]);
    expect(await add()).toMatchObject({ sum: 201 });
    expect(state.row).toMatchObject({ version: 3, sum: 201, added: ["other", "other", "me"] });
  });

  it("with a row that was read long ago is met in the same way", async () => {
    const { add, state } = faultyRow([]);
    await add();
    expect(await add({ start: { version: 0, sum: 0, added: [] } })).toMatchObject({ sum: 2 });
    expect(state.row.added).toEqual(["me", "me"]);
  });

  it("gives each try a name of its own", async () => {
    const { add, state } = faultyRow(["overtaken", "overtaken", "overtaken"]);
    await add();
    expect(new Set(state.writes.map(({ writeId }) => writeId)).size).toBe(4);
  });

  it("that never ends is given up", async () => {
    const { add, state } = faultyRow(Array(50).fill("overtaken"));
    await expect(add()).rejects.toBeInstanceOf(Unavailable);
    expect(state.row.added).not.toContain("me");
  });
});

describe("a lost answer", () => {
  it.each<[string, Fault[]]>([
    ["before the effect", ["before"]],
    ["after the effect", ["after"]],
    ["twice before the effect", ["before", "before"]],
    ["before, then after the effect", ["before", "after"]],
    ["after the effect of a second try", ["overtaken", "after"]],
  ])("%s counts once", async (_, faults) => {
    const { add, state } = faultyRow(faults);
    const { sum } = await add();
    expect(state.row.added.filter((who) => who === "me")).toEqual(["me"]);
    expect(sum).toBe(state.row.sum);
  });

  it("of the last try is settled by one more look", async () => {
    const { add, state } = faultyRow([...Array<Fault>(7).fill("before"), "after"]);
    expect(await add()).toMatchObject({ sum: 1 });
    expect(state.row.added).toEqual(["me"]);
  });

  it("that stays unknown is no success", async () => {
    const { add } = faultyRow(Array(50).fill("before"));
    await expect(add()).rejects.toMatchObject({
      ...{ name: "Unavailable", dependency: "dynamodb" },
      cause: expect.any(Unavailable),
    });
  });

  it("of a write that is still under way cannot take effect after the next", async () => {
    const { rows, add, state, faults } = faultyRow(["before"]);
    await add();
    // The first write arrives late: its condition is that of a row that was not there yet.
    const [late] = state.writes;
    faults.length = 0;
    expect(late && (await rows.write("row", late, 0))).toBe(false);
    expect(state.row.added).toEqual(["me"]);
  });
});

it("an error that is not of availability is thrown at once", async () => {
  const { add, state } = faultyRow(["refused"]);
  await expect(add()).rejects.toThrow("ValidationException");
  expect(state.writes).toHaveLength(1);
});

describe("the deadline", () => {
  let row: ReturnType<typeof faultyRow>;
  beforeEach(() => {
    row = faultyRow(Array(50).fill("before"));
  });

  it("bounds the tries", async () => {
    await expect(row.add({ deadline: row.clock.now() + 50 })).rejects.toBeInstanceOf(Unavailable);
    expect(row.state.writes.length).toBeLessThan(6);
  });

  it("in the past, or now, writes nothing and promises nothing", async () => {
    await expect(row.add({ deadline: row.clock.now() - 1 })).rejects.toBeInstanceOf(Unavailable);
    await expect(row.add({ deadline: row.clock.now() })).rejects.toBeInstanceOf(Unavailable);
    expect(row.state.writes).toEqual([]);
  });
});

describe("what a token hangs on", () => {
  const landing = (row: ReturnType<typeof faultyRow>, ms: number) =>
    row.add({ deadline: row.clock.now() + ms, mustLand: true });

  it("is tried until its deadline, not for a number of attempts", async () => {
    const row = faultyRow(Array(30).fill("before"));
    expect(await landing(row, 15_000)).toMatchObject({ sum: 1 });
    expect(row.state.row.added).toEqual(["me"]);
  });

  it("is tried until its deadline, and not for longer", async () => {
    const row = faultyRow(Array(1_000).fill("before"));
    const deadline = row.clock.now() + 15_000;
    await expect(landing(row, 15_000)).rejects.toBeInstanceOf(Unavailable);
    expect(row.state.writes.length).toBeGreaterThan(30);
    expect(row.state.writes.length).toBeLessThan(100);
    expect(row.clock.now() - deadline).toBeLessThan(1_000);
  });

  it("outlasts contention", async () => {
    const row = faultyRow(Array(20).fill("overtaken"));
    expect(await landing(row, 15_000)).toMatchObject({ sum: 2_001 });
  });

  it("is tried once by a process that was frozen until after the deadline", async () => {
    const row = faultyRow([]);
    expect(await landing(row, -3_600_000)).toMatchObject({ sum: 1 });
    const refused = faultyRow(Array(5).fill("before"));
    await expect(landing(refused, -3_600_000)).rejects.toBeInstanceOf(Unavailable);
    expect(refused.state.writes).toHaveLength(1);
  });

  it("is tried after its deadline as often as any other, and not for ever, where others keep writing the row", async () => {
    const frozen = faultyRow(Array(50).fill("overtaken"));
    await expect(landing(frozen, -1)).rejects.toBeInstanceOf(Unavailable);
    const other = faultyRow(Array(50).fill("overtaken"));
    await expect(other.add()).rejects.toBeInstanceOf(Unavailable);
    expect(frozen.state.writes).toHaveLength(other.state.writes.length);
  });

  it("and whose answer was lost after the deadline is settled by one more look", async () => {
    const row = faultyRow(["after"]);
    expect(await landing(row, -1)).toMatchObject({ sum: 1 });
    expect(row.state.writes).toHaveLength(1);
  });

  it("waits for a row that cannot be read, at first and behind a lost answer", async () => {
    const row = faultyRow(["before"]);
    const { read } = row.rows;
    let calls = 0;
    row.rows.read = async (key) => {
      // Ten times before the first write, and ten times after it.
      if (++calls % 11 !== 0) throw lost();
      return await read(key);
    };
    expect(await landing(row, 15_000)).toMatchObject({ sum: 1 });
    expect(calls).toBe(22);
  });

  it("is given up where the row cannot be read until the deadline", async () => {
    const row = faultyRow([]);
    row.rows.read = async () => {
      throw lost();
    };
    await expect(landing(row, 2_000)).rejects.toBeInstanceOf(Unavailable);
    expect(row.state.writes).toEqual([]);
  });
});

it("a row that cannot be read behind a lost answer is read three times, where no token hangs on it", async () => {
  const row = faultyRow(["before"]);
  const { read } = row.rows;
  let reads = 0;
  row.rows.read = async (key) => {
    if (++reads > 1) throw lost();
    return await read(key);
  };
  await expect(row.add()).rejects.toBeInstanceOf(Unavailable);
  expect(reads).toBe(4);
});
