import { expect, onTestFinished, test } from "vitest";
import {
  callerOf,
  clientSecretOf,
  leaksIn,
  type Stand,
  startStand,
  statusAtLooker,
} from "../support/broker-stand.ts";
import { refusingUrl } from "../support/refusing-url.ts";

async function standUntilTheEnd(...given: Parameters<typeof startStand>): Promise<Stand> {
  const stand = await startStand(...given);
  onTestFinished(() => stand.stop());
  return stand;
}

const spoken = ({ broker }: Stand, answers: { text: string; headers: object }[]) =>
  [...broker.logs(), ...answers.map(({ text, headers }) => text + JSON.stringify(headers))].join("\n");

test("a wrong secret is a 502 that an operator can act on, after one login for all callers and requests", async () => {
  const stand = await standUntilTheEnd();
  const { looker } = stand.broker;
  const { client_id } = await clientSecretOf(stand.broker, "looker/sales");
  looker?.control.changeSecret(client_id, "changed-at-looker-only");
  const [reports, nightly] = [callerOf(stand, "report-service"), callerOf(stand, "nightly-job")];
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await reports.token("sales"), await nightly.token("sales"));
  for (const answer of answers) {
    expect(answer).toMatchObject({
      status: 502,
      json: {
        code: "looker_rejected_credentials",
        detail: expect.stringMatching(/Secrets Manager.*lookerUrl/s),
      },
    });
  }
  expect(looker?.ledger().map(({ event }) => event)).toEqual(["login_failed"]);
  const secrets = [...stand.secrets, client_id, "changed-at-looker-only"];
  expect(leaksIn(answers.map(({ text }) => text).join("\n"), secrets)).toBe(0);
  expect(leaksIn(spoken(stand, answers), stand.secrets)).toBe(0);
});

test("a wrong secret meets ten requests at once: one login all the same, and no 500", async () => {
  const stand = await standUntilTheEnd();
  const { looker } = stand.broker;
  const { client_id } = await clientSecretOf(stand.broker, "looker/sales");
  looker?.control.changeSecret(client_id, "changed-at-looker-only");
  const callers = [callerOf(stand, "report-service"), callerOf(stand, "nightly-job")];
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => callers[index % 2]?.token("sales")),
  );
  for (const answer of answers) expect(["looker_rejected_credentials", "busy"]).toContain(answer?.json.code);
  expect(looker?.ledger().map(({ event }) => event)).toEqual(["login_failed"]);
});

test("a new version of a rejected secret is tried within seconds, without a restart", async () => {
  const stand = await standUntilTheEnd();
  const { looker, engines } = stand.broker;
  const { client_id } = await clientSecretOf(stand.broker, "looker/sales");
  looker?.control.changeSecret(client_id, "new-at-looker");
  const reports = callerOf(stand, "report-service");
  expect((await reports.token("sales")).status).toBe(502);
  await engines.putSecret("looker/sales", { client_id, client_secret: "new-at-looker" });
  stand.secrets.add("new-at-looker");
  const began = Date.now();
  let answer = await reports.token("sales");
  while (answer.status !== 200 && Date.now() - began < 25_000) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    answer = await reports.token("sales");
  }
  expect(answer.status).toBe(200);
  expect(looker?.ledger().map(({ event }) => event)).toEqual(["login_failed", "login"]);
  expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0);
});

test("a Looker that is not reachable is a 503 with Retry-After, and no secret in it", async () => {
  const stand = await standUntilTheEnd({
    externalLooker: { url: await refusingUrl(), clientId: "elsewhere-id", clientSecret: "elsewhere-secret" },
  });
  const reports = callerOf(stand, "report-service");
  const answers = [await reports.token("sales"), await reports.token("sales")];
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 503, json: { code: "looker_unavailable" } });
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  }
  expect(leaksIn(spoken(stand, answers), stand.secrets)).toBe(0);
});

test.each([
  ["500", { kind: "status", status: 500 }],
  ["429", { kind: "status", status: 429, retryAfter: "7" }],
  ["a proxy's 404", { kind: "html_404" }],
  ["a reset connection", { kind: "reset" }],
  ["a redirect", { kind: "redirect" }],
] as const)("a login that ends in %s is a 503 with Retry-After and is not stormed", async (_, fault) => {
  const stand = await standUntilTheEnd();
  const { looker } = stand.broker;
  looker?.control.addFault({ route: "login", times: 1, ...fault });
  const reports = callerOf(stand, "report-service");
  const answers = await Promise.all(Array.from({ length: 5 }, () => reports.token("sales")));
  for (const { status, headers } of answers) {
    expect(status).toBe(503);
    expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
  }
  expect(looker?.ledger().filter(({ path }) => path === "/api/4.0/login")).toHaveLength(1);
  expect(leaksIn(spoken(stand, answers), stand.secrets)).toBe(0);
});

test("a held lease goes on being served while Looker is down", async () => {
  const stand = await standUntilTheEnd();
  const { looker } = stand.broker;
  const reports = callerOf(stand, "report-service");
  const { json } = await reports.token("sales");
  looker?.control.addFault({ route: "all", kind: "status", status: 503 });
  expect((await reports.token("sales")).json.lease_id).toBe(json.lease_id);
  looker?.control.clearFaults();
  expect(await statusAtLooker(stand.broker.lookerUrl, json.access_token)).toBe(200);
});
