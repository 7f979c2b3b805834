/** Attacks on a rotation, and mishaps around it: each test is named after the attack. */
import { describe, expect, it } from "vitest";
import type { Scope } from "../../../functions/domain/scope.ts";
import { emptySlot } from "../../../functions/domain/slot.ts";
import type { AuditFields } from "../../../functions/use-cases/record.ts";
import type { RotatingSecret } from "../../../functions/use-cases/rotation-job.ts";
import { loadRotation } from "./core.ts";
import { type FunctionPorts, portsFor } from "./ports.ts";
import { Secret } from "./secret.ts";
import { stand } from "./stand.ts";
import { baseUrl, broker, functionArn, secretName, versionName } from "./world.ts";

const core = await loadRotation(new URL("../../../functions/", import.meta.url));
const dayMinutes = 24 * 60;

/** A stand whose ports a test may change. */
function attacked(settings: Parameters<typeof stand>[1] = {}) {
  const s = stand(core, settings);
  const { world } = s;
  const finished = async (work: (audit: AuditFields) => Promise<unknown>) => {
    const audit: AuditFields = {};
    const end = work(audit).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    await world.simulation.run();
    return { audit, failure: await end, note: audit.rotations?.[0] };
  };
  const deadline = () => world.simulation.now + 117_000;
  const portsWith = (change: (ports: FunctionPorts) => Partial<FunctionPorts>): FunctionPorts => {
    const ports = portsFor(world, world.instance("attacked"));
    return { ...ports, ...change(ports) };
  };
  return {
    ...s,
    createWith: (change: (ports: FunctionPorts) => Partial<FunctionPorts>, version = versionName(1)) =>
      finished((audit) =>
        core.rotateSecret(
          portsWith(change),
          { step: "createSecret", secretId: world.secret.arn, versionId: version },
          {
            ...{ broker, functionArn, deadline: deadline(), audit },
            secrets: new Map([[secretName, world.rotating]]),
          },
        ),
      ),
    retireWith: (
      change: (ports: FunctionPorts) => Partial<FunctionPorts>,
      secrets: readonly RotatingSecret[] = [world.rotating],
    ) => finished((audit) => core.retirePairs(portsWith(change), { secrets, deadline: deadline(), audit })),
    async rotate(number = 1) {
      s.begin(number);
      for (const step of ["createSecret", "setSecret", "testSecret", "finishSecret"] as const)
        expect((await s.step(step, versionName(number))).failure).toBeUndefined();
    },
    /** Changes rows as the functions do. */
    async changeControl(change: (row: Awaited<ReturnType<typeof world.control>>) => object) {
      const row = await world.control();
      await world.table.secretControls.write(
        secretName,
        { ...row, ...change(row), version: row.version + 1, writeId: world.newId() },
        row.version,
      );
    },
  };
}

describe("a rotation under attack", () => {
  it("names the secret if its key refuses the new version", async () => {
    const { begin, createWith, world } = attacked();
    begin();
    const { failure } = await createWith(({ versions }) => ({
      versions: {
        ...versions,
        putPending: () => Promise.reject(new core.UnusableSecret("access_denied")),
      },
    }));
    expect(failure).toMatch(/^secret_malformed: .*\(access_denied\)$/);
    expect(world.accounts.tokens.every(({ alive }) => !alive)).toBe(true);
  });

  it("is not stuck after Secrets Manager has shown an old state of the pending version", async () => {
    const { begin, step, createWith, world, rotate } = attacked();
    begin();
    expect((await step("createSecret")).failure).toBeUndefined();
    const stale = await createWith(({ versions }) => ({
      versions: {
        ...versions,
        read: async (secretId, which) =>
          which.versionId === undefined ? await versions.read(secretId, which) : undefined,
      },
    }));
    expect(stale.failure).toMatch(/^locked: /);
    expect((await step("createSecret")).failure).toMatch(/^pending_pair_gone: /);
    expect(world.secret.at("AWSPENDING")).toBeUndefined();
    await rotate(2);
  });
});

describe("a new pair", () => {
  it("does not become current after an operator has denied it", async () => {
    const { begin, step, changeControl, world } = attacked();
    begin();
    await step("createSecret");
    await step("testSecret");
    await changeControl((row) => core.denyClientId(row, "client-4", world.simulation.now) ?? row);
    expect((await step("finishSecret")).failure).toMatch(/^pending_rejected: /);
    expect(world.secret.at("AWSCURRENT")).toBe(versionName(0));
  });

  it("of a killed run is reported although the clock of Looker is five minutes off", async () => {
    const { begin, step, createWith, world } = attacked();
    begin();
    const cut = await createWith(({ pairs }) => ({
      pairs: {
        ...pairs,
        create: async () => {
          world.simulation.now += 300_000;
          world.accounts.create("7", "broker");
          world.simulation.now -= 300_000;
          return { kind: "unknown", reason: "ECONNRESET" };
        },
      },
    }));
    expect(cut.failure).toMatch(/^looker_unavailable: /);
    expect((await step("createSecret")).note).toMatchObject({ reason: "ambiguous_pairs", pairs: 1 });
    expect(world.accounts.pairsOf("7")).toHaveLength(4);
  });
});

describe("a retirement under attack", () => {
  it("deletes a leaked pair although another one cannot be deleted", async () => {
    const { rotate, retire, pass, changeControl, world } = attacked();
    await rotate(1);
    await rotate(2);
    // The account of the oldest pair is gone at Looker: its list is refused for ever.
    await changeControl(({ rotation = core.noRotation }) => ({
      rotation: {
        ...rotation,
        retiring: rotation.retiring.map((pair, index) => (index === 0 ? { ...pair, userId: "99" } : pair)),
      },
    }));
    const mine = world.accounts.mayManage.bind(world.accounts);
    world.accounts.mayManage = (token, userId) => userId !== "99" && mine(token, userId);
    const operatorDenies = async (clientId: string) =>
      await changeControl((row) => core.denyClientId(row, clientId, world.simulation.now) ?? row);
    await operatorDenies("client-first");
    await operatorDenies("client-4");
    pass(6);
    const { audit } = await retire();
    expect(audit).toMatchObject({ reason: "needs_administrator", rotation_failures: 1 });
    expect(world.accounts.find("client-4")).toBeUndefined();
  });

  it("deletes a leaked pair although the Looker of another secret confirms no logout", async () => {
    const { rotate, retireWith, pass, changeControl, world } = attacked();
    await rotate(1);
    await changeControl((row) => core.denyClientId(row, "client-first", world.simulation.now) ?? row);
    const slow: RotatingSecret = {
      ...{ secretId: "looker/slow", baseUrl: "https://slow.cloud.looker.com", everyDays: 30 },
      scopes: ["slow"],
    };
    const secret = new Secret(slow.secretId, functionArn);
    const { clientId, clientSecret } = world.foreign;
    secret.put(versionName(7), { clientId, clientSecret }, "AWSCURRENT");
    (world.secrets as Map<string, Secret>).set(slow.secretId, secret);
    const now = world.simulation.now;
    const leaked = {
      ...{ clientId: "client-of-slow", userId: "7", versionId: "v", queuedAt: now, movedAt: now },
      denied: { at: now, by: "operator" as const },
    };
    await world.table.secretControls.write(
      slow.secretId,
      {
        ...{ attempts: [], throttles: [], deniedClientIds: [], version: 1, writeId: "a" },
        rotation: { retiring: [leaked] },
      },
      0,
    );
    pass(6);
    await retireWith(
      ({ looker, clock, pairs }) => ({
        looker: {
          ...looker,
          logout: async (baseUrl, token) => {
            if (baseUrl !== slow.baseUrl) return await looker.logout(baseUrl, token);
            await clock.sleep(5_000);
            return "timed_out";
          },
        },
        pairs: {
          ...pairs,
          list: async (baseUrl, token, userId) =>
            baseUrl === slow.baseUrl
              ? { kind: "failed", reason: "status_500" }
              : await pairs.list(baseUrl, token, userId),
        },
      }),
      [slow, world.rotating],
    );
    expect(world.accounts.find("client-first")).toBeUndefined();
  });

  it("does not delete a pair that lives on in the secret of another scope", async () => {
    const { rotate, retireWith, pass, world } = attacked();
    const { secretId, administratorId } = world.rotating;
    const scopes = [
      { name: "sales", baseUrl, secretId, rotation: { everyDays: 30, administratorId } },
      { name: "finance", baseUrl, secretId: "looker/finance" },
      { name: "elsewhere", baseUrl: "https://elsewhere.cloud.looker.com", secretId: "looker/elsewhere" },
    ] as unknown as Scope[];
    const secrets = [...core.rotatingSecrets(scopes).values()];
    expect(secrets.map((each) => each.scopes)).toEqual([["sales", "finance"]]);
    await rotate(1);
    pass(dayMinutes + 1);
    await retireWith(() => ({}), secrets);
    pass(5);
    const now = world.simulation.now;
    const lease = {
      ...{ leaseId: "lease-1", sealed: new Uint8Array([1]), tokenSha256: "0".repeat(64), baseUrl },
      ...{ clientId: "client-first", issuedAt: now, endsAt: now + 900_000, lookerEndsAt: now + 3_600_000 },
      ...{ epoch: 0, digest: "digest" },
    };
    const key = { scope: "finance", account: "111122223333", uniqueId: "AROACALLER0000000001" };
    await world.table.slots.write(key, { ...emptySlot, version: 1, writeId: "a", lease }, 0);
    await retireWith(() => ({}), secrets);
    expect(world.accounts.find("client-first")).toBeDefined();
  });

  it("takes no list without the current pair as proof of a deletion", async () => {
    const { rotate, retireWith, pass, world, rotation } = attacked();
    await rotate(1);
    pass(dayMinutes + 1);
    await retireWith(() => ({}));
    pass(5);
    const { audit } = await retireWith(({ pairs }) => ({
      pairs: { ...pairs, list: async () => ({ kind: "ok", value: [] }) },
    }));
    expect(audit.reason).toBe("needs_administrator");
    expect((await rotation()).retiring[0]?.deletedAt).toBeUndefined();
    expect(world.accounts.find("client-first")).toBeDefined();
  });
});

describe("a hand that changes the secret in the middle of a rotation", () => {
  it("is not overruled by the pair of another account", async () => {
    const { begin, step, rotation, world } = attacked();
    begin();
    await step("createSecret");
    await step("testSecret");
    const other = world.accounts.create("8", "others");
    world.secret.put("by-hand", other, "AWSCURRENT");
    expect((await step("finishSecret")).failure).toMatch(/^locked: /);
    expect(world.secret.at("AWSCURRENT")).toBe("by-hand");
    expect((await rotation()).retiring).toEqual([]);
    // Secrets Manager begins the rotation again.
    expect((await step("createSecret")).failure).toMatch(/^pending_pair_gone: /);
    expect(world.secret.at("AWSPENDING")).toBeUndefined();
  });

  it("puts no secret into the row or a record, if it stores a pair the wrong way round", async () => {
    const { begin, step, world } = attacked();
    begin();
    await step("createSecret");
    await step("testSecret");
    const { clientId, clientSecret } = world.foreign;
    world.secret.put("by-hand", { clientId: clientSecret, clientSecret: clientId }, "AWSCURRENT");
    const finish = await step("finishSecret");
    const forged = await step("finishSecret", "by-hand");
    expect(JSON.stringify([finish, forged, await world.control()])).not.toContain(clientSecret);
  });

  it("may roll back and forward, and the rotation goes on", async () => {
    const { rotate, begin, step, world } = attacked();
    await rotate(1);
    begin(2);
    await step("createSecret", versionName(2));
    world.secret.move("AWSCURRENT", versionName(1), versionName(0));
    await step("testSecret", versionName(2));
    expect((await step("finishSecret", versionName(2))).failure).toBeUndefined();
    expect(world.secret.at("AWSCURRENT")).toBe(versionName(2));
  });
});
