import { describe, expect, it } from "vitest";
import { logoutLimits } from "../../../../functions/use-cases/host-limits.ts";
import type { LogoutOutcome } from "../../../../functions/use-cases/ports.ts";

const host = "https://one.example.com";

/** The test decides when these logouts are answered. */
function held(timeIsLeft: () => boolean = () => true) {
  const limits = logoutLimits(timeIsLeft);
  const underWay: { account: string; baseUrl: string; answer: (outcome: LogoutOutcome) => void }[] = [];
  /** The accounts of all logouts that began, with any outcome. */
  const begun: string[] = [];
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    begun,
    ask: (account: string, baseUrl = host) =>
      limits.run({ baseUrl, clientId: account, attempts: 0 }, () => {
        begun.push(account);
        return new Promise((answer) => underWay.push({ account, baseUrl, answer }));
      }),
    running: async (account?: string, baseUrl?: string) => {
      await settled();
      return underWay.filter(
        (each) =>
          (account === undefined || each.account === account) &&
          (baseUrl === undefined || each.baseUrl === baseUrl),
      ).length;
    },
    /** Answers the oldest of the account's. */
    async answer(account: string, outcome: LogoutOutcome): Promise<void> {
      await settled();
      const at = underWay.findIndex((each) => each.account === account);
      const [call] = at < 0 ? [] : underWay.splice(at, 1);
      if (!call) throw new Error(`nothing of ${account} is under way`);
      call.answer(outcome);
      await settled();
    },
  };
}

/** One after the other, until one is not tried. */
async function sent(limits: ReturnType<typeof logoutLimits>, outcomes: [account: string, LogoutOutcome][]) {
  const results: LogoutOutcome[] = [];
  for (const [clientId, outcome] of outcomes)
    results.push(await limits.run({ baseUrl: host, clientId, attempts: 0 }, async () => outcome));
  return results;
}
const times = (count: number, account: string, outcome: LogoutOutcome): [string, LogoutOutcome][] =>
  Array.from({ length: count }, () => [account, outcome]);
const fresh = () => logoutLimits(() => true);

describe("an account's share of a host", () => {
  it("is four at first", async () => {
    const { ask, running } = held();
    for (let n = 0; n < 40; n++) void ask("a");
    expect(await running()).toBe(4);
  });

  it("grows by one with each success, up to the sixteen places of the host", async () => {
    const { ask, running, answer } = held();
    for (let n = 0; n < 80; n++) void ask("a");
    await answer("a", "ended");
    expect(await running()).toBe(5);
    await answer("a", "ended");
    expect(await running()).toBe(6);
    for (let n = 0; n < 30; n++) await answer("a", "ended");
    expect(await running()).toBe(16);
  });

  it.each(["failed", "timed_out", "unreached"] as const)(
    "is halved by each failure, and grows again by one with each answer: %s",
    async (outcome) => {
      const { ask, running, answer } = held();
      for (let n = 0; n < 200; n++) void ask("a");
      for (let n = 0; n < 20; n++) await answer("a", "ended");
      // From 16 to 4: of the 14 that are left under way, none is replaced until 9 are.
      for (let n = 0; n < 2; n++) await answer("a", outcome);
      for (let n = 0; n < 5; n++) await answer("a", "unconfirmed");
      expect(await running()).toBe(9);
      for (let n = 0; n < 7; n++) await answer("a", "unconfirmed");
      expect(await running()).toBe(16);
    },
  );

  it("leaves the other places to others, so an account with hanging logouts cannot hold the host", async () => {
    const { ask, running } = held();
    for (let n = 0; n < 40; n++) void ask("hangs");
    for (let n = 0; n < 4; n++) void ask("b");
    expect(await running("hangs")).toBe(4);
    expect(await running("b")).toBe(4);
  });

  it("is one at least, so that an account is never forgotten", async () => {
    const { ask, running, answer } = held();
    for (let n = 0; n < 40; n++) void ask("a");
    for (let n = 0; n < 4; n++) await answer("a", "failed");
    expect(await running()).toBe(1);
  });

  it("is of one host: another host has sixteen places of its own", async () => {
    const { ask, running } = held();
    for (const account of ["a", "b", "c", "d", "e"]) for (let n = 0; n < 4; n++) void ask(account);
    for (let n = 0; n < 4; n++) void ask("a", "https://two.example.com");
    expect(await running(undefined, host)).toBe(16);
    expect(await running(undefined, "https://two.example.com")).toBe(4);
  });
});

describe("an account's circuit", () => {
  it.each(["failed", "timed_out"] as const)(
    "opens after five outcomes of %s in a row, for this account alone",
    async (outcome) => {
      const limits = fresh();
      expect(await sent(limits, times(6, "sick", outcome))).toEqual([...Array(5).fill(outcome), "not_tried"]);
      expect(await sent(limits, times(3, "healthy", "ended"))).toEqual(Array(3).fill("ended"));
      expect(await sent(limits, times(1, "sick", "ended"))).toEqual(["not_tried"]);
    },
  );

  it("ignores logouts that were not sent, so they neither open nor close it", async () => {
    const limits = fresh();
    expect(await sent(limits, [...times(20, "a", "not_tried"), ["a", "ended"]])).toEqual([
      ...Array(20).fill("not_tried"),
      "ended",
    ]);
    await sent(limits, [...times(4, "a", "unreached"), ["b", "not_tried"], ["a", "unreached"]]);
    expect(await sent(limits, [["c", "ended"]])).toEqual(["not_tried"]);
  });

  it("never opens on a clear answer without a confirmation", async () => {
    expect(await sent(fresh(), times(200, "a", "unconfirmed"))).toEqual(Array(200).fill("unconfirmed"));
  });

  it.each(["ended", "unconfirmed"] as const)("is closed by an answer in between: %s", async (answer) => {
    const rounds = Array.from({ length: 10 }, () => [
      ...times(4, "a", "failed"),
      ...times(1, "a", answer),
    ]).flat();
    expect(await sent(fresh(), rounds)).toEqual(rounds.map(([, outcome]) => outcome));
  });

  it("lets waiting logouts go on without a call when it opens", async () => {
    const { ask, answer, begun } = held();
    const all = Array.from({ length: 100 }, () => ask("a"));
    for (let n = 0; n < 5; n++) await answer("a", "failed");
    expect((await Promise.all(all)).filter((outcome) => outcome === "not_tried")).toHaveLength(95);
    expect(begun).toHaveLength(5);
  });
});

describe("a host's circuit", () => {
  it("opens after five logouts without a connection, of any accounts", async () => {
    const limits = fresh();
    const accounts = ["a", "b", "c", "d", "e"];
    expect(
      await sent(
        limits,
        accounts.map((each) => [each, "unreached"]),
      ),
    ).toEqual(Array(5).fill("unreached"));
    expect(await sent(limits, [["f", "ended"]])).toEqual(["not_tried"]);
  });

  // After a rotation one Looker user has two accounts here, and its logouts hang with either pair.
  it("stays closed for an account that has not failed, when two others meet a time-out with no answer in between", async () => {
    expect(
      await sent(fresh(), [
        ["a", "timed_out"],
        ["b", "timed_out"],
        ["a", "ended"],
        ["b", "ended"],
        ["c", "ended"],
      ]),
    ).toEqual(["timed_out", "timed_out", "not_tried", "not_tried", "ended"]);
  });

  it("opens, when two accounts meet a time-out, for each other one with its first failure", async () => {
    expect(
      await sent(fresh(), [
        ["a", "timed_out"],
        ["b", "timed_out"],
        ["c", "timed_out"],
        ["c", "ended"],
        ["d", "unreached"],
        ["d", "ended"],
      ]),
    ).toEqual(["timed_out", "timed_out", "timed_out", "not_tried", "unreached", "not_tried"]);
  });

  it("lets an account try one logout at a time while the host may hang", async () => {
    const { ask, answer, running } = held();
    void ask("a");
    void ask("b");
    await answer("a", "timed_out");
    await answer("b", "timed_out");
    for (let n = 0; n < 4; n++) void ask("c");
    expect(await running("c")).toBe(1);
    await answer("c", "ended");
    expect(await running("c")).toBe(3);
  });

  it.each<LogoutOutcome>(["ended", "unconfirmed", "failed"])(
    "stays closed when anybody is answered between two time-outs: %s",
    async (between) => {
      expect(
        await sent(fresh(), [
          ["a", "timed_out"],
          ["c", between],
          ["b", "timed_out"],
          ["a", "ended"],
        ]),
      ).toEqual(["timed_out", between, "timed_out", "ended"]);
    },
  );

  it("stays closed when one account alone meets time-outs", async () => {
    expect(
      await sent(fresh(), [
        ["a", "timed_out"],
        ["a", "timed_out"],
        ["c", "ended"],
      ]),
    ).toEqual(["timed_out", "timed_out", "ended"]);
  });

  it("is of that host only", async () => {
    const limits = fresh();
    await sent(limits, times(5, "a", "unreached"));
    const elsewhere = { baseUrl: "https://two.example.com", clientId: "a", attempts: 0 };
    expect(await limits.run(elsewhere, async () => "ended")).toBe("ended");
  });
});

describe("a logout whose turn comes", () => {
  it("too late to come to its end is not tried", async () => {
    let left = true;
    const { ask, answer, begun } = held(() => left);
    const all = Array.from({ length: 8 }, () => ask("a"));
    await answer("a", "ended");
    left = false;
    for (let n = 0; n < 5; n++) await answer("a", "ended");
    expect((await Promise.all(all)).filter((outcome) => outcome === "not_tried")).toHaveLength(2);
    expect(begun).toHaveLength(6);
  });

  it("is the least tried one of its account, in any order of arrival", async () => {
    const limits = fresh();
    const order: number[] = [];
    const gates: (() => void)[] = [];
    const all = [9, 9, 9, 9, 5, 0, 2].map((attempts) =>
      limits.run({ baseUrl: host, clientId: "a", attempts }, async () => {
        order.push(attempts);
        await new Promise<void>((open) => gates.push(open));
        return "unconfirmed";
      }),
    );
    for (let n = 0; n < 7; n++) {
      await new Promise((resolve) => setImmediate(resolve));
      gates.shift()?.();
    }
    await Promise.all(all);
    expect(order).toEqual([9, 9, 9, 9, 0, 2, 5]);
  });

  it("and throws gives its place back", async () => {
    const limits = fresh();
    const account = { baseUrl: host, clientId: "a", attempts: 0 };
    for (let n = 0; n < 20; n++)
      await expect(limits.run(account, () => Promise.reject(new Error("kms")))).rejects.toThrow("kms");
    expect(await limits.run(account, async () => "ended")).toBe("ended");
  });
});
