/** `looker-token doctor --json` against a broker and a Looker of the test's own. */
import { beforeEach, expect, onTestFinished } from "vitest";
import { tokenReply } from "../broker-replies.ts";
import { FakeServer, type Reply } from "../fake-server.ts";
import type { Command } from "./command.ts";
import { FakeBroker } from "./fake-broker.ts";

export interface Line {
  readonly check: string;
  readonly result: string;
  readonly found: string;
  readonly next?: string;
  readonly code?: string;
}

export const names = [
  "program",
  "endpoint",
  "proxy",
  "network",
  "clock",
  "credentials",
  "identity",
  "scope",
  "token",
  "looker",
];

export const sales = ["--scope", "sales"];

export async function examined(cli: Command, ...args: string[]) {
  const { exitCode, out, err } = await cli.run("doctor", "--json", ...args);
  expect(err).toBe("");
  const { checks } = JSON.parse(out) as { checks: Line[] };
  expect(checks.map(({ check }) => check)).toEqual(names);
  for (const each of checks) if (each.result === "fail") expect(each.next, each.found).toMatch(/./);
  const line = (check: string) => checks.find((each) => each.check === check) as Line;
  return { exitCode, line, word: (check: string) => line(check).result };
}

export const caller = {
  arn: "arn:aws:iam::111122223333:role/job",
  account: "111122223333",
  unique_id: "AROAX",
};
export const grant = { scope: "sales", base_url: "https://looker", lease_seconds: 900, may: ["token"] };
export const scopes: Reply = { status: 200, body: { caller, scopes: [grant] } };

export interface DoctorStand {
  broker: FakeBroker;
  looker: FakeServer;
  /** The broker's answer to a request for a token. */
  token: Reply;
  permissions: Reply;
}

/** For one test file: new before each test. */
export function doctorStand(): DoctorStand {
  const at = {} as DoctorStand;
  beforeEach(async () => {
    at.broker = await FakeBroker.start();
    at.looker = await FakeServer.start(() => ({ status: 200, body: { id: "7" } }));
    onTestFinished(() => at.looker.stop());
    [at.token, at.permissions] = [tokenReply("one", 900, at.looker.url), scopes];
    at.broker.instead = ({ path }) => (path.endsWith("/token") ? at.token : at.permissions);
  });
  return at;
}
