import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { callBroker, connect, TokenBrokerError } from "@looker-token-broker/client/broker";
import { expect, test } from "vitest";
import { mayHaveBeenDone } from "../src/lost-answer.ts";

test("a connection that did not come about has done nothing", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const connection = connect({
    endpoint: `http://127.0.0.1:${port}/v1`,
    region: "us-east-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" },
  });
  const error = await callBroker(connection, { method: "DELETE", path: "/" }).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: "unreachable", message: expect.stringContaining("(ECONNREFUSED)") });
  expect(mayHaveBeenDone(error)).toBe(false);
});

test.each([
  ["ENOTFOUND", false],
  ["CERT_HAS_EXPIRED", false],
  ["ECONNRESET", true],
  ["UND_ERR_SOCKET", true],
])("whether anything was done where the connection fails by %s: %s", (code, expected) => {
  const cause = Object.assign(new Error(code), { code });
  expect(mayHaveBeenDone(new TokenBrokerError("unreachable", "No answer came.", { cause }))).toBe(expected);
});
