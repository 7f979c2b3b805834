/** `looker-token console` up to its link, and its end. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { untilSeen } from "../../support/broker-stand.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

test.each(["SIGINT", "SIGTERM"] as const)(
  "prints its link alone on stdout, and %s ends it with 0",
  async (signal) => {
    const broker = await FakeBroker.start();
    const running = broker.cli.start("console");
    await untilSeen(() => running.err().includes("Ctrl-C ends the console."), "the console", 30_000);
    running.child.kill(signal);
    const { exitCode, out } = await running.ended;
    expect([exitCode, out]).toEqual([
      0,
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{48}\/\?key=[0-9a-f]{48}\n$/),
    ]);
  },
);

test("an operator of nothing gets no page", async () => {
  const broker = await FakeBroker.start();
  broker.instead = () => ({ status: 200, body: { caller: { arn: "arn" }, scopes: [] } });
  const { exitCode, out, err } = await broker.cli.run("console");
  expect([exitCode, out]).toEqual([3, ""]);
  expect(err).toMatch(/No scope lists you as an operator/);
});

test("a port in use is wrong usage", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  const broker = await FakeBroker.start();
  const port = String((taken.address() as AddressInfo).port);
  const { exitCode, err } = await broker.cli.run("console", "--port", port);
  expect([exitCode, err]).toEqual([2, expect.stringMatching(/is in use: choose another with --port/)]);
});
