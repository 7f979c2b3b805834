/** AWS clients in a process that was frozen while the network forgot its connections. */
import { createServer } from "node:http";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { expect, it, onTestFinished, vi } from "vitest";
import { awsConnections } from "../../../functions/adapters/aws-client.ts";
import { type ForgetfulProxy, forgetfulProxy } from "../../support/forgetful-proxy.ts";
import { listening } from "./looker-under-test.ts";

async function clientBehindProxy() {
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    request.resume();
    const headers = { "content-type": "application/x-amz-json-1.0" };
    waiting.push(() => response.writeHead(200, headers).end('{"TableNames":[]}'));
    if (waiting.length >= state.together) for (const answer of waiting.splice(0)) answer();
  });
  const state = { together: 1 };
  const proxy: ForgetfulProxy = await forgetfulProxy(`http://127.0.0.1:${await listening(server)}`);
  const { options, keepOneIdle } = awsConnections();
  const client = new DynamoDBClient({
    ...options,
    endpoint: proxy.url,
    region: "us-east-1",
    credentials: { accessKeyId: "id", secretAccessKey: "secret" },
  });
  onTestFinished(async () => {
    client.destroy();
    await proxy.close();
  });
  /** As many at once, each over a connection of its own. */
  const ask = async (together: number) => {
    state.together = together;
    await Promise.all(Array.from({ length: together }, () => client.send(new ListTablesCommand({}))));
    state.together = 1;
  };
  return { ask, proxy, keepOneIdle };
}

it("the first call after a thaw succeeds, however many connections the invocation before had", async () => {
  const { ask, proxy, keepOneIdle } = await clientBehindProxy();
  await ask(5);
  keepOneIdle();
  proxy.forget();
  await expect(ask(1)).resolves.toBeUndefined();
});

it("one connection is kept for the next invocation, which so needs no handshake", async () => {
  const { ask, proxy, keepOneIdle } = await clientBehindProxy();
  await ask(5);
  expect(proxy.open()).toBe(5);
  keepOneIdle();
  await vi.waitUntil(() => proxy.open() === 1, { timeout: 10_000 });
  await ask(1);
  expect(proxy.open()).toBe(1);
});
