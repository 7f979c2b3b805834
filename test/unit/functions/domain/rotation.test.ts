import { describe, expect, it } from "vitest";
import { leftOverPairs, markedVersion, purposeOf } from "../../../../functions/domain/left-over-pairs.ts";
import {
  denyRetiring,
  hasRoom,
  maxRetiring,
  nextRetirement,
  noRotation,
  queuePair,
  type RetiringPair,
  type Rotation,
  releaseLock,
  settleStages,
  takeLock,
  unretired,
} from "../../../../functions/domain/rotation.ts";

const now = 1_700_000_000_000;
const dayMs = 86_400_000;
const old = { clientId: "old", userId: "7", versionId: "v0" };
const retiring = (more: Partial<RetiringPair> = {}): RetiringPair => ({ ...old, queuedAt: now, ...more });
const byRotation = { at: now, by: "rotation" } as const;
const byOperator = { at: now, by: "operator" } as const;

describe("the lock", () => {
  const lock = { owner: "a", until: now + 1_000 };
  const held: Rotation = { ...noRotation, lock };

  it("is taken once", () => {
    expect(takeLock(noRotation, lock, now)).toEqual({ next: held, outcome: "taken" });
    expect(takeLock(held, lock, now)).toEqual({ outcome: "taken" });
    expect(takeLock(held, { owner: "b", until: now }, now)).toEqual({ outcome: "held" });
  });

  it("is taken over when it has run out by every clock", () => {
    const other = { owner: "b", until: now + 9_000 };
    expect(takeLock(held, other, now + 5_999).outcome).toBe("held");
    expect(takeLock(held, other, now + 6_000)).toEqual({
      ...{ next: { ...noRotation, lock: other }, outcome: "taken_over" },
    });
  });

  it("is given back by its owner alone", () => {
    expect(releaseLock(held, "a")?.lock).toBeUndefined();
    expect(releaseLock(held, "b")).toBeUndefined();
  });
});

describe("the queue", () => {
  it("takes a pair once, and as many as there is room for", () => {
    const one = queuePair(noRotation, old, false, now) ?? expect.fail("no room");
    expect(one.retiring).toEqual([retiring()]);
    expect(queuePair(one, old, false, now)).toBeUndefined();
    const full: Rotation = {
      retiring: Array.from({ length: maxRetiring }, (_, n) => retiring({ clientId: `old-${n}` })),
    };
    expect(hasRoom(full)).toBe(false);
    expect(queuePair(full, old, false, now)).toBeUndefined();
  });

  it("counts an operator's denial of before from now on", () => {
    expect(queuePair(noRotation, old, true, now)?.retiring).toEqual([retiring({ denied: byOperator })]);
  });
});

describe("the next step of a retirement", () => {
  const at = (pair: RetiringPair, later: number, works = true) => nextRetirement(pair, works, now + later);

  it.each<[string, RetiringPair, number, string]>([
    ["a pair that is current", retiring(), 9 * dayMs, "wait"],
    ["a pair that is current, and denied", retiring({ denied: byOperator }), 9 * dayMs, "wait"],
    ["within a day", retiring({ movedAt: now }), dayMs - 1, "wait"],
    ["after a day", retiring({ movedAt: now }), dayMs, "deny"],
    [
      "denied, while a login may be under way",
      retiring({ movedAt: now, denied: byRotation }),
      119_999,
      "wait",
    ],
    ["denied, later", retiring({ movedAt: now, denied: byRotation }), 120_000, "delete_if_unused"],
    ["denied by an operator", retiring({ movedAt: now, denied: byOperator }), 299_999, "wait"],
    ["five minutes later", retiring({ movedAt: now, denied: byOperator }), 300_000, "delete"],
    ["deleted, and perhaps in memory", retiring({ movedAt: now, deletedAt: now }), 599_999, "wait"],
    ["deleted long ago", retiring({ movedAt: now, deletedAt: now }), 600_000, "forget"],
  ])("%s", (_, pair, later, next) => {
    expect(at(pair, later)).toBe(next);
  });

  it("is none before the new pair works, unless an operator denied the old one", () => {
    expect(at(retiring({ movedAt: now }), 9 * dayMs, false)).toBe("wait");
    expect(at(retiring({ movedAt: now, denied: byRotation }), 9 * dayMs, false)).toBe("wait");
    expect(at(retiring({ movedAt: now, denied: byOperator }), 300_000, false)).toBe("delete");
  });
});

describe("the stages", () => {
  const settled = (pair: RetiringPair, inUse: string[]) =>
    settleStages({ retiring: [pair] }, new Set(inUse), now + 5).retiring;

  it("begin the day of a replaced pair", () => {
    expect(settled(retiring(), ["new"])).toEqual([retiring({ movedAt: now + 5 })]);
    expect(settled(retiring({ movedAt: now }), ["new"])).toEqual([retiring({ movedAt: now })]);
  });

  it("allow a pair again after a rollback, unless an operator denied it", () => {
    expect(settled(retiring({ movedAt: now, denied: byRotation }), ["old"])).toEqual([retiring()]);
    expect(settled(retiring({ movedAt: now, denied: byOperator }), ["old"])).toEqual([
      retiring({ denied: byOperator }),
    ]);
  });

  it("say nothing of a deleted pair", () => {
    const deleted = retiring({ movedAt: now, denied: byRotation, deletedAt: now });
    expect(settled(deleted, ["old"])).toEqual([deleted]);
  });
});

it("an operator's denial of a waiting pair counts from now, also after the rotation's own", () => {
  const rotation: Rotation = { retiring: [retiring({ denied: byRotation })] };
  const denied = denyRetiring(rotation, "old", now + 9);
  expect(denied?.retiring).toEqual([retiring({ denied: { at: now + 9, by: "operator" } })]);
  expect(denied && denyRetiring(denied, "old", now + 20)).toBeUndefined();
  expect(denyRetiring(rotation, "another", now)).toBeUndefined();
});

it("a pair waiting for two days is counted", () => {
  const rotation: Rotation = {
    retiring: [retiring({ movedAt: now }), retiring({ deletedAt: now, movedAt: 0 })],
  };
  expect(unretired(rotation, now + 2 * dayMs)).toBe(0);
  expect(unretired(rotation, now + 2 * dayMs + 1)).toBe(1);
});

describe("pairs at Looker", () => {
  const secretArn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:looker/sales-AbCdEf";
  const created = { versionId: "v1", userId: "7", replaces: "client-1", at: now, before: ["1"] };
  const pair = (id: string, more: object = {}) => ({ id, clientId: `client-${id}`, createdAt: now, ...more });
  const sorted = (listed: ReturnType<typeof pair>[], more: object = {}) =>
    leftOverPairs(listed, { ...{ versionId: "v2", secretArn, created, isTaken: () => false }, ...more });
  const marked = (version: string, arn = secretArn) => ({ purpose: purposeOf("Stack/Broker", arn, version) });

  it("one new unmarked pair of just that time is the broker's own", () => {
    expect(sorted([pair("1"), pair("2")]).remove).toEqual([pair("2")]);
  });

  it.each<[string, object]>([
    ["of another time", { createdAt: now + 60_001 }],
    ["of an unknown time", { createdAt: undefined }],
  ])("a new unmarked pair %s is left alone and reported", (_, more) => {
    const listed = [pair("2", more)];
    expect(sorted(listed)).toEqual({ remove: [], retire: [], ambiguous: listed });
    expect(sorted([...listed, pair("3")])).toEqual({ remove: [pair("3")], retire: [], ambiguous: [] });
  });

  it.each<[string, object]>([
    ["with somebody's purpose", { purpose: "Anna's" }],
    ["of another broker", marked("v1", secretArn.replace("1111", "9999"))],
  ])("a new pair %s is left alone", (_, more) => {
    expect(sorted([pair("2", more)])).toEqual({ remove: [], retire: [], ambiguous: [] });
  });

  it("several are reported", () => {
    const listed = [pair("2"), pair("3")];
    expect(sorted(listed)).toEqual({ remove: [], retire: [], ambiguous: listed });
  });

  it("a noted pair is known, and no other is looked for", () => {
    const left = sorted([pair("2"), pair("3")], { versionId: "v1", created: { ...created, pairId: "3" } });
    expect(left).toEqual({ remove: [pair("3")], retire: [], ambiguous: [] });
  });

  it("a pair of a stored version is retired, because somebody may have used it", () => {
    const listed = [pair("2", marked("v1")), pair("3", marked("v2"))];
    const left = sorted(listed, { created: undefined });
    expect(left.retire).toEqual([{ pair: listed[0], versionId: "v1" }]);
    expect(left.remove).toEqual([listed[1]]);
  });

  it("a pair in use is left alone, with a mark and without", () => {
    const listed = [pair("2", marked("v1")), pair("3")];
    expect(sorted(listed, { isTaken: () => true })).toEqual({ remove: [], retire: [], ambiguous: [] });
  });

  it("a purpose names its version", () => {
    expect(markedVersion(purposeOf("a name with spaces", secretArn, "v1"), secretArn)).toBe("v1");
    expect(markedVersion(undefined, secretArn)).toBeUndefined();
    expect(markedVersion(`by hand ${secretArn} v1`, secretArn)).toBeUndefined();
  });
});
