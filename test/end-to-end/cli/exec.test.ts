/** `looker-token exec` against a whole local broker: what the command gets, and what is left when it is over. */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { writeBrokerFile } from "../../../local/broker-file.ts";
import type { RunningLooker } from "../../../local/looker/server.ts";
import {
  type Caller,
  callerOf,
  leaksIn,
  type Stand,
  startStand,
  startsWithinMs,
  untilSeen,
} from "../../support/broker-stand.ts";
import { Command, type Ran } from "../../support/cli/command.ts";
import { ctrlBackslash, ctrlC } from "../../support/cli/pseudo-terminal.ts";
import { emptyTable } from "../../support/empty-table.ts";

let stand: Stand;
let looker: RunningLooker;
let reports: Caller;
let cli: Command;
const printed: string[] = [];

beforeAll(async () => {
  stand = await startStand();
  looker = stand.broker.looker as RunningLooker;
  writeBrokerFile(join(stand.workDir, ".local/broker.json"), stand.broker);
  reports = callerOf(stand, "report-service");
  cli = new Command(stand.workDir);
}, startsWithinMs);
afterAll(() => stand?.stop());
afterEach(async () => {
  looker.control.clearFaults();
  looker.control.expireAllTokens();
  looker.control.resetLedger();
  await emptyTable(stand.broker);
  expect(leaksIn(printed.splice(0).join("\n"), stand.secrets)).toBe(0);
});

const sales = ["exec", "--scope", "sales", "--local"];
/** With a token of its own, which has to be gone when the run is over. */
const ownSession = [...sales, "--session"];

async function exec(options: string[], ...command: string[]): Promise<Ran> {
  const ran = await cli.run(...sales, ...options, "--", ...command);
  printed.push(ran.out, ran.err);
  return ran;
}

const liveTokens = () => looker.control.liveTokens().length;
const logins = () => looker.ledger().filter(({ event }) => event === "login").length;

describe("the command", () => {
  test("finds a token and Looker's URL in its environment, and the rest as it was", async () => {
    const script =
      'fetch(process.env.LOOKERSDK_BASE_URL + "/api/4.0/user", {headers: {authorization: "Bearer " + process.env.LOOKER_ACCESS_TOKEN}})' +
      ".then(({status}) => console.log(status, process.env.AWS_PROFILE, process.env.AWS_ACCESS_KEY_ID, process.env.LOOKER_TOKEN_FILE))";
    const ran = await cli.with({ AWS_PROFILE: "mine" }).run(...sales, "--", process.execPath, "-e", script);
    expect(ran).toEqual({ exitCode: 0, out: "200 mine undefined undefined\n", err: "" });
  });

  test("takes stdin and its words as they are, and its exit code is the answer", async () => {
    const { exitCode, out } = await exec(
      [],
      "sh",
      "-c",
      'printf "<%s>" "$@"; exit 7',
      "sh",
      "a b",
      "--json",
      "$HOME",
    );
    expect([exitCode, out]).toEqual([7, "<a b><--json><$HOME>"]);
  });

  test("that ends by a signal exits as in a shell", async () => {
    expect((await exec([], "sh", "-c", "kill -KILL $$")).exitCode).toBe(137);
  });

  test("that cannot be run exits as in a shell, and its session is ended", async () => {
    const job = join(stand.workDir, "job");
    // A look beforehand passes it: its interpreter is there, and cannot be run.
    const interpreter = join(stand.workDir, "interpreter");
    writeFileSync(interpreter, "");
    writeFileSync(job, `#!${interpreter}\n`, { mode: 0o755 });
    expect(await exec(["--session"], job)).toEqual({
      exitCode: 126,
      out: "",
      err: `looker-token: The command ${job} cannot be run (EACCES).\n`,
    });
    expect([logins(), liveTokens()]).toEqual([1, 0]);
  });

  test("is not begun where there is no token", async () => {
    const ran = await cli.run(
      "exec",
      "--scope",
      "finance",
      "--local",
      "--as",
      "report-service",
      "--",
      "echo",
      "begun",
    );
    expect(ran).toMatchObject({
      exitCode: 3,
      out: "",
      err: expect.stringMatching(/^looker-token: IAM does not allow/),
    });
  });
});

test("the token is in no process's command line, as ps shows it", async () => {
  const script = `
    const { readdirSync, readFileSync } = require("node:fs");
    const token = process.env.LOOKER_ACCESS_TOKEN;
    const lines = readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map((pid) => {
      try { return readFileSync("/proc/" + pid + "/cmdline", "utf8"); } catch { return ""; }
    });
    const mine = lines.filter((line) => line.includes("cli/src/main.ts")).length;
    console.log(token.length > 20, mine > 0, lines.filter((line) => line.includes(token)).length);
  `;
  writeFileSync(join(stand.workDir, "ps.cjs"), script);
  expect((await exec(["--token-file", "token"], process.execPath, "ps.cjs")).out).toBe("true true 0\n");
});

describe("the lease", () => {
  test("is the role's: a run takes it as it is, and leaves it", async () => {
    await exec([], "true");
    expect([logins(), liveTokens()]).toEqual([1, 1]);
    await exec([], "true");
    expect([logins(), liveTokens()]).toEqual([1, 1]);
  });

  test("of a session is ended with the run, and the role's is left alone", async () => {
    await reports.token("sales");
    await exec(["--session"], "true");
    expect([logins(), liveTokens()]).toEqual([2, 1]);
  });

  test("that Looker does not confirm dead is the broker's to go on with", async () => {
    looker.control.addFault({ route: "logout", kind: "status", status: 500 });
    expect(await exec(["--session"], "sh", "-c", "exit 7")).toEqual({ exitCode: 7, out: "", err: "" });
  });

  test("that cannot be ended is told of, and the exit code is the command's all the same", async () => {
    const allow = reports.principal.allow as string[];
    const [logout = ""] = allow.splice(
      allow.findIndex((arn) => arn.endsWith("/logout")),
      1,
    );
    onTestFinished(() => void allow.push(logout));
    expect(await exec(["--session"], "sh", "-c", "exit 7")).toMatchObject({
      exitCode: 7,
      err: expect.stringMatching(
        /^looker-token: The session was not ended\. IAM does not allow the call: .*\n$/,
      ),
    });
  });
});

describe("--token-file", () => {
  test("holds the token while the command runs, for its owner alone, and is gone afterwards", async () => {
    const { exitCode, out } = await exec(
      ["--token-file", "token"],
      "sh",
      "-c",
      'stat -c %a token; echo "$LOOKER_TOKEN_FILE"; [ "$(cat token)" = "$LOOKER_ACCESS_TOKEN" ] && echo same',
    );
    expect([exitCode, out]).toEqual([0, `600\n${join(stand.workDir, "token")}\nsame\n`]);
    expect(readdirSync(stand.workDir).filter((name) => name.startsWith("token"))).toEqual([]);
  });

  test("that cannot be written begins nothing, not even a login", async () => {
    expect(await exec(["--token-file", "no/such/token"], "echo", "begun")).toEqual({
      exitCode: 2,
      out: "",
      err: "looker-token: --token-file no/such/token cannot be written (ENOENT).\n",
    });
    expect(logins()).toBe(0);
  });
});

/** Says when it is ready, cleans up on the signal, and takes its time over it. */
const careful = (signal: string) =>
  `trap 'sleep 0.3; echo cleaned up after ${signal}; exit 42' ${signal}; echo ready; while :; do sleep 0.05; done`;

describe("a signal", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const)(
    "%s from outside reaches the command, which may clean up",
    async (signal) => {
      const running = cli.start(
        ...ownSession,
        "--token-file",
        "token",
        "--",
        "sh",
        "-c",
        careful(signal.slice(3)),
      );
      await untilSeen(() => running.out().includes("ready"), "the command");
      expect([liveTokens(), existsSync(join(stand.workDir, "token"))]).toEqual([1, true]);
      running.child.kill(signal);
      expect(await running.ended).toEqual({
        exitCode: 42,
        out: `ready\ncleaned up after ${signal.slice(3)}\n`,
        err: "",
      });
      expect([liveTokens(), existsSync(join(stand.workDir, "token"))]).toEqual([0, false]);
    },
  );

  test.each(["SIGUSR1", "SIGUSR2", "SIGWINCH"] as const)(
    "%s from outside is the command's affair, and opens no debugger",
    async (signal) => {
      const name = signal.slice(3);
      const script = `trap 'echo got ${name}' ${name}; trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done`;
      const running = cli.start(...ownSession, "--", "sh", "-c", script);
      await untilSeen(() => running.out().includes("ready"), "the command");
      running.child.kill(signal);
      await untilSeen(() => running.out().includes("got"), "the signal");
      running.child.kill("SIGTERM");
      expect(await running.ended).toEqual({ exitCode: 0, out: `ready\ngot ${name}\n`, err: "" });
      expect([logins(), liveTokens()]).toEqual([1, 0]);
    },
  );

  test.each(["SIGQUIT", "SIGUSR1", "SIGUSR2"] as const)(
    "%s while the login is under way leaves no session behind, and no debugger",
    async (signal) => {
      looker.control.addFault({ route: "login", kind: "hold" });
      const running = cli.start(...ownSession, "--", "true");
      await untilSeen(() => looker.control.inFlight().length > 0, "the login");
      running.child.kill(signal);
      if (signal === "SIGQUIT")
        await untilSeen(() => running.err().includes("to end its session"), "the note");
      looker.control.clearFaults();
      const { exitCode, err } = await running.ended;
      // On a busy machine Node hears of a signal after the answer. Then the signal goes to the command, which has just begun.
      const passedOn = 128 + constants.signals[signal];
      expect(signal === "SIGQUIT" ? [131] : [0, passedOn]).toContain(exitCode);
      expect(err).not.toMatch(/debug/i);
      expect([logins(), liveTokens()]).toEqual([1, 0]);
    },
  );

  test("that the command dies of is in the exit code, and the session is ended", async () => {
    const running = cli.start(...ownSession, "--", "sh", "-c", "echo ready; exec sleep 60");
    await untilSeen(() => running.out().includes("ready"), "the command");
    running.child.kill("SIGTERM");
    expect((await running.ended).exitCode).toBe(143);
    expect([logins(), liveTokens()]).toEqual([1, 0]);
  });

  // A second one would be counted: the terminal has given the command the first one.
  const countsThem =
    'let n = 0; for (const signal of ["SIGINT", "SIGQUIT"]) process.on(signal, () => { if (++n === 1) setTimeout(() => { console.log("interrupted " + n); process.exit(130); }, 500); });' +
    'setInterval(() => {}, 1000); console.log("ready");';

  test("Ctrl-C on a terminal reaches the command once; it cleans up, the session is ended, the terminal is sane", async () => {
    const script = countsThem;
    const shown = await cli.onTerminal(
      [...ownSession, "--token-file", "token", "--", process.execPath, "-e", script],
      { after: "ready", type: ctrlC },
    );
    printed.push(shown.text);
    expect(shown).toEqual({ exitCode: 130, sane: true, text: "ready\n^Cinterrupted 1\n" });
    expect([logins(), liveTokens(), existsSync(join(stand.workDir, "token"))]).toEqual([1, 0, false]);
  });

  test.each([
    ["Ctrl-C", ctrlC, "^C", "< /dev/null"],
    ["Ctrl-C", ctrlC, "^C", "< /dev/null 2> notes"],
    ["Ctrl-\\", ctrlBackslash, "^\\", "< /dev/null"],
  ])("%s reaches it once as well where the streams lead elsewhere", async (_, type, echo, redirections) => {
    const words = [...ownSession, "--", process.execPath, "-e", countsThem];
    const shown = await cli.onTerminalWith(redirections, words, { after: "ready", type });
    printed.push(shown.text);
    expect(shown).toEqual({ exitCode: 130, sane: true, text: `ready\n${echo}interrupted 1\n` });
    expect([logins(), liveTokens()]).toEqual([1, 0]);
  });

  test("Ctrl-C on a terminal ends a command that does not care: 130", async () => {
    const shown = await cli.onTerminal([...ownSession, "--", "sh", "-c", "echo ready; exec sleep 60"], {
      after: "ready",
      type: ctrlC,
    });
    // The command may be gone before this process has its own SIGINT, which then meets the logout.
    const text = shown.text.replace("Ending the session. Press again to give up.\n", "");
    expect({ ...shown, text }).toEqual({ exitCode: 130, sane: true, text: "ready\n^C" });
    expect([logins(), liveTokens()]).toEqual([1, 0]);
  });

  test("while the login is under way lets it end, ends its session, and never begins the command", async () => {
    looker.control.addFault({ route: "login", kind: "hold" });
    const running = cli.start(...ownSession, "--", "echo", "begun");
    await untilSeen(() => looker.control.inFlight().length > 0, "the login");
    running.child.kill("SIGINT");
    await untilSeen(() => running.err().includes("to end its session"), "the note");
    looker.control.clearFaults();
    expect(await running.ended).toEqual({
      exitCode: 130,
      out: "",
      err: "Waiting for the broker's answer, to end its session. Press again to give up.\n",
    });
    expect([logins(), liveTokens()]).toEqual([1, 0]);
  });

  test("a second one while the login is under way gives up at once", async () => {
    looker.control.addFault({ route: "login", kind: "hold" });
    const running = cli.start(...ownSession, "--", "echo", "begun");
    await untilSeen(() => looker.control.inFlight().length > 0, "the login");
    running.child.kill("SIGINT");
    await untilSeen(() => running.err().includes("to end its session"), "the note");
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({ exitCode: 130, out: "" });
    expect(looker.control.inFlight()).toHaveLength(1);
  });

  test("while the login of the role's own token is under way gives up at once", async () => {
    looker.control.addFault({ route: "login", kind: "hold" });
    const running = cli.start(...sales, "--", "echo", "begun");
    await untilSeen(() => looker.control.inFlight().length > 0, "the login");
    running.child.kill("SIGTERM");
    expect(await running.ended).toEqual({ exitCode: 143, out: "", err: "" });
  });
});
