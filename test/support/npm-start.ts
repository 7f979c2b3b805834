/** `npm start` as a process of its own, in a copy of the project: the developer's own run stays untouched. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll } from "vitest";
import { sendSigned } from "./raw-request.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const scope = "@looker-token-broker";
/** Ports that nobody else has. */
export const free = ["--port", "0", "--looker-port", "0"];

export interface Started {
  child: ChildProcess;
  output(): string;
  errors(): string;
  exit: Promise<number | null>;
}

export interface BrokerFile {
  pid: number;
  endpoint: string;
  region: string;
  looker_url: string;
  looker_control_url?: string;
  lookers: { in_place_of: string; url: string; control_url: string }[];
  secrets: string[];
  endpoints: Record<string, string>;
  principals: Record<
    string,
    { access_key_id: string; secret_access_key: string; session_token: string; scopes: string[] }
  >;
}

/** For one test file: the copy, from before its tests to their end. Every run in it ends with its test. */
export function onCopyOfProject() {
  const project = realpathSync(mkdtempSync(join(tmpdir(), "token-broker-start-")));
  const brokerFile = join(project, ".local/broker.json");
  const recordFile = join(project, ".local/records.jsonl");
  beforeAll(() => {
    const parts = [
      "functions",
      "infra",
      "local",
      "client",
      "cli",
      "package.json",
      "cdk.json",
      "tsconfig.json",
    ];
    for (const part of parts)
      cpSync(join(root, part), join(project, part), {
        recursive: true,
        filter: (path) => !path.endsWith("/dist"),
      });
    // As `npm ci` leaves it: packages of the registry, and links to the workspaces of this copy.
    const modules = join(project, "node_modules");
    mkdirSync(join(modules, scope), { recursive: true });
    for (const each of readdirSync(join(root, "node_modules")))
      if (each !== scope) symlinkSync(join(root, "node_modules", each), join(modules, each));
    for (const workspace of ["client", "cli"])
      symlinkSync(join(project, workspace), join(modules, scope, workspace));
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  const children = new Set<ChildProcess>();
  afterEach(() => {
    for (const child of children) child.kill("SIGKILL");
    // A broker that is killed leaves its file, and the next test must not find it.
    rmSync(brokerFile, { force: true });
  });

  function npmStart(args: string[], environment: Record<string, string> = {}): Started {
    const child = spawn(process.execPath, ["local/start.mjs", ...args], {
      cwd: project,
      env: { PATH: process.env.PATH ?? "", HOME: project, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(child);
    let [output, errors] = ["", ""];
    child.stdout?.on("data", (text) => {
      output += text;
    });
    child.stderr?.on("data", (text) => {
      errors += text;
    });
    const exit = new Promise<number | null>((resolve) =>
      child.once("close", (code) => {
        children.delete(child);
        resolve(code);
      }),
    );
    return { child, output: () => output, errors: () => errors, exit };
  }

  async function ready(started: Started): Promise<BrokerFile> {
    const begun = Date.now();
    while (!started.output().includes("The broker is running.")) {
      if (Date.now() - begun > 60_000 || started.child.exitCode !== null)
        throw new Error(`It did not start: ${started.errors()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return JSON.parse(readFileSync(brokerFile, "utf8"));
  }

  /** The output of `looker-token ask --local` in the copy of the project. */
  const ask = (...args: string[]) =>
    promisify(execFile)(
      process.execPath,
      ["--import", "./cli/from-source.mjs", "cli/src/main.ts", "ask", "--local", ...args],
      { cwd: project },
    );

  return { project, brokerFile, recordFile, npmStart, ready, ask };
}

export async function post(broker: BrokerFile, name: string, path: string) {
  const keys = broker.principals[name];
  const { port, pathname } = new URL(broker.endpoint);
  const { status, text, headers } = await sendSigned(Number(port), `${pathname}${path}`, {
    method: "POST",
    credentials: {
      accessKeyId: keys?.access_key_id ?? "",
      secretAccessKey: keys?.secret_access_key ?? "",
      sessionToken: keys?.session_token ?? "",
    },
    region: broker.region,
  });
  return { status, headers, text, json: JSON.parse(text) };
}

export const stop = ({ child, exit }: Started) => {
  child.kill("SIGINT");
  return exit;
};

export const keysOf = (broker: BrokerFile) =>
  Object.values(broker.principals).flatMap((each) => [each.secret_access_key, each.session_token]);
