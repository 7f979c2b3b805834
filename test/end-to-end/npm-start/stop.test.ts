/** The end of a run, and the start after it. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { listen } from "../../../local/loopback.ts";
import { free, onCopyOfProject, post, stop } from "../../support/npm-start.ts";

const { project, brokerFile, recordFile, npmStart, ready, ask } = onCopyOfProject();

/** All processes below this one, with their command lines. */
async function descendantsOf(pid = 0): Promise<{ pid: string; args: string }[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid=,args="]);
  const processes = stdout.split("\n").map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
  const below = new Set([String(pid)]);
  // Parents have started before their children, but numbers may have come round: until nothing is added.
  for (let before = 0; before < below.size; ) {
    before = below.size;
    for (const [, own = "", parent = ""] of processes) if (below.has(parent)) below.add(own);
  }
  return processes.flatMap(([, own = "", , args = ""]) => (below.has(own) ? [{ pid: own, args }] : []));
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s while it starts ends it with 0 and leaves no file and no process, so the next start works at once",
  async (signal) => {
    const started = npmStart(free);
    // The stack is being synthesized, so the start has begun and is far from ready.
    const app = await vi.waitFor(
      async () => {
        const all = await descendantsOf(started.child.pid);
        const found = all.find(({ args }) => args.includes("infra/app.ts"));
        if (!found) throw new Error("not yet");
        return found;
      },
      { timeout: 60_000, interval: 50 },
    );
    started.child.kill(signal);
    expect(await started.exit).toBe(0);
    expect(() => process.kill(Number(app.pid), 0)).toThrow("ESRCH");
    expect([existsSync(brokerFile), started.errors()]).toEqual([false, ""]);
    const next = npmStart(free);
    await ready(next);
    expect(await stop(next)).toBe(0);
  },
);

async function holders(): Promise<object[]> {
  const { rows } = JSON.parse((await ask("who-holds-tokens-now", "--json")).stdout) as { rows: object[] };
  return rows;
}

test("a second start fails before it touches anything: the running one's records, stack and keys stay", async () => {
  const running = npmStart(free);
  const broker = await ready(running);
  expect((await post(broker, "report-service", "/scopes/sales/token")).status).toBe(200);
  const before = [readFileSync(recordFile, "utf8"), readFileSync(brokerFile, "utf8")];
  const second = npmStart(free);
  expect(await second.exit).toBe(1);
  expect(second.errors()).toMatch(
    new RegExp(`^A broker is running here \\(pid ${broker.pid}\\): stop it first.*\n$`),
  );
  expect([readFileSync(recordFile, "utf8"), readFileSync(brokerFile, "utf8")]).toEqual(before);
  expect((await post(broker, "report-service", "/scopes/sales/token")).status).toBe(200);
  expect(await holders()).toHaveLength(1);
  expect(await stop(running)).toBe(0);
  expect(existsSync(join(project, ".local/broker.lock"))).toBe(false);
});

test("a killed run leaves its records and a stale lock, and the next run that comes up begins anew", async () => {
  const killed = npmStart(free);
  const broker = await ready(killed);
  expect((await post(broker, "report-service", "/scopes/sales/token")).status).toBe(200);
  killed.child.kill("SIGKILL");
  await killed.exit;
  const records = readFileSync(recordFile, "utf8");
  expect(records).toContain('"outcome":"minted"');

  const { port, close } = await listen(createServer());
  onTestFinished(close);
  const failing = npmStart(["--port", String(port), "--looker-port", "0"]);
  expect(await failing.exit).toBe(1);
  expect(failing.errors()).toContain(`Port ${port} is in use`);
  expect(readFileSync(recordFile, "utf8")).toBe(records);

  const next = npmStart(free);
  await ready(next);
  expect(readFileSync(recordFile, "utf8")).not.toContain('"outcome":"minted"');
  expect(await holders()).toEqual([]);
  expect(await stop(next)).toBe(0);
});
