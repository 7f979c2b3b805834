import { describe, expect, it } from "vitest";
import { maxDeniedClientIds } from "../../../../functions/domain/control.ts";
import { clockSkewMs } from "../../../../functions/domain/lease.ts";
import type { IssuedToken } from "../../../../functions/use-cases/issue.ts";
import {
  countLeases,
  freezeScope,
  type ListPosition,
  listLeases,
  type RevocationRequest,
  revokeLeases,
  unfreezeScope,
} from "../../../../functions/use-cases/operate.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import type { AuditFields } from "../../../../functions/use-cases/record.ts";
import { inMemoryBroker, sales, secretId } from "../../../support/fakes/in-memory-broker.ts";
import { numberedCaller, operatePorts, sweepNow } from "../../../support/fakes/in-memory-operator.ts";

const operator = "arn:aws:iam::111122223333:role/oncall";
const roleArn = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
const minutes = 60_000;

function setUp() {
  const broker = inMemoryBroker();
  const ports = operatePorts(broker);
  const job = (budgetMs = 24_000) => {
    const audit: AuditFields = {};
    return { scope: sales, deadline: broker.clock.now() + budgetMs, audit };
  };
  return {
    ...broker,
    broker,
    ports,
    revoke: (request: RevocationRequest) => revokeLeases(ports, job(), request),
    count: (request: RevocationRequest) => countLeases(ports, job(), request),
    freeze: (reason = "incident 7") =>
      freezeScope(ports, job(), { by: operator, at: broker.clock.now(), reason }),
    unfreeze: () => unfreezeScope(ports, job()),
    list: (from: ListPosition = { partition: 0, after: undefined }) => listLeases(ports, job(), from),
    control: () => broker.table.scopeControls.read("sales"),
  };
}

/** The latest time before which something issued at `at` was certainly not issued, whichever clock was right. */
const apart = (at = 0) => at - clockSkewMs;

/** Two successors of one role, then another role, then that role's successor with another client id, minutes apart. */
async function withFour() {
  const all = setUp();
  const keys = [
    numberedCaller(1),
    numberedCaller(2),
    numberedCaller(1, "report-nightly"),
    numberedCaller(2, "report-nightly"),
  ] as const;
  const tokens: IssuedToken[] = [];
  const issuedAt: number[] = [];
  for (const [index, key] of keys.entries()) {
    if (index === 3) {
      all.stored.set(secretId, {
        clientId: "clientTwo",
        clientSecret: "secret-of-two",
        versionId: "version-2",
      });
      all.clock.jump(301_000);
    }
    issuedAt.push(all.clock.now());
    tokens.push(await all.issue({ key }));
    all.clock.jump(minutes);
  }
  const [a, b, c, d] = tokens;
  if (!a || !b || !c || !d) throw new Error("four tokens were to be made");
  const live = () => tokens.map(({ accessToken }) => all.looker.live.has(accessToken));
  return { ...all, keys, issuedAt, live, a, b, c, d };
}

describe("filters", () => {
  type Four = Awaited<ReturnType<typeof withFour>>;
  it.each<[string, (four: Four) => RevocationRequest, number[]]>([
    ["a lease", ({ b }) => ({ leaseId: b.leaseId }), [1]],
    ["a lease that is none", () => ({ leaseId: "no-such-lease" }), []],
    ["a caller, all its unique ids", () => ({ callerArn: roleArn("report-service") }), [0, 1]],
    ["a caller that holds nothing", () => ({ callerArn: roleArn("report-other") }), []],
    [
      "a caller in another account",
      () => ({ callerArn: "arn:aws:iam::444455556666:role/report-service" }),
      [],
    ],
    [
      "a time, and what another clock may have put after it",
      ({ issuedAt }) => ({ issuedBefore: apart(issuedAt[2]) }),
      [0, 1],
    ],
    ["a client id", () => ({ clientId: "clientOne" }), [0, 1, 2]],
    ["a client id that nobody used", () => ({ clientId: "clientThree" }), []],
    [
      "caller and time",
      ({ issuedAt }) => ({ callerArn: roleArn("report-service"), issuedBefore: apart(issuedAt[1]) }),
      [0],
    ],
    ["caller and client id", () => ({ callerArn: roleArn("report-nightly"), clientId: "clientOne" }), [2]],
    [
      "time and client id",
      ({ issuedAt }) => ({ issuedBefore: apart(issuedAt[1]), clientId: "clientOne" }),
      [0],
    ],
    [
      "a lease of another caller",
      ({ a }) => ({ leaseId: a.leaseId, callerArn: roleArn("report-nightly") }),
      [],
    ],
    ["everything", () => ({ all: true }), [0, 1, 2, 3]],
  ])("%s: ends these and no others", async (_, request, ended) => {
    const four = await withFour();
    expect(await four.count(request(four))).toBe(ended.length);
    expect(await four.revoke(request(four))).toEqual({
      matched: ended.length,
      revoked: ended.length,
      pending: 0,
    });
    expect(four.live()).toEqual([0, 1, 2, 3].map((index) => !ended.includes(index)));
  });

  it("a dry run writes nothing and asks Looker nothing", async () => {
    const four = await withFour();
    const before = structuredClone([...four.table.items]);
    four.table.calls.length = 0;
    for (const request of [
      { all: true } as const,
      { clientId: "clientOne" },
      { callerArn: roleArn("report-service") },
    ])
      await four.count(request);
    expect([...four.table.items]).toEqual(before);
    expect(four.table.calls.some(({ operation }) => operation === "write")).toBe(false);
    expect(four.looker.logouts()).toEqual([]);
  });

  it("counts as pending what Looker does not confirm, again when asked again, and never as revoked", async () => {
    const four = await withFour();
    four.looker.onLogout = (token) => (token === four.a.accessToken ? "unconfirmed" : undefined);
    const request = { callerArn: roleArn("report-service") };
    expect(await four.revoke(request)).toEqual({ matched: 2, revoked: 1, pending: 1 });
    expect(await four.revoke(request)).toEqual({ matched: 1, revoked: 0, pending: 1 });
    four.looker.onLogout = undefined;
    expect(await four.revoke(request)).toEqual({ matched: 1, revoked: 1, pending: 0 });
    expect(await four.revoke(request)).toEqual({ matched: 0, revoked: 0, pending: 0 });
  });

  it.each<[string, RevocationRequest, number]>([
    ["caller", { callerArn: roleArn("report-service") }, 1],
    ["another caller", { callerArn: roleArn("report-nightly") }, 0],
    ["client id", { clientId: "clientOne" }, 1],
    ["a single lease", { leaseId: "no-such-lease" }, 0],
    ["everything", { all: true }, 1],
  ])(
    "a login under way that %s could mean counts as pending, and its token is ended",
    async (_, request, pending) => {
      const all = setUp();
      const asked = new Promise<Awaited<ReturnType<typeof all.revoke>>>((resolve, reject) => {
        all.looker.onLogin = async () => {
          all.looker.onLogin = undefined;
          await all.revoke(request).then(resolve, reject);
          return undefined;
        };
      });
      const answer = await all.ask({ key: numberedCaller(1) });
      expect(await asked).toEqual({ matched: pending, revoked: 0, pending });
      expect(answer.token === undefined).toBe(pending === 1);
      expect(all.looker.live.size).toBe(1 - pending);
    },
  );

  it("a time before the login under way began leaves it alone", async () => {
    const all = setUp();
    const before = apart(all.clock.now());
    all.looker.onLogin = async () => {
      all.looker.onLogin = undefined;
      expect(await all.revoke({ issuedBefore: before })).toEqual({ matched: 0, revoked: 0, pending: 0 });
      return undefined;
    };
    expect((await all.ask({ key: numberedCaller(1) })).code).toBe("ok");
  });

  it("a table that fails on the way is `busy`, with what to do", async () => {
    const four = await withFour();
    four.table.before = (operation, key) => {
      if (operation === "write" && key.includes("caller#")) throw new Unavailable("dynamodb");
    };
    await expect(four.revoke({ callerArn: roleArn("report-service") })).rejects.toMatchObject({
      code: "busy",
      retryAfterSeconds: 1,
      detail: expect.stringMatching(/Repeat the call.*freeze/s),
    });
    four.table.before = undefined;
    expect(await four.revoke({ callerArn: roleArn("report-service") })).toMatchObject({
      revoked: 2,
      pending: 0,
    });
  });

  it("a row that cannot be read does not keep the others from being ended", async () => {
    const four = await withFour();
    four.row(four.keys[0]).schema = 99;
    expect(await four.revoke({ callerArn: roleArn("report-service") })).toMatchObject({ revoked: 1 });
    expect(four.live()).toEqual([true, false, true, true]);
    expect(await four.revoke({ all: true })).toMatchObject({ revoked: 2 });
    expect(four.live()).toEqual([true, false, false, false]);
  });
});

describe("a client id", () => {
  it("is denied before anything else is written", async () => {
    const four = await withFour();
    four.table.calls.length = 0;
    await four.revoke({ clientId: "clientOne" });
    const writes = four.table.calls.filter(({ operation }) => operation === "write").map(({ key }) => key);
    expect(writes[0]).toBe(`secret#${secretId} #control`);
    expect(writes.length).toBeGreaterThan(1);
  });

  it("stays denied: no login with it is made again, and a new version with another works at once", async () => {
    const all = setUp();
    await all.issue({ key: numberedCaller(1) });
    expect(await all.revoke({ clientId: "clientOne" })).toEqual({ matched: 1, revoked: 1, pending: 0 });
    const logins = all.looker.logins();
    const refused = await all.ask({ key: numberedCaller(1) });
    expect(refused.code).toBe("looker_rejected_credentials");
    expect(refused.problem?.detail).toContain("denied");
    expect(all.looker.logins()).toBe(logins);
    all.stored.set(secretId, {
      clientId: "clientTwo",
      clientSecret: "secret-of-two",
      versionId: "version-2",
    });
    expect((await all.ask({ key: numberedCaller(2), on: all.instance() })).code).toBe("ok");
    // An instance that has the old version in memory, and the caller that was refused, within ten seconds.
    all.clock.jump(10_000);
    expect((await all.ask({ key: numberedCaller(1) })).code).toBe("ok");
    expect(
      all.looker.ledger.filter((call) => call.kind === "login" && call.clientId === "clientOne"),
    ).toHaveLength(1);
  });

  it("is denied though the table fails right after", async () => {
    const all = setUp();
    await all.issue({ key: numberedCaller(1) });
    all.table.before = (operation) => {
      if (operation === "querySlots") throw new Unavailable("dynamodb");
    };
    await expect(all.revoke({ clientId: "clientOne" })).rejects.toMatchObject({ code: "busy" });
    all.table.before = undefined;
    expect((await all.ask({ key: numberedCaller(2) })).code).toBe("looker_rejected_credentials");
  });

  it("too many denied are refused by name, and those that are denied already are not too many", async () => {
    const all = setUp();
    for (let index = 0; index < maxDeniedClientIds; index++)
      await all.revoke({ clientId: `client-${index}` });
    await expect(all.revoke({ clientId: "one-more" })).rejects.toMatchObject({ code: "bad_request" });
    expect(await all.revoke({ clientId: "client-7" })).toEqual({ matched: 0, revoked: 0, pending: 0 });
  });
});

describe("a whole scope", () => {
  it("is fenced by one write, though everything after it fails; the sweeper ends the rest", async () => {
    const four = await withFour();
    let fenced = false;
    four.table.before = () => {
      if (fenced) throw new Unavailable("dynamodb");
    };
    four.table.after = (operation, key) => {
      if (operation === "write" && key === "scope#sales #control") fenced = true;
    };
    const result = await four.revoke({ all: true });
    expect(result.revoked).toBe(0);
    expect(result.pending).toBeGreaterThanOrEqual(1);
    four.table.before = undefined;
    four.table.after = undefined;
    // Not one slot was written, and yet none of it is served.
    const again = await Promise.all(four.keys.map((key) => four.ask({ key })));
    const old = [four.a, four.b, four.c, four.d].map(({ accessToken }) => accessToken);
    for (const { token } of again) expect(old).not.toContain(token?.accessToken);
    await sweepNow(four.broker);
    expect(four.live()).toEqual([false, false, false, false]);
    // What was issued after the fence lives on.
    for (const { token } of again) expect(four.looker.live.has(token?.accessToken ?? "")).toBe(true);
    expect((await four.control()).job).toBeUndefined();
  });

  it("raises the epoch once, though the answer to the write was lost", async () => {
    const four = await withFour();
    let lost = false;
    four.table.after = (operation, key) => {
      if (operation !== "write" || key !== "scope#sales #control" || lost) return;
      lost = true;
      throw new Unavailable("dynamodb");
    };
    expect(await four.revoke({ all: true })).toEqual({ matched: 4, revoked: 4, pending: 0 });
    expect(await four.control()).toMatchObject({ epoch: 1 });
  });

  it("that could not be fenced is no success", async () => {
    const four = await withFour();
    four.table.before = (operation) => {
      if (operation === "write") throw new Unavailable("dynamodb");
    };
    await expect(four.revoke({ all: true })).rejects.toBeInstanceOf(Unavailable);
    four.table.before = undefined;
    expect(four.live()).toEqual([true, true, true, true]);
    expect((await four.issue({ key: four.keys[0] })).leaseId).toBe(four.a.leaseId);
  });

  it("is carried on from its partition after a crash", async () => {
    const four = await withFour();
    four.table.before = (operation, key) => {
      if (operation === "querySlots" && key === "scope#sales#9") throw new Error("the instance is gone");
    };
    await expect(four.revoke({ all: true })).rejects.toThrow("the instance is gone");
    expect((await four.control()).job).toMatchObject({ epoch: 1, nextPartition: 9 });
    four.table.before = undefined;
    four.table.calls.length = 0;
    await sweepNow(four.broker);
    const queried = four.table.calls
      .filter(({ operation }) => operation === "querySlots")
      .map(({ key }) => key);
    expect(queried).toEqual([9, 10, 11, 12, 13, 14, 15].map((partition) => `scope#sales#${partition}`));
    expect((await four.control()).job).toBeUndefined();
    expect(four.looker.live.size).toBe(0);
  });

  it("asked for again while a job is under way: the later includes the earlier", async () => {
    const four = await withFour();
    four.table.before = (operation, key) => {
      if (operation === "querySlots" && key === "scope#sales#9") throw new Error("the instance is gone");
    };
    await expect(four.revoke({ all: true })).rejects.toThrow();
    four.table.before = undefined;
    const { pending } = await four.revoke({ all: true });
    expect(pending).toBe(0);
    expect(four.looker.live.size).toBe(0);
    expect(await four.control()).toMatchObject({ epoch: 2, job: undefined });
  });
});

describe("freeze", () => {
  it("ends everything and serves nothing until unfrozen; then with new tokens only", async () => {
    const four = await withFour();
    expect(await four.freeze()).toEqual({ matched: 4, revoked: 4, pending: 0 });
    for (const key of four.keys) expect((await four.ask({ key })).code).toBe("scope_frozen");
    expect(four.looker.logins()).toBe(4);
    await four.unfreeze();
    const token = await four.issue({ key: four.keys[0] });
    expect(token.accessToken).not.toBe(four.a.accessToken);
  });

  it("stands when everything after its one write fails", async () => {
    const four = await withFour();
    four.table.before = (operation) => {
      if (operation === "querySlots") throw new Unavailable("dynamodb");
    };
    const { revoked, pending } = await four.freeze();
    expect([revoked, pending >= 1]).toEqual([0, true]);
    four.table.before = undefined;
    expect((await four.ask({ key: four.keys[0] })).code).toBe("scope_frozen");
    await sweepNow(four.broker);
    expect(four.looker.live.size).toBe(0);
  });

  it("repeated takes the later word and raises the epoch again", async () => {
    const all = setUp();
    await all.freeze("first");
    all.clock.jump(minutes);
    await all.freeze("second");
    expect(await all.control()).toMatchObject({ epoch: 2, frozen: { reason: "second", by: operator } });
    await all.unfreeze();
    expect((await all.control()).frozen).toBeUndefined();
  });

  it("is not undone by ending everything", async () => {
    const all = setUp();
    await all.freeze();
    await all.revoke({ all: true });
    expect(await all.control()).toMatchObject({ epoch: 2, frozen: { reason: "incident 7" } });
  });

  it("undone, leaves a job under way to go on", async () => {
    const four = await withFour();
    four.table.before = (operation) => {
      if (operation === "querySlots") throw new Unavailable("dynamodb");
    };
    await four.freeze();
    four.table.before = undefined;
    await four.unfreeze();
    expect((await four.control()).job).toBeDefined();
    expect((await four.issue({ key: four.keys[0] })).accessToken).not.toBe(four.a.accessToken);
    await sweepNow(four.broker);
    expect(four.live()).toEqual([false, false, false, false]);
  });

  it("undone where there is none writes nothing", async () => {
    const all = setUp();
    await all.unfreeze();
    expect(all.table.items.size).toBe(0);
  });
});

describe("a listing", () => {
  it("goes through 250 slots in pages, each lease once", async () => {
    const all = setUp();
    const issued = new Set<string>();
    for (let number = 0; number < 250; number++)
      issued.add((await all.issue({ key: numberedCaller(number) })).leaseId);
    const seen: (string | null)[] = [];
    let pages = 0;
    let from: ListPosition | undefined = { partition: 0, after: undefined };
    while (from) {
      const { leases, next } = await all.list(from);
      expect(leases.length).toBeLessThanOrEqual(100);
      seen.push(...leases.map(({ leaseId }) => leaseId));
      from = next;
      pages++;
    }
    expect(pages).toBe(3);
    expect(seen).toHaveLength(250);
    expect(new Set(seen)).toEqual(issued);
  });

  it("tells live, superseded, pending and minting apart, and holds no token", async () => {
    const all = setUp();
    const key = numberedCaller(1);
    all.looker.onLogout = () => "unconfirmed";
    const revoked = await all.issue({ key });
    await all.logOut({ key });
    const old = await all.issue({ key });
    all.clock.jump(850_000);
    const fresh = await all.issue({ key });
    expect(fresh.leaseId).not.toBe(old.leaseId);
    all.looker.onLogin = async () => {
      const { leases } = await all.list();
      expect(leases.map(({ state, leaseId }) => [state, leaseId])).toEqual(
        expect.arrayContaining([["minting", null]]),
      );
      return { kind: "failed", reason: "status_500" };
    };
    await all.ask({ key: numberedCaller(2) });
    const { leases } = await all.list();
    expect(leases.map(({ state, leaseId }) => [state, leaseId])).toEqual([
      ["live", fresh.leaseId],
      ["superseded", old.leaseId],
      ["pending", revoked.leaseId],
    ]);
    expect(JSON.stringify(leases)).not.toContain("looker-token");
  });

  it("does not call live what an older epoch or the end of its life keeps from being served", async () => {
    const all = setUp();
    await all.issue({ key: numberedCaller(1) });
    all.table.before = (operation) => {
      if (operation === "querySlots") throw new Unavailable("dynamodb");
    };
    await all.revoke({ all: true });
    all.table.before = undefined;
    expect((await all.list()).leases).toMatchObject([{ state: "pending" }]);
  });

  it("shows the others where one row cannot be read", async () => {
    const four = await withFour();
    four.row(four.keys[0]).schema = 99;
    expect((await four.list()).leases).toHaveLength(3);
  });
});

describe("a caller whose IAM user was renamed", () => {
  it("is served under its new name only, and is revoked by it", async () => {
    const all = setUp();
    const old = numberedCaller(1);
    const { accessToken } = await all.issue({ key: old });
    const renamed = { ...old, callerArn: roleArn("report-renamed") };
    expect((await all.revoke({ callerArn: renamed.callerArn })).matched).toBe(0);
    const next = await all.issue({ key: renamed });
    expect(next.accessToken).not.toBe(accessToken);
    expect(await all.revoke({ callerArn: renamed.callerArn })).toEqual({
      matched: 2,
      revoked: 2,
      pending: 0,
    });
    expect(all.looker.live.size).toBe(0);
  });
});

it("a client id beside other filters tells which leases are meant, and denies nothing", async () => {
  const all = setUp();
  await all.issue({ key: numberedCaller(1) });
  const { matched } = await all.revoke({ clientId: "clientOne", callerArn: roleArn("report-service") });
  expect(matched).toBe(1);
  expect((await all.ask({ key: numberedCaller(1) })).code).toBe("ok");
});
