import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseScopes } from "../../../functions/domain/scope.ts";
import type { RunningBroker } from "../../../local/broker.ts";
import { removeBrokerFile, writeBrokerFile } from "../../../local/broker-file.ts";
import { localPrincipals } from "../../../local/principals.ts";
import { scopes as definitions } from "../../../local/scopes.ts";

const scopes = parseScopes(definitions);
const location = { partition: "aws", region: "us-east-1", accountId: "111122223333" };
const broker = {
  endpoint: "http://127.0.0.1:4180/v1",
  region: "us-east-1",
  lookerUrl: "http://127.0.0.1:4191",
  looker: { controlUrl: "http://127.0.0.1:4192" },
  lookers: [
    {
      inPlaceOf: "https://example.cloud.looker.com",
      looker: { url: "http://127.0.0.1:4191", controlUrl: "http://127.0.0.1:4192" },
    },
  ],
  secretIds: ["looker/sales"],
  awsProxy: { url: "http://127.0.0.1:4193" },
  stack: { name: "looker-token-broker" },
  principals: localPrincipals(scopes, location, { apiId: "abc", stage: "v1" }),
} as unknown as RunningBroker;

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "broker-file-"));
  file = join(directory, "broker.json");
});
afterEach(() => rmSync(directory, { recursive: true }));

it("is written whole, for its owner's eyes only", () => {
  writeBrokerFile(file, broker);
  expect(readdirSync(directory)).toEqual(["broker.json"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const content = JSON.parse(readFileSync(file, "utf8"));
  expect(content).toMatchObject({
    schema: 1,
    pid: process.pid,
    endpoint: "http://127.0.0.1:4180/v1",
    region: "us-east-1",
    looker_url: "http://127.0.0.1:4191",
    looker_control_url: "http://127.0.0.1:4192",
    lookers: [
      {
        in_place_of: "https://example.cloud.looker.com",
        url: "http://127.0.0.1:4191",
        control_url: "http://127.0.0.1:4192",
      },
    ],
    secrets: ["looker/sales"],
    stack: "looker-token-broker",
    endpoints: {
      dynamodb: "http://127.0.0.1:4193",
      secretsmanager: "http://127.0.0.1:4193",
      kms: "http://127.0.0.1:4193",
      logs: "http://127.0.0.1:4193",
      cloudformation: "http://127.0.0.1:4193",
    },
  });
  expect(content.principals["report-service"]).toEqual({
    access_key_id: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
    secret_access_key: expect.stringMatching(/^.{40}$/),
    session_token: expect.any(String),
    arn: "arn:aws:iam::111122223333:role/report-service",
    scopes: ["sales"],
    operates: [],
  });
});

it("names no control interface when another Looker is used", () => {
  const { looker: _, ...elsewhere } = broker;
  writeBrokerFile(file, elsewhere as RunningBroker);
  expect(JSON.parse(readFileSync(file, "utf8"))).not.toHaveProperty("looker_control_url");
});

it("is removed by the process that wrote it, and by no other", () => {
  writeBrokerFile(file, broker);
  removeBrokerFile(file);
  expect(readdirSync(directory)).toEqual([]);
  removeBrokerFile(file);
  writeFileSync(file, JSON.stringify({ pid: process.pid + 1 }));
  removeBrokerFile(file);
  expect(readdirSync(directory)).toEqual(["broker.json"]);
});
