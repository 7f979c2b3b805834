import { expect, test } from "vitest";
import { Answers, isExplained } from "./answers.ts";
import { faultsOf, type Soaked } from "./judge.ts";

const calm = { weather: false, killed: false, frozen: false, revoked: false };

const sample = (atSeconds: number, residentMb = 600) => ({
  atSeconds,
  residentMb,
  rows: 40,
  sockets: 100,
  instances: 20,
  liveTokens: 20,
});

const held: Soaked = {
  samples: Array.from({ length: 9 }, (_, index) => sample(index * 60)),
  counts: { "broker 200": 90, "broker 503": 10 },
  unexplained: [],
  usedAfterRevocation: [],
  sessions: 0,
  kills: 0,
  tokensLeft: 0,
};

test("a steady run has no faults", () => {
  expect(faultsOf(held)).toEqual([]);
});

test.each<[string, Partial<Soaked>, string]>([
  ["an answer without an explanation", { unexplained: ["broker 500 internal"] }, "broker 500 internal"],
  ["a token that outlives its revocation", { usedAfterRevocation: ["sales job-1"] }, "sales job-1"],
  ["memory beyond the limit", { samples: [sample(0, 4_000)] }, "4000 MB"],
  [
    "memory that grows by 10 MB in each minute of an hour",
    { samples: Array.from({ length: 60 }, (_, minute) => sample(minute * 60, 300 + minute * 10)) },
    "Memory grew from",
  ],
  ["a broker that mostly refuses", { counts: { "broker 200": 5, "broker 503": 95 } }, "Only 5 of 100"],
  [
    "a broker that is often busy",
    { counts: { "broker 200": 95, "broker 503 busy": 5 } },
    '5.0 of 100 answers are "busy"',
  ],
  ["a load that never ran", { counts: {} }, "answers are good"],
  ["a socket for each request", { samples: [{ ...sample(0), sockets: 5_000 }] }, "5000 open sockets"],
  ["rows that nobody asked for", { samples: [{ ...sample(0), rows: 1_000 }] }, "1000 rows"],
  ["a token that nobody can end", { tokensLeft: 1 }, "1 tokens still worked"],
])("%s is a fault", (_, change, words) => {
  expect(faultsOf({ ...held, ...change }).join("\n")).toContain(words);
});

test("sessions explain their rows, and killed instances their tokens", () => {
  const samples = [{ ...sample(0), rows: 1_000 }];
  expect(faultsOf({ ...held, samples, sessions: 1_000, tokensLeft: 2, kills: 2 })).toEqual([]);
});

test.each([
  ["an error of the broker's own", { by: "broker", status: 500, code: "internal" }],
  ["a refusal of a caller", { by: "broker", status: 403, code: "not_allowed" }],
] as const)("no circumstance explains %s", (_, answered) => {
  expect(isExplained(answered, { weather: true, killed: true, frozen: true, revoked: true })).toBe(false);
});

test.each([
  ["frozen", { by: "broker", status: 403, code: "scope_frozen" }],
  ["killed", { by: "broker", status: 502 }],
  ["weather", { by: "broker", status: 503, code: "looker_unavailable" }],
  ["weather", { by: "looker", status: 0 }],
  ["revoked", { by: "looker", status: 401 }],
  ["frozen", { by: "looker", status: 401 }],
] as const)("the circumstance %s explains its answer, and calm does not", (name, answered) => {
  expect(isExplained(answered, { ...calm, [name]: true })).toBe(true);
  expect(isExplained(answered, calm)).toBe(false);
});

test("answers are counted by kind, and told with their circumstances", () => {
  const answers = new Answers();
  for (const status of [200, 200, 500]) answers.add({ by: "broker", status }, calm);
  expect(answers.counts()).toEqual({ "broker 200": 2, "broker 500": 1 });
  expect(answers.unexplained()).toEqual([`broker 500 with ${JSON.stringify(calm)}`]);
});
