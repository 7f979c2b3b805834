/** AWS credentials that never come: a container's agent stays silent, or a `credential_process` waits. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { untilSeen } from "../../support/broker-stand.ts";
import type { Command, Running } from "../../support/cli/command.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";
import { FakeServer } from "../../support/fake-server.ts";

let broker: FakeBroker;
let agent: FakeServer;
let cli: Command;
beforeEach(async () => {
  broker = await FakeBroker.start();
  agent = await FakeServer.start(() => new Promise(() => {}));
  onTestFinished(() => agent.stop());
  cli = broker.cli.without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY").with({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.url}/v1/credentials`,
  });
});

/** Not its streams' end: the program that waits has them too. */
const exitOf = ({ child }: Running) =>
  new Promise<number | null>((done) => child.once("exit", (code) => done(code)));

const asked = () => untilSeen(() => agent.asked.length > 0, "the request for credentials");
describe.each(["SIGTERM", "SIGINT"] as const)("the first %s ends", (signal) => {
  test.each([
    ["get", ["get", "--scope", "sales"]],
    ["exec", ["exec", "--scope", "sales", "--", "true"]],
    ["exec --session", ["exec", "--scope", "sales", "--session", "--", "true"]],
    ["exec --proxy", ["exec", "--scope", "sales", "--proxy", "--", "true"]],
    ["proxy", ["proxy", "--scope", "sales"]],
    ["revoke", ["revoke", "--scope", "sales", "--all", "--yes"]],
  ])("%s", async (_, args) => {
    const running = cli.start(...args);
    await asked();
    running.child.kill(signal);
    expect(await running.ended).toEqual({
      exitCode: signal === "SIGINT" ? 130 : 143,
      out: "",
      err: "",
    });
    expect(broker.asked("GET", "POST", "DELETE")).toEqual([]);
  });
});

// For its whole budget of 30 s the command hopes for credentials.
test("the error ends the command, although the request for credentials is open still", async () => {
  const running = cli.start("exec", "--scope", "sales", "--", "true");
  const { exitCode, out, err } = await running.ended;
  expect([exitCode, out, agent.gone]).toEqual([4, "", agent.asked.length]);
  expect(err).toMatch(/^looker-token: [^\n]+\n$/m);
});

test("a credential_process that waits does not keep the command at a signal", async () => {
  const home = mkdtempSync(join(tmpdir(), "home-"));
  const config = join(home, "config");
  const pid = join(home, "pid");
  writeFileSync(config, `[default]\ncredential_process = sh -c "echo $$ > ${pid}; exec sleep 600"\n`);
  const running = cli
    .without("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    .with({ AWS_CONFIG_FILE: config })
    .start("exec", "--scope", "sales", "--session", "--", "true");
  const waiting = await untilSeen(() => existsSync(pid) && Number(readFileSync(pid, "utf8")), "the program");
  onTestFinished(() => {
    process.kill(waiting);
    rmSync(home, { recursive: true });
  });
  const exited = exitOf(running);
  running.child.kill("SIGTERM");
  expect(await exited).toBe(143);
});
