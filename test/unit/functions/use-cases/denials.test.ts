import { describe, expect, it } from "vitest";
import { digestOf } from "../../../../functions/domain/digest.ts";
import type { RetiringPair } from "../../../../functions/domain/rotation.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { secretId } from "../../../support/fakes/in-memory-broker.ts";
import { inMemoryOperator, numberedCaller } from "../../../support/fakes/in-memory-operator.ts";
import { minutes, setUp } from "../../../support/fakes/operator-use-cases.ts";

type All = ReturnType<typeof setUp>;
const changeControl = async ({ table }: All, change: object) => {
  const control = await table.secretControls.read(secretId);
  const next = { ...control, ...change, version: control.version + 1, writeId: "by-the-test" };
  expect(await table.secretControls.write(secretId, next, control.version)).toBe(true);
};

describe("a denial", () => {
  it("says before and afterwards whether the newest working version has the client id", async () => {
    const all = setUp();
    await all.issue({ key: numberedCaller(1) });
    for (const [clientId, inUse] of [
      ["clientOne", true],
      ["clientOld", false],
    ] as const) {
      expect((await all.count({ clientId })).denial).toEqual({ inUse });
      expect((await all.revoke({ clientId })).denial).toEqual({ inUse });
      expect((await all.revoke({ clientId })).denial).toEqual({ inUse });
    }
  });

  it("of the pair before is not in use, once a login by the new one has worked", async () => {
    const all = setUp();
    await all.issue({ key: numberedCaller(1) });
    const second = { clientId: "clientTwo", clientSecret: "secret-of-two", versionId: "version-2" };
    all.stored.set(secretId, second);
    expect((await all.count({ clientId: "clientOne" })).denial).toEqual({ inUse: true });
    all.clock.jump(1);
    await all.issue({ key: numberedCaller(2), on: all.instance() });
    expect((await all.count({ clientId: "clientOne" })).denial).toEqual({ inUse: false });
    expect((await all.count({ clientId: "clientTwo" })).denial).toEqual({ inUse: true });
  });

  it("is told only of a client id without other filters", async () => {
    const all = setUp();
    await all.issue({ key: numberedCaller(1) });
    for (const request of [{ clientId: "clientOne", leaseId: "a-lease-id" }, { all: true } as const]) {
      expect((await all.count(request)).denial).toBeUndefined();
      expect((await all.revoke(request)).denial).toBeUndefined();
    }
    expect((await all.ask({ key: numberedCaller(2) })).code).toBe("ok");
  });
});

describe("a denial that is taken back", () => {
  it("lets the next login through, and twice is the same as once", async () => {
    const all = setUp();
    await all.issue({ key: numberedCaller(1) });
    await all.revoke({ clientId: "clientOne" });
    expect((await all.ask({ key: numberedCaller(1) })).code).toBe("looker_rejected_credentials");
    await all.allow("clientOne");
    await all.allow("clientOne");
    all.clock.jump(10_000);
    expect((await all.ask({ key: numberedCaller(1) })).code).toBe("ok");
  });

  it("leaves the other denials as they are", async () => {
    const all = setUp();
    await all.revoke({ clientId: "clientOne" });
    await all.revoke({ clientId: "clientTwo" });
    await all.allow("clientTwo");
    const { deniedClientIds } = await all.table.secretControls.read(secretId);
    expect(deniedClientIds).toEqual([digestOf("clientOne")]);
  });

  it("that was none writes nothing", async () => {
    const all = setUp();
    all.table.calls.length = 0;
    await all.allow("clientOne");
    expect(all.table.calls.map(({ operation }) => operation)).not.toContain("write");
  });

  it("is taken back though the answer to the write was lost", async () => {
    const all = setUp();
    await all.revoke({ clientId: "clientOne" });
    let lost = false;
    all.table.after = (operation) => {
      if (operation !== "write" || lost) return;
      lost = true;
      throw new Unavailable("dynamodb");
    };
    await all.allow("clientOne");
    expect(lost).toBe(true);
    expect((await all.table.secretControls.read(secretId)).deniedClientIds).toEqual([]);
  });

  it("brings no ended lease back", async () => {
    const all = setUp();
    all.looker.onLogout = () => "unconfirmed";
    const before = await all.issue({ key: numberedCaller(1) });
    await all.revoke({ clientId: "clientOne" });
    await all.allow("clientOne");
    expect((await all.issue({ key: numberedCaller(1) })).leaseId).not.toBe(before.leaseId);
  });
});

describe("a pair that the rotation retires", () => {
  const pair = (now: number, more: Partial<RetiringPair>): RetiringPair => ({
    ...{ clientId: "clientOld", userId: "7", versionId: "v0", queuedAt: now, movedAt: now },
    ...more,
  });
  const retiring = async (all: All, more: Partial<RetiringPair>) =>
    await changeControl(all, { rotation: { retiring: [pair(all.clock.now(), more)] } });

  it("is allowed again as long as its deletion cannot be under way", async () => {
    const all = setUp();
    await retiring(all, {});
    await all.revoke({ clientId: "clientOld" });
    all.clock.jump(3 * minutes - 1);
    expect(await all.allow("clientOld")).toBe(true);
    expect(await all.allow("clientOld")).toBe(false);
    const { rotation, deniedClientIds } = await all.table.secretControls.read(secretId);
    expect([rotation?.retiring[0]?.denied, deniedClientIds]).toEqual([undefined, []]);
  });

  it.each<[string, (all: All) => Promise<void>]>([
    [
      "an operator denied it three minutes ago",
      async (all) => {
        await retiring(all, {});
        await all.revoke({ clientId: "clientOld" });
        all.clock.jump(3 * minutes);
      },
    ],
    [
      "the rotation denied it",
      async (all) => await retiring(all, { denied: { at: all.clock.now(), by: "rotation" } }),
    ],
    [
      "the rotation denied it, and then an operator",
      async (all) => {
        await retiring(all, { movedAt: all.clock.now() - 25 * 60 * minutes });
        await all.revoke({ clientId: "clientOld" });
      },
    ],
    ["Looker has deleted it", async (all) => await retiring(all, { deletedAt: all.clock.now() })],
  ])("stays denied, and nothing is written: %s", async (_, arrange) => {
    const all = setUp();
    await arrange(all);
    const before = await all.table.secretControls.read(secretId);
    await expect(all.allow("clientOld")).rejects.toMatchObject({
      code: "bad_request",
      reason: "pair_retired",
      detail: expect.stringMatching(/^client_id: the rotation of the secret has retired this pair/),
    });
    expect(await all.table.secretControls.read(secretId)).toEqual(before);
  });
});

describe("the record", () => {
  it("of a denial and of its end names a client id taken by Looker", async () => {
    const { broker, revoke, allow, lines } = inMemoryOperator();
    await broker.issue();
    await revoke({ client_id: "clientOne", dry_run: "true" });
    await revoke({ client_id: "clientOne" });
    await allow("clientOne");
    expect(lines.map(({ verb, outcome, client_id }) => [verb, outcome, client_id])).toEqual([
      ["revoke", "counted", "clientOne"],
      ["revoke", "revoked", "clientOne"],
      ["allow", "allowed", "clientOne"],
    ]);
  });

  it("names no other", async () => {
    const { broker, revoke, allow, lines } = inMemoryOperator();
    await broker.issue();
    await revoke({ client_id: "clientTwo" });
    await allow("clientTwo");
    expect(JSON.stringify(lines)).not.toContain("clientTwo");
  });

  it("of a search and of a revocation by hash names the lease that was found, and never the hash", async () => {
    const { broker, revoke, list, lines } = inMemoryOperator();
    const { accessToken, leaseId } = await broker.issue();
    const { tokenSha256 } = (await broker.slot()).lease ?? expect.fail("no lease");
    expect(tokenSha256).not.toContain(accessToken);
    await list({ token_sha256: tokenSha256 });
    await revoke({ token_sha256: tokenSha256 });
    await list({ token_sha256: tokenSha256 });
    expect(lines.map(({ verb, filters, lease_id }) => [verb, filters, lease_id])).toEqual([
      ["list", ["token_sha256"], leaseId],
      ["revoke", ["token_sha256"], leaseId],
      ["list", ["token_sha256"], undefined],
    ]);
    expect(JSON.stringify(lines)).not.toContain(tokenSha256);
  });
});
