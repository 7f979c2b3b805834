/** A broker is away for a moment, or for longer. A terminal shows the attempts, and a log does not. */
import { beforeEach, expect, test } from "vitest";
import { gatewayReply, tokenReply } from "../../support/broker-replies.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

const away = gatewayReply(503, "ServiceUnavailableException", "Service Unavailable");
const get = ["get", "--scope", "sales"];

let broker: FakeBroker;
let failures: number;
beforeEach(async () => {
  broker = await FakeBroker.start();
  failures = 2;
  broker.instead = () => (failures-- > 0 ? away : tokenReply("one"));
});

test("on a terminal each failed attempt is shown, and nothing of them is left", async () => {
  const { text, exitCode } = await broker.cli.onTerminal(get);
  expect(exitCode).toBe(0);
  expect(text).toContain("\r\x1b[KAttempt 1 failed, trying again. The broker's function could not answer");
  expect(text).toContain("\r\x1b[KAttempt 2 failed, trying again.");
  expect(text.lastIndexOf("\r\x1b[K")).toBeGreaterThan(text.indexOf("Attempt 2"));
  expect(text.slice(text.lastIndexOf("\r\x1b[K"))).toContain("looker-access-token-of-one\n");
});

test("a log has nothing of the failed attempts before a good one", async () => {
  expect(await broker.cli.run(...get)).toMatchObject({ exitCode: 0, err: "" });
});

test("the error at the end says how many attempts there were", async () => {
  failures = Number.POSITIVE_INFINITY;
  const { exitCode, err } = await broker.cli.run(...get);
  expect(exitCode).toBe(4);
  const attempts = broker.asked("POST").length;
  expect(attempts).toBeGreaterThan(2);
  expect(err).toMatch(
    new RegExp(
      `^looker-token: The broker's function .* This was attempt ${attempts}, after \\d+ s\\. Try again later`,
    ),
  );
});
