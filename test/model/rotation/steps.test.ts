import { describe, expect, it } from "vitest";
import { emptySlot, type Slot } from "../../../functions/domain/slot.ts";
import { loadRotation } from "./core.ts";
import { stand } from "./stand.ts";
import { baseUrl, secretName, versionName, type World } from "./world.ts";

const core = await loadRotation(new URL("../../../functions/", import.meta.url));
const dayMinutes = 24 * 60;

/** The new pair is current, and the old one waits. */
async function rotated() {
  const s = stand(core);
  s.begin();
  for (const step of ["createSecret", "setSecret", "testSecret", "finishSecret"] as const)
    expect((await s.step(step)).failure).toBeUndefined();
  return s;
}

/** Another run has the lock. */
async function lockFor(world: World, milliseconds: number): Promise<void> {
  const control = await world.control();
  const lock = { owner: "another", until: world.simulation.now + milliseconds };
  const row = { ...control, version: control.version + 1, writeId: "a", rotation: { lock, retiring: [] } };
  await world.table.secretControls.write(secretName, row, control.version);
}

describe("a step", () => {
  it("is recorded with the pair and its account", async () => {
    const { begin, step } = stand(core);
    begin();
    const { note, audit } = await step("createSecret");
    expect(note).toEqual({
      ...{ step: "createSecret", version: versionName(1), secret: secretName, outcome: "done" },
      ...{ client_id: "client-4", user_id: "7" },
    });
    expect(audit).toMatchObject({ outcome: "rotated", logins: 1, login_attempts: 1, logouts: 1 });
  });

  it("fails with advice in one line, and is counted", async () => {
    const { step } = stand(core);
    const { failure, audit, note } = await step("createSecret");
    expect(failure).toMatch(/^unknown_version: [^\n]+$/);
    expect(audit).toMatchObject({ reason: "unknown_version", rotation_failures: 1 });
    expect(note).toMatchObject({ secret: secretName, outcome: "failed", reason: "unknown_version" });
  });

  it("of the current version is done, without a call to Looker", async () => {
    const { step, world } = await rotated();
    const logins = world.accounts.logins.length;
    for (const again of ["createSecret", "setSecret", "testSecret", "finishSecret"] as const)
      expect((await step(again)).failure).toBeUndefined();
    expect(world.accounts.logins).toHaveLength(logins);
  });

  it("waits for another run, and does its work when the lock of that run is over", async () => {
    const { begin, step, world } = stand(core);
    begin();
    await lockFor(world, 60_000);
    const { note, audit } = await step("createSecret");
    expect(note).toMatchObject({ outcome: "done", client_id: "client-4" });
    expect(audit.wait_ms).toBeGreaterThan(60_000);
    // Killed, because it has not given its lock back.
    expect(audit.possible_orphans).toBe(1);
  });

  it("leaves everything alone where the lock lasts for too long, and ends in time for its record", async () => {
    const { begin, step, world } = stand(core);
    begin();
    await lockFor(world, 120_000);
    const begunAt = world.simulation.now;
    const { failure, audit } = await step("createSecret");
    expect(failure).toMatch(/^locked: /);
    expect(audit.rotation_failures).toBe(1);
    expect(world.simulation.now).toBeLessThanOrEqual(begunAt + 72_000);
    expect(world.accounts.logins).toEqual([]);
  });

  it("waits for longer than a pass of the retirement can last, even a killed one", async () => {
    const { begin, step, retire, world, rotation } = await rotated();
    const begunAt = world.simulation.now;
    let until = 0;
    world.table.after = async (operation) => {
      if (operation === "write") until ||= (await rotation()).lock?.until ?? 0;
    };
    await retire();
    world.table.after = undefined;
    begin(2);
    await lockFor(world, until - begunAt);
    expect((await step("createSecret", versionName(2))).note).toMatchObject({ outcome: "done" });
  });
});

describe("createSecret", () => {
  it("marks the pair with broker, secret and version", async () => {
    const { begin, step, world } = stand(core);
    begin();
    await step("createSecret");
    expect(world.accounts.find("client-4")?.purpose).toBe(
      `looker-token-broker model/Broker ${world.secret.arn} ${versionName(1)}`,
    );
  });

  it("repeated adopts the pair that is stored", async () => {
    const { begin, step, world } = stand(core);
    begin();
    await step("createSecret");
    expect((await step("createSecret")).note).toMatchObject({ client_id: "client-4", outcome: "done" });
    expect(world.accounts.pairsOf("7")).toHaveLength(3);
  });

  it("reports two new pairs of unknown makers, and leaves them", async () => {
    const { begin, step, world } = stand(core);
    begin();
    const created = {
      ...{ versionId: "killed", userId: "7", replaces: "client-first" },
      ...{ at: world.simulation.now, before: ["101", "102"] },
    };
    const rotation = { created, retiring: [] };
    const control = await world.control();
    await world.table.secretControls.write(secretName, { ...control, version: 1, writeId: "a", rotation }, 0);
    world.accounts.create("7", "others");
    world.accounts.create("7", "others");
    expect((await step("createSecret")).note).toMatchObject({
      ...{ outcome: "done", reason: "ambiguous_pairs", pairs: 2 },
    });
    expect(world.accounts.pairsOf("7")).toHaveLength(5);
  });
});

describe("testSecret", () => {
  it("without a pending value has the administrator find the account", async () => {
    const { begin, step, world } = stand(core);
    begin();
    expect((await step("testSecret")).note).toMatchObject({ outcome: "done", user_id: "7" });
    expect(world.accounts.tokens.every(({ alive }) => !alive)).toBe(true);
  });

  it("refuses a pair of another account", async () => {
    const { begin, step, world } = stand(core);
    begin();
    await step("createSecret");
    const made = world.accounts.find("client-4");
    world.accounts.pairs.splice(world.accounts.pairs.indexOf(made as never), 1, {
      ...made,
      userId: "8",
    } as never);
    expect((await step("testSecret")).failure).toMatch(/^another_user: /);
    expect(world.accounts.tokens.every(({ alive }) => !alive)).toBe(true);
  });

  it("logs in once in six minutes with a rejected pair", async () => {
    const { begin, step, pass, world } = stand(core);
    begin();
    await step("createSecret");
    const made = world.accounts.find("client-4");
    world.accounts.pairs.splice(world.accounts.pairs.indexOf(made as never), 1);
    expect((await step("testSecret")).failure).toMatch(/^pending_rejected: /);
    pass(5);
    expect((await step("testSecret")).failure).toMatch(/^pending_rejected: .*\(rejected\)$/);
    expect(world.accounts.logins.filter(({ clientId }) => clientId === "client-4")).toHaveLength(1);
  });
});

describe("finishSecret", () => {
  it("moves no stage to an untested pair", async () => {
    const { begin, step, world } = stand(core);
    begin();
    await step("createSecret");
    expect((await step("finishSecret")).failure).toMatch(/^pending_rejected: /);
    expect(world.secret.at("AWSCURRENT")).toBe(versionName(0));
  });

  it("tells instances with the old version to read again", async () => {
    const { begin, step, world } = stand(core);
    begin();
    await step("createSecret");
    await step("testSecret");
    const readAt = world.simulation.now;
    await step("finishSecret");
    expect(core.knowsNewerVersion(await world.control(), versionName(0), readAt)).toBe(true);
  });

  it("queues the old pair before the stage moves", async () => {
    const { rotation } = await rotated();
    expect((await rotation()).retiring).toMatchObject([{ clientId: "client-first", userId: "7" }]);
  });
});

describe("a retirement", () => {
  const key = { scope: "sales", account: "111122223333", uniqueId: "AROACALLER0000000001" };
  const token = (clientId: string, now: number) => ({
    ...{
      leaseId: "lease-0000000001",
      sealed: new Uint8Array([1]),
      tokenSha256: "0".repeat(64),
      baseUrl,
      clientId,
    },
    ...{ issuedAt: now, endsAt: now + 900_000, lookerEndsAt: now + 3_600_000, epoch: 0, digest: "digest" },
  });
  /** The old pair is denied, and its deletion is due. */
  async function denied(slot?: (now: number) => Partial<Slot>) {
    const s = await rotated();
    s.pass(dayMinutes + 1);
    expect((await s.retire()).note).toMatchObject({ outcome: "denied", client_id: "client-first" });
    s.pass(5);
    if (slot) {
      const row = { ...emptySlot, version: 1, writeId: "a", ...slot(s.world.simulation.now) };
      await s.world.table.slots.write(key, row, 0);
    }
    return s;
  }

  it("asks Looker nothing while a pair is not due", async () => {
    const { retire, world } = await rotated();
    const logins = world.accounts.logins.length;
    expect((await retire()).audit).toMatchObject({ outcome: "retired", overdue: 0, unretired: 0 });
    expect(world.accounts.logins).toHaveLength(logins);
  });

  it("deletes a pair without tokens, and forgets it later", async () => {
    const { retire, pass, world, rotation } = await denied();
    expect((await retire()).note).toMatchObject({
      step: "retire",
      outcome: "deleted",
      client_id: "client-first",
    });
    expect(world.accounts.find("client-first")).toBeUndefined();
    expect(core.isDenied(await world.control(), "client-first")).toBe(true);
    pass(10);
    expect((await retire()).note).toMatchObject({ outcome: "forgotten" });
    expect((await rotation()).retiring).toEqual([]);
    expect(core.isDenied(await world.control(), "client-first")).toBe(false);
  });

  it.each<[string, (now: number) => Partial<Slot>]>([
    ["a lease", (now) => ({ lease: token("client-first", now) })],
    ["a superseded lease", (now) => ({ superseded: [{ ...token("client-first", now), replaced: true }] })],
    [
      "a token whose logout is not confirmed",
      (now) => ({ outbox: [{ ...token("client-first", now), since: now, attempts: 1, retryAt: now }] }),
    ],
    [
      "a lock of before the denial",
      (now) => ({
        mint: { owner: "o", since: now - 400_000, until: now - 385_000, epoch: 0, doomed: false },
      }),
    ],
  ])("waits for %s", async (_, slot) => {
    const { retire, pass, world } = await denied(slot);
    await retire();
    expect(world.accounts.find("client-first")).toBeDefined();
    const row = await world.table.slots.read(key);
    await world.table.slots.write(key, { ...emptySlot, version: row.version + 1, writeId: "b" }, row.version);
    pass(5);
    await retire();
    expect(world.accounts.find("client-first")).toBeUndefined();
  });

  it.each<[string, (now: number) => Partial<Slot>]>([
    ["a lease of the new pair", (now) => ({ lease: token("client-4", now) })],
    ["a token ended by Looker", (now) => ({ lease: token("client-first", now - 4_000_000) })],
    [
      "a lock of after the denial",
      (now) => ({
        mint: { owner: "o", since: now, until: now + 15_000, epoch: 0, doomed: false },
      }),
    ],
  ])("does not wait for %s", async (_, slot) => {
    const { retire, world } = await denied(slot);
    await retire();
    expect(world.accounts.find("client-first")).toBeUndefined();
  });

  it("waits for an unreadable row", async () => {
    const { retire, world } = await denied(() => ({}));
    for (const [name, item] of world.table.items)
      if (name.includes("caller#")) world.table.items.set(name, { ...item, schema: 99 });
    expect((await retire()).audit.unreadable).toBe(1);
    expect(world.accounts.find("client-first")).toBeDefined();
  });

  it("leaves the old pair while the new one is not known to work", async () => {
    const s = await rotated();
    const { clientId, clientSecret } = s.world.foreign;
    s.world.secret.put("by-hand", { clientId, clientSecret }, "AWSCURRENT");
    s.pass(dayMinutes + 1);
    expect((await s.retire()).note).toBeUndefined();
    s.pass(2 * dayMinutes);
    expect((await s.retire()).audit.unretired).toBe(1);
  });

  it("counts a rotation two days late, or switched off", async () => {
    const s = stand(core);
    s.world.secret.lastRotatedAt = s.world.simulation.now;
    s.pass(32 * dayMinutes - 1);
    expect((await s.retire()).audit.overdue).toBe(0);
    s.pass(2);
    expect((await s.retire()).audit.overdue).toBe(1);
    s.world.secret.lastRotatedAt = s.world.simulation.now;
    s.world.secret.rotationEnabled = false;
    expect((await s.retire()).audit.overdue).toBe(1);
  });

  it("without an answer of Looker is told, and does not end the run", async () => {
    const { retire, world } = await denied();
    world.accounts.awayUntil = world.simulation.now + 1_000_000;
    const { audit, failure } = await retire();
    expect(failure).toBeUndefined();
    expect(audit).toMatchObject({ outcome: "retired", reason: "looker_unavailable", rotation_failures: 1 });
  });
});
