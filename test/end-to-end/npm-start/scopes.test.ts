/** `npm start -- --scopes FILE` runs the operator's own scopes and settings. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { statusAtLooker } from "../../support/broker-stand.ts";
import { free, onCopyOfProject, post, stop } from "../../support/npm-start.ts";

const { project, brokerFile, npmStart, ready } = onCopyOfProject();

test("--scopes: runs the operator's own file, with a stand-in for each of its Lookers, secrets, callers and operators", async () => {
  const started = npmStart([...free, "--scopes", "infra/scopes.ts"]);
  const broker = await ready(started);
  expect(Object.keys(broker.principals)).toEqual([
    "report-service",
    "nightly-example",
    "AWSReservedSSO_SalesAnalyst_example",
    "platform-engineer",
    "finance-service",
    "administrator",
  ]);
  expect(broker.secrets).toEqual([
    "looker/sales",
    "arn:aws:secretsmanager:us-east-1:444455556666:secret:looker/finance-a1B2c3",
  ]);
  expect(started.output()).toContain("(stand-in for https://example.cloud.looker.com)");
  expect(started.output()).toContain("tokens of sales\n");
  // A caller of another account, by a secret of a third one.
  for (const [name, scope] of [
    ["nightly-example", "sales"],
    ["finance-service", "finance"],
  ] as const) {
    const { status, json } = await post(broker, name, `/scopes/${scope}/token`);
    expect(status).toBe(200);
    expect(json.base_url).toBe(broker.lookers[0]?.url);
    expect(await statusAtLooker(json.base_url, json.access_token)).toBe(200);
  }
  expect((await post(broker, "finance-service", "/scopes/sales/token")).status).toBe(403);
  expect(await stop(started)).toBe(0);
});

test("--scopes: each Looker has a stand-in of its own, and settings without a place on this machine are named", async () => {
  const scope = (host: string) => ({
    lookerUrl: `https://${host}`,
    secret: { secretName: `looker/${host}` },
    callers: ["arn:aws:iam::111122223333:role/reports"],
    operators: ["arn:aws:iam::111122223333:role/platform-engineer"],
  });
  const scopes = { sales: scope("sales.example.com"), finance: scope("finance.example.com") };
  writeFileSync(
    join(project, "own.mjs"),
    `export const scopes = ${JSON.stringify(scopes)};
     export const settings = () => ({ organizationId: "o-a1b2c3d4e5", vpcEndpointIds: ["vpce-0a1b2c3d4e5f60718"], memorySize: 1024 });`,
  );
  const started = npmStart([...free, "--scopes", "own.mjs"]);
  const broker = await ready(started);
  expect(started.output()).toContain(
    "Left out of the settings, because they need AWS: organizationId, vpcEndpointIds.\n",
  );
  expect(broker.lookers.map(({ in_place_of }) => in_place_of)).toEqual([
    "https://sales.example.com",
    "https://finance.example.com",
  ]);
  for (const [at, name] of Object.keys(scopes).entries()) {
    const { json } = await post(broker, "reports", `/scopes/${name}/token`);
    expect(json.base_url).toBe(broker.lookers[at]?.url);
    expect(await statusAtLooker(json.base_url, json.access_token)).toBe(200);
  }
  expect(await stop(started)).toBe(0);
});

test("--scopes: a wrong file exits 1 with a line for each mistake", async () => {
  writeFileSync(join(project, "wrong.mjs"), "export const scopes = { sales: { lease: 1 } };");
  const started = npmStart([...free, "--scopes", "wrong.mjs"]);
  expect(await started.exit).toBe(1);
  const [first, second] = started.errors().split("\n");
  expect(first).toBe("looker-token-broker/Broker cannot be built:");
  expect(second).toBe('  - scope "sales": lease: there is no such field. Did you mean leaseSeconds?');
  expect(existsSync(brokerFile)).toBe(false);
});
