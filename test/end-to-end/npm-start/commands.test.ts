/** The commands that `npm start` prints, and those in pages, in a shell. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { leaksIn, statusAtLooker } from "../../support/broker-stand.ts";
import { type BrokerFile, free, keysOf, onCopyOfProject, root, stop } from "../../support/npm-start.ts";

const { project, brokerFile, recordFile, npmStart, ready, ask } = onCopyOfProject();

/** Bash takes Node's pipe for a connection from another machine and would read its startup files, which may fail under `-u`. */
const inBash = (script: string) => promisify(execFile)("bash", ["--norc", "-euc", script], { cwd: project });

test("it says when it is ready, its printed commands work in a shell, and Ctrl-C ends it with 0", async () => {
  const started = npmStart(free);
  const broker = await ready(started);
  expect(broker.pid).toBe(started.child.pid);
  expect(statSync(brokerFile).mode & 0o777).toBe(0o600);

  const commands = started.output().split("another terminal in this directory:")[1] ?? "";
  const { stdout } = await inBash(`${commands}\necho; echo "TOKEN $TOKEN"`);
  expect(stdout).toContain('"Service account of looker/sales"');
  expect(stdout).toContain('{"revoked":1,"pending":0}');
  const token = /^TOKEN (\S+)$/m.exec(stdout)?.[1] ?? "";
  expect(await statusAtLooker(broker.looker_url, token)).toBe(401);

  const ledger = (await (await fetch(`${broker.looker_control_url}/ledger`)).json()) as { event: string }[];
  const testOfTheRotation = ["login", "api", "logout"];
  expect(ledger.map(({ event }) => event)).toEqual([
    ...testOfTheRotation,
    ...["login", "api", "logout", "api_unauthorized"],
  ]);
  // The records can be asked, and outlive the run.
  const caller = "arn:aws:iam::111122223333:role/report-service";
  const asked = await ask("what-did-this-caller-do", "--caller", caller, "--json");
  const answer = JSON.parse(asked.stdout) as { rows: { verb: string; outcome: string }[] };
  expect(answer.rows.map(({ verb, outcome }) => [verb, outcome])).toEqual([
    ["logout", "revoked"],
    ["token", "minted"],
  ]);

  expect(await stop(started)).toBe(0);
  expect(existsSync(brokerFile)).toBe(false);
  expect(started.errors()).toBe("");
  expect(leaksIn(started.output(), [token, ...keysOf(broker)])).toBe(0);
  expect(statSync(recordFile).mode & 0o777).toBe(0o600);
});

/** The tutorial shows the output of one run. These parts of it differ in the next run. */
const masks: [what: RegExp, mask: string][] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME"],
  [/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, "REQUEST"],
  [/\b[\da-f]{20}\b/g, "ID"],
  [/127\.0\.0\.1:\d+/g, "ADDRESS"],
  [/\b(?:\d+m )?\d+s\b/g, "DURATION"],
  [/ +/g, " "],
];
const masked = (text: string) =>
  masks.reduce((rest, [what, mask]) => rest.replaceAll(what, mask), text.trim());

test("the tutorial's commands, typed one after the other, print the output shown there", async () => {
  const page = readFileSync(join(root, "docs/tutorials/first-token.md"), "utf8");
  const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, kind, text = ""]) => ({
    kind,
    text,
  }));
  const [start, ...steps] = blocks;
  expect(start).toEqual({ kind: "sh", text: "npm ci\nnpm start\n" });
  const started = npmStart(free);
  await ready(started);

  const end = "--- end of a block";
  const script = steps.flatMap(({ kind, text }) => (kind === "sh" ? [text, `echo "${end}"\n`] : [])).join("");
  const { stdout, stderr } = await inBash(script);
  expect(stderr).toBe("");
  const printed = stdout.split(`${end}\n`).slice(0, -1);
  const promised = steps.flatMap(({ kind }, at) => {
    const after = steps[at + 1];
    return kind === "sh" ? [after?.kind === "text" ? after.text : ""] : [];
  });
  expect(promised.filter((text) => text !== "").length).toBeGreaterThan(4);
  expect(printed.map(masked)).toEqual(promised.map(masked));
  expect(await stop(started)).toBe(0);
});

describe("another shell", () => {
  /** A developer's own AWS profile must not win over the keys of the local run. */
  const type = (script: string) =>
    promisify(execFile)("sh", ["-euc", script], {
      cwd: project,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: project,
        AWS_PROFILE: "elsewhere",
        AWS_SESSION_TOKEN: "old",
      },
    });

  test("its printed commands get a token, show it to Looker and end it", async () => {
    const started = npmStart(free);
    await ready(started);
    const [, commands = ""] = /^Try it as .*$([\s\S]*)/m.exec(started.output()) ?? [];
    const { stdout, stderr } = await type(commands);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/"display_name":"Service account of looker\/sales".*{"revoked":1,"pending":0}/s);
  });

  test("README's commands and its lines of a service work, and nothing of npm's is in TOKEN", async () => {
    await ready(npmStart(free));
    const page = readFileSync(join(root, "README.md"), "utf8");
    const [commands = ""] = /^npm run build -w client\n[\s\S]*?(?=^```$)/m.exec(page) ?? [];
    expect(commands.split("\n")).toHaveLength(5);
    const [, diff = ""] = /^```diff\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const lines = diff.split("\n").flatMap((line) => (/^[+ ]/.test(line) ? [line.slice(1)] : []));
    writeFileSync(join(project, "service.mjs"), `${lines.join("\n")}\nconsole.log(await sdk.ok(sdk.me()));`);
    const { stdout, stderr } = await type(`${commands}printf '<%s>\\n' "$TOKEN"`);
    expect(stderr).toBe("");
    const [, user, token = ""] = /^([\s\S]*)<(\S+)>\n$/.exec(stdout) ?? [];
    const { looker_url } = JSON.parse(readFileSync(brokerFile, "utf8")) as BrokerFile;
    expect(await statusAtLooker(looker_url, token)).toBe(200);
    expect(user).toContain("Service account of looker/sales");
  });
});

test("no page shows npm run looker-token without --silent, because npm's own lines would be captured", () => {
  const { stdout } = spawnSync("git", ["ls-files", "*.md"], { cwd: root, encoding: "utf8" });
  const pages = stdout.trim().split("\n");
  expect(pages).toContain("README.md");
  const loud = /npm run looker-token/;
  expect(pages.filter((page) => loud.test(readFileSync(join(root, page), "utf8")))).toEqual([]);
});
