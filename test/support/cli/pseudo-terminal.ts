/** A program under a pseudo-terminal, as a person has it: Python's `pty`, since a module for Node would be a native one. */
import { spawn } from "node:child_process";

export interface Shown {
  /** As the terminal got it, stdout and stderr together. */
  readonly text: string;
  /** 128 + signal, where that ended it. */
  readonly exitCode: number;
  /** The terminal's modes are those from before, and its cursor can be seen. */
  readonly sane: boolean;
}

export interface Keys {
  /** When this has been shown … */
  readonly after: string;
  /** … this is typed. */
  readonly type: string;
}

export const ctrlC = "\x03";
export const ctrlBackslash = "\x1c";
export const ctrlD = "\x04";

const script = `
import json, os, pty, sys, termios, fcntl, struct
job = json.load(sys.stdin)
pid, master = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    os.chdir(job["cwd"])
    os.kill(os.getpid(), 19)
    os.execvpe(job["argv"][0], job["argv"], job["env"])
os.waitpid(pid, os.WUNTRACED)
before = termios.tcgetattr(master)
os.kill(pid, 18)
keys, text, seen = job["keys"], b"", 0
while True:
    try:
        chunk = os.read(master, 65536)
    except OSError:
        break
    if not chunk:
        break
    text += chunk
    while keys:
        at = text.find(keys[0]["after"].encode(), seen)
        if at < 0:
            break
        seen = at + len(keys[0]["after"].encode())
        os.write(master, keys.pop(0)["type"].encode())
_, status = os.waitpid(pid, 0)
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
after = termios.tcgetattr(master)
shown = text.rfind(b"\\x1b[?25h") >= text.rfind(b"\\x1b[?25l")
print(json.dumps({"text": text.decode(), "exitCode": code, "sane": before == after and shown}))
`;

/** @throws where there is no Python: what a terminal shows is then not known, and the test must not pass. */
export async function underTerminal(
  argv: readonly string[],
  { cwd, env, keys = [] }: { cwd: string; env: Readonly<Record<string, string>>; keys?: readonly Keys[] },
): Promise<Shown> {
  const python = spawn("python3", ["-c", script], { stdio: ["pipe", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  python.stdout.on("data", (chunk) => {
    out += chunk;
  });
  python.stderr.on("data", (chunk) => {
    err += chunk;
  });
  python.stdin.end(JSON.stringify({ argv, cwd, env, keys }));
  await new Promise<void>((resolve, reject) => {
    python.once("error", () => reject(new Error("These tests need python3, for its pseudo-terminal.")));
    python.once("close", () => resolve());
  });
  if (out === "") throw new Error(`The pseudo-terminal did not work: ${err}`);
  const shown = JSON.parse(out) as Shown;
  return { ...shown, text: shown.text.replaceAll("\r\n", "\n") };
}
