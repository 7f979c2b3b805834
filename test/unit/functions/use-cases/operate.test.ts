import { describe, expect, it } from "vitest";
import { maxDeniedClientIds } from "../../../../functions/domain/control.ts";
import { sha256Of } from "../../../../functions/domain/digest.ts";
import type { RevocationRequest } from "../../../../functions/use-cases/operate.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { secretId } from "../../../support/fakes/in-memory-broker.ts";
import { numberedCaller } from "../../../support/fakes/in-memory-operator.ts";
import { apart, roleArn, setUp, withFour } from "../../../support/fakes/operator-use-cases.ts";

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
    ["a token's hash", ({ c }) => ({ tokenSha256: sha256Of(c.accessToken) }), [2]],
    ["the hash of a token that is none", () => ({ tokenSha256: sha256Of("nobody's") }), []],
    [
      "a token's hash and another caller",
      ({ c }) => ({ tokenSha256: sha256Of(c.accessToken), callerArn: roleArn("report-service") }),
      [],
    ],
    ["everything", () => ({ all: true }), [0, 1, 2, 3]],
  ])("%s: ends these and no others", async (_, request, ended) => {
    const four = await withFour();
    expect(await four.count(request(four))).toMatchObject({ matched: ended.length });
    expect(await four.revoke(request(four))).toMatchObject({
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
    ["a token that somebody found", { tokenSha256: sha256Of("looker-token-1") }, 0],
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
      expect(await asked).toMatchObject({ matched: pending, revoked: 0, pending });
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
    expect(await all.revoke({ clientId: "clientOne" })).toMatchObject({ matched: 1, revoked: 1, pending: 0 });
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
    expect(await all.revoke({ clientId: "client-7" })).toMatchObject({ matched: 0, revoked: 0, pending: 0 });
  });
});

it("a client id beside other filters tells which leases are meant, and denies nothing", async () => {
  const all = setUp();
  await all.issue({ key: numberedCaller(1) });
  const { matched } = await all.revoke({ clientId: "clientOne", callerArn: roleArn("report-service") });
  expect(matched).toBe(1);
  expect((await all.ask({ key: numberedCaller(1) })).code).toBe("ok");
});
