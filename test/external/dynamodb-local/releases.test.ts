/** Upgrades and rollbacks with live leases: releases with different rows, side by side and one after the other. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { scopeControlKey, secretControlKey } from "../../../functions/adapters/rows.ts";
import { asProblem } from "../../../functions/http/answer.ts";
import type { RunningEngine } from "../../../local/aws/dynamodb.ts";
import { callerKey, secretId } from "../../support/fakes/in-memory-broker.ts";
import { missingForDynamodbLocal, startDynamodbLocal } from "./engine.ts";
import { type Fleet, leaseMs, startWorld, type World } from "./fleet.ts";
import {
  currentRelease,
  editedRelease,
  newAttributes,
  type Release,
  readsNewSchema,
  releaseIn,
  removeReleases,
  writesNewSchema,
} from "./releases.ts";

const missing = missingForDynamodbLocal();
if (missing !== undefined) console.warn(`Skipped: ${missing}.`);

const [reports, jobs] = [callerKey("AROAREPORTSERVICE000"), callerKey("AROANIGHTLYJOB000000")];
const scopeRow = scopeControlKey("sales");
const secretRow = secretControlKey(secretId);

let engine: RunningEngine;
let world: World;
const opened: World[] = [];
if (missing === undefined) {
  beforeAll(async () => {
    engine = await startDynamodbLocal();
  }, 60_000);
  beforeEach(async () => {
    world = await startWorld(engine.url);
    opened.push(world);
  });
  afterAll(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await engine?.close();
    removeReleases();
  });
}

type Pair = [name: string, older: () => Promise<Release>, newer: () => Promise<Release>];
const neighbours: Pair[] = [
  ["today's release and one with new attributes", currentRelease, withNewAttributes],
  [
    "today's release and one that reads a new schema",
    currentRelease,
    () => editedRelease("reads-too", readsNewSchema),
  ],
  [
    "a release that reads a new schema and one that writes it",
    () => editedRelease("reads", readsNewSchema),
    () => editedRelease("writes", writesNewSchema),
  ],
];
/** A working tree of the release before, when a change of rows is tried (docs/how-to/change-rows.md). */
const before = process.env.RELEASE_BEFORE;
if (before !== undefined)
  neighbours.push([`the release in ${before} and today's`, () => releaseIn(before), currentRelease]);

function withNewAttributes(): Promise<Release> {
  return editedRelease("new-attributes", newAttributes);
}

describe.skipIf(missing !== undefined).each(neighbours)("%s", (_, loadOlder, loadNewer) => {
  let [older, newer]: [Fleet?, Fleet?] = [];
  const both = () => {
    if (!older || !newer) throw new Error("The fleets start with the first test.");
    return { older, newer };
  };
  let releases: [Release, Release];
  beforeAll(async () => {
    releases = [await loadOlder(), await loadNewer()];
  }, 60_000);
  beforeEach(() => {
    older = world.fleet(releases[0]);
    newer = world.fleet(releases[1]);
  });

  it("live leases of both releases survive the upgrade and the rollback", async () => {
    const { older, newer } = both();
    const first = await older.token(reports);
    const upgraded = await newer.token(reports);
    const second = await newer.token(jobs);
    const rolledBack = [await older.token(reports), await older.token(jobs)];
    expect([upgraded.leaseId, ...rolledBack.map(({ leaseId }) => leaseId)]).toEqual([
      first.leaseId,
      first.leaseId,
      second.leaseId,
    ]);
    expect(rolledBack.map(({ accessToken }) => accessToken)).toEqual([first.accessToken, second.accessToken]);
    expect(world.looker.logins()).toBe(2);
  });

  it("each renews the other's leases, and both go on with the latest", async () => {
    const { older, newer } = both();
    await newer.token(reports);
    for (const [renewing, other] of [
      [older, newer],
      [newer, older],
    ] as const) {
      world.clock.jump(0.9 * leaseMs);
      const renewed = await renewing.token(reports);
      expect((await other.token(reports)).leaseId).toBe(renewed.leaseId);
    }
    expect(world.looker.logins()).toBe(3);
  });

  it("each counts the logins of the other in the budget", async () => {
    const { older, newer } = both();
    for (let login = 0; login < 10; login++) {
      const fleet = login % 2 === 0 ? older : newer;
      await fleet.token(reports);
      expect((await fleet.logOut(reports)).revoked).toBe(1);
    }
    for (const fleet of [older, newer])
      await expect(fleet.token(reports)).rejects.toMatchObject({ code: "too_many_mints" });
    expect(world.looker.logins()).toBe(10);
  });

  it.each(["older", "newer"] as const)("the %s one ends the other's leases, by each verb", async (by) => {
    const fleet = both()[by];
    const maker = both()[by === "older" ? "newer" : "older"];
    const dead = { revoked: 1, pending: 0 };
    const { leaseId } = await maker.token(reports);
    expect(await fleet.revoke({ leaseId })).toMatchObject({ matched: 1, ...dead });
    await maker.token(reports);
    expect(await fleet.logOut(reports)).toMatchObject(dead);
    await maker.token(reports);
    expect(await fleet.revoke({ callerArn: reports.callerArn })).toMatchObject(dead);
    await maker.token(reports);
    expect(await fleet.revoke({ all: true })).toMatchObject(dead);
    await maker.token(reports);
    expect(await fleet.freeze()).toMatchObject(dead);
    await expect(maker.token(reports)).rejects.toMatchObject({ code: "scope_frozen" });
    await maker.unfreeze();
    await fleet.token(reports);
    expect(world.looker.live.size).toBe(1);
  });

  it.each(["older", "newer"] as const)(
    "the sweeper of the %s one ends the other's ended and pending leases",
    async (by) => {
      const fleet = both()[by];
      const maker = both()[by === "older" ? "newer" : "older"];
      const ended = await maker.token(reports);
      world.looker.onLogout = () => "failed";
      await maker.token(jobs);
      expect(await maker.logOut(jobs)).toMatchObject({ revoked: 0, pending: 1 });
      world.looker.onLogout = undefined;
      expect(world.looker.live.size).toBe(2);
      world.clock.jump(leaseMs + 1_000);
      expect(await fleet.sweep()).toMatchObject({ revoked: 2, pending: 0 });
      expect(world.looker.live.size).toBe(0);
      expect((await maker.token(reports)).leaseId).not.toBe(ended.leaseId);
    },
  );

  it.each(["older", "newer"] as const)(
    "a login of the %s one is caught by the other's revocation",
    async (by) => {
      const fleet = both()[by];
      const other = both()[by === "older" ? "newer" : "older"];
      world.looker.onLogin = async () => {
        world.looker.onLogin = undefined;
        expect(await other.revoke({ all: true })).toMatchObject({ matched: 1, pending: 1 });
        return undefined;
      };
      await expect(fleet.token(reports)).rejects.toMatchObject({ code: "busy" });
      expect(world.looker.live.size).toBe(0);
      const [fresh, shared] = [await fleet.token(reports), await other.token(reports)];
      expect(shared.leaseId).toBe(fresh.leaseId);
    },
  );
});

describe.skipIf(missing !== undefined)("an attribute unknown to today's release", () => {
  let today: Fleet;
  let next: Fleet;
  let releases: [Release, Release];
  beforeAll(async () => {
    releases = [await currentRelease(), await withNewAttributes()];
  }, 60_000);
  beforeEach(() => {
    today = world.fleet(releases[0]);
    next = world.fleet(releases[1]);
  });

  it("is in slots, tokens and both control rows of the next release", async () => {
    await next.token(reports);
    await next.revoke({ all: true });
    await next.token(reports);
    expect(await world.slotRow(reports)).toMatchObject({
      schema: 1,
      renewals: 2,
      lease: { minted_by: expect.any(String) },
    });
    expect(await world.row(scopeRow)).toMatchObject({ schema: 1, raises: 1 });
    expect(await world.row(secretRow)).toMatchObject({ schema: 1, changes: 2 });
  });

  it("stays while today's release only reads: serving and listing change no row", async () => {
    const { leaseId } = await next.token(reports);
    const rows = await world.rows();
    expect((await today.token(reports)).leaseId).toBe(leaseId);
    expect((await today.list()).leases).toMatchObject([{ leaseId, state: "live" }]);
    await today.sweep();
    expect(await world.rows()).toEqual(rows);
  });

  it("is dropped by the next write of today's release, and the next release does without it", async () => {
    await next.token(reports);
    await next.revoke({ all: true });
    await next.token(reports);
    world.clock.jump(0.9 * leaseMs);
    await today.token(reports);
    await today.freeze();
    await today.unfreeze();
    const [slot, scope] = [await world.slotRow(reports), await world.row(scopeRow)];
    expect(JSON.stringify([slot, scope])).not.toMatch(/renewals|minted_by|raises/);
    // The count begins again.
    await next.token(reports);
    expect(await world.slotRow(reports)).toMatchObject({
      renewals: 1,
      lease: { minted_by: expect.any(String) },
    });
  });
});

describe.skipIf(missing !== undefined)("a row of a schema unknown to today's release", () => {
  let today: Fleet;
  let reading: Fleet;
  let writing: Fleet;
  let releases: [Release, Release, Release];
  beforeAll(async () => {
    releases = [
      await currentRelease(),
      await editedRelease("next-reads", readsNewSchema),
      await editedRelease("next-writes", writesNewSchema),
    ];
  }, 60_000);
  beforeEach(() => {
    [today, reading, writing] = releases.map((release) => world.fleet(release)) as [Fleet, Fleet, Fleet];
  });

  /** Today's release made the lease of `jobs`, and a release two steps later the one of `reports`. */
  async function skippedRelease() {
    const own = await today.token(jobs);
    const newer = await writing.token(reports);
    expect(await world.slotRow(reports)).toMatchObject({ schema: 2 });
    expect(await world.slotRow(jobs)).toMatchObject({ schema: 1 });
    return { own, newer };
  }

  it("is not served, not written and no reason to log in, and the answer says nothing of it", async () => {
    await skippedRelease();
    const [row, logins] = [await world.slotRow(reports), world.looker.logins()];
    for (const ask of [today.token, today.logOut]) {
      const error = await ask(reports).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(asProblem(error)).toMatchObject({ code: "internal", reason: "unreadable_row" });
    }
    expect(await world.slotRow(reports)).toEqual(row);
    expect(world.looker.logins()).toBe(logins);
    expect(world.looker.live.size).toBe(2);
  });

  it("is pending for every revocation that could mean it, and never told to be dead", async () => {
    const { newer } = await skippedRelease();
    const row = await world.slotRow(reports);
    const pending = { matched: 1, revoked: 0, pending: 1, audit: { unreadable: 1 } };
    expect(await today.count({ leaseId: newer.leaseId })).toMatchObject({
      matched: 1,
      audit: { unreadable: 1 },
    });
    expect(await today.revoke({ leaseId: newer.leaseId })).toMatchObject(pending);
    expect(await today.list()).toMatchObject({ audit: { unreadable: 1 } });
    // The readable row of the same name is ended.
    expect(await today.revoke({ all: true })).toMatchObject({ matched: 2, revoked: 1, pending: 1 });
    expect(await world.slotRow(reports)).toEqual(row);
    expect(world.looker.live).toEqual(new Set([newer.accessToken]));
  });

  it("is left alone and counted by the sweeper, and the readable rows are swept", async () => {
    const { newer } = await skippedRelease();
    const row = await world.slotRow(reports);
    world.clock.jump(leaseMs + 1_000);
    expect(await today.sweep()).toMatchObject({ revoked: 1, pending: 0, audit: { unreadable: 1 } });
    expect(await world.slotRow(reports)).toEqual(row);
    expect(world.looker.live).toEqual(new Set([newer.accessToken]));
    // A release with its schema ends it, late.
    expect(await reading.sweep()).toMatchObject({ revoked: 1, pending: 0 });
    expect(world.looker.live.size).toBe(0);
  });

  it("is served as before by the releases with its schema, once they are back", async () => {
    const { newer } = await skippedRelease();
    await today.sweep();
    await expect(today.token(reports)).rejects.toThrow();
    expect((await reading.token(reports)).leaseId).toBe(newer.leaseId);
    expect((await writing.token(reports)).leaseId).toBe(newer.leaseId);
    expect(world.looker.logins()).toBe(2);
  });

  it("is fenced by the raised epoch all the same: after today's revocation no later release serves it", async () => {
    const { newer } = await skippedRelease();
    expect(await today.revoke({ all: true })).toMatchObject({ pending: 1 });
    expect((await reading.token(reports)).leaseId).not.toBe(newer.leaseId);
    // A second revocation, by a release with its schema, ends it at Looker too.
    expect(await reading.revoke({ all: true })).toMatchObject({ matched: 2, revoked: 2, pending: 0 });
    expect(world.looker.live.size).toBe(0);
  });

  it("holds up its own caller alone: the others of today's release are served", async () => {
    const { own } = await skippedRelease();
    expect((await today.token(jobs)).leaseId).toBe(own.leaseId);
  });

  it.each([
    ["a scope's", scopeRow],
    ["a secret's", secretRow],
  ])("stops today's release where it is %s control row: no token, no login, no write", async (_, key) => {
    await writing.token(jobs);
    await writing.freeze();
    await writing.unfreeze();
    const row = await world.row(key);
    expect(row).toMatchObject({ schema: 2 });
    const logins = world.looker.logins();
    await expect(today.token(reports)).rejects.toThrow();
    if (key === scopeRow) await expect(today.freeze()).rejects.toMatchObject({ name: "Unreadable" });
    else await expect(today.revoke({ clientId: "clientOne" })).rejects.toMatchObject({ name: "Unreadable" });
    expect(await world.row(key)).toEqual(row);
    expect(world.looker.logins()).toBe(logins);
  });

  it("overtakes a login of today's release: its token is ended at Looker, and the row stays as it is", async () => {
    let overtaken: unknown;
    world.looker.onLogin = async () => {
      world.looker.onLogin = undefined;
      expect(await writing.logOut(reports)).toMatchObject({ revoked: 0, pending: 1 });
      overtaken = await world.slotRow(reports);
      return undefined;
    };
    await expect(today.token(reports)).rejects.toMatchObject({ name: "Unreadable" });
    expect(overtaken).toMatchObject({ schema: 2, mint: { doomed: true } });
    expect(await world.slotRow(reports)).toEqual(overtaken);
    expect(world.looker.logins()).toBe(1);
    expect(world.looker.live.size).toBe(0);
  });
});
