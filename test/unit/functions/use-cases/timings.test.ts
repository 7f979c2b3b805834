import { expect, it } from "vitest";
import type { Looker, Sealer } from "../../../../functions/use-cases/ports.ts";
import { startTimings } from "../../../../functions/use-cases/timings.ts";
import { firstSecret, inMemoryBroker, secretId } from "../../../support/fakes/in-memory-broker.ts";

/** Ports whose Looker and table answer when the test says so. */
function held() {
  let now = 1_000;
  const timings = startTimings(() => now);
  const broker = inMemoryBroker();
  const logouts: (() => void)[] = [];
  const looker: Looker = {
    ...broker.looker,
    logout: () => new Promise((resolve) => logouts.push(() => resolve("ended"))),
  };
  const ports = timings.of({ ...broker.first, looker });
  return {
    timings,
    ports,
    pass: (ms: number) => {
      now += ms;
    },
    answer: () => logouts.shift()?.(),
  };
}

it("a dependency that was not asked has no time", () => {
  expect(held().timings.spent()).toStrictEqual({});
});

it("calls that overlap count once", async () => {
  const { timings, ports, pass, answer } = held();
  const first = ports.looker.logout("https://looker.example.com", "token");
  pass(100);
  const second = ports.looker.logout("https://looker.example.com", "token");
  pass(50);
  answer();
  await first;
  pass(30);
  answer();
  await second;
  pass(1_000);
  const third = ports.looker.logout("https://looker.example.com", "token");
  pass(7);
  answer();
  await third;
  expect(timings.spent()).toEqual({ looker_ms: 187 });
  void ports.looker.logout("https://looker.example.com", "token");
  pass(3);
  expect(timings.spent()).toEqual({ looker_ms: 190 });
});

it("a call that is still under way counts up to now", () => {
  const { timings, ports, pass } = held();
  void ports.looker.logout("https://looker.example.com", "token");
  pass(4_321);
  expect(timings.spent()).toEqual({ looker_ms: 4_321 });
});

it("a call that fails counts, and fails as it would", async () => {
  const timings = startTimings(() => 5);
  const broker = inMemoryBroker();
  const failure = new Error("as it would");
  const sealer: Sealer = { ...broker.sealer, seal: () => Promise.reject(failure) };
  const ports = timings.of({ ...broker.first, sealer });
  await expect(
    ports.sealer.seal("token", {
      scope: "sales",
      account: "111122223333",
      caller: "AROAREPORTSERVICE000",
      session: "-",
      lease_id: "l",
      base_url: "https://looker.example.com",
      client_id: "c",
    }),
  ).rejects.toBe(failure);
  expect(timings.spent()).toEqual({ kms_ms: 0 });
});

it("the table's parts are of one dependency", async () => {
  const { timings, ports } = held();
  await ports.table.scopeControls.read("sales");
  expect(timings.spent()).toEqual({ dynamodb_ms: 0 });
});

it("reading secrets is timed only for ports with secrets", async () => {
  const { timings, ports } = held();
  expect((await ports.secrets.current(secretId)).clientId).toBe(firstSecret.clientId);
  expect(timings.spent()).toEqual({ secretsmanager_ms: 0 });
  const { secrets, ...without } = inMemoryBroker().first;
  expect(startTimings(() => 0).of(without)).not.toHaveProperty("secrets");
});

it("the time for each page counts, without the work between pages", async () => {
  const { timings, ports, pass } = held();
  const pages = async function* () {
    for (const page of [[1], [2]]) {
      pass(10);
      yield page;
    }
    pass(1);
  };
  const watched = timings.of({ ...ports, table: { ...inMemoryBroker().table, queryDue: pages } });
  const seen: unknown[] = [];
  for await (const page of watched.table.queryDue()) {
    seen.push(page);
    pass(1_000);
  }
  expect(seen).toEqual([[1], [2]]);
  expect(timings.spent()).toEqual({ dynamodb_ms: 21 });
});

it.each([7, null, undefined, "text"])("a plain member is unchanged: %j", (member) => {
  const table = { ...inMemoryBroker().table, member };
  const watched = startTimings(() => 0).of({ ...inMemoryBroker().first, table });
  expect(watched.table.member).toBe(member);
});
