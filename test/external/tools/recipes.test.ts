/** The commands of docs/how-to/recipes and their examples, typed as they stand there. */
import { cpSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { sharedStand } from "../../support/broker-stand.ts";
import { emptyTable } from "../../support/empty-table.ts";
import {
  buildCommand,
  commandsOf,
  environmentOf,
  recipe,
  start,
  startService,
} from "../../support/recipe.ts";
import { pathOf } from "./run.ts";

const stand = sharedStand();

const page = (name: string) =>
  readFileSync(new URL(`../../../docs/how-to/recipes/${name}.md`, import.meta.url), "utf8");

/** The page's code in that language. */
const codeOf = (name: string, language = "sh") =>
  [...page(name).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(
    ([, code = ""]) => code,
  );

/** A path, or an absent one's name for the skip. */
const installed = (folder: "TOOLS_BIN" | "REFERENCE_BIN", command: string) =>
  pathOf({ name: command, folder, command }) ?? "";

let path: string;
beforeAll(() => {
  const bin = commandsOf(stand, {
    "looker-token": { linkTo: buildCommand() },
    python3: { script: `#!/bin/sh\nexec '${installed("REFERENCE_BIN", "python3")}' "$@"\n` },
    spectacles: { script: `#!/bin/sh\nexec '${installed("TOOLS_BIN", "spectacles")}' "$@"\n` },
    // In the place of a worker that runs for ever.
    airflow: { script: '#!/bin/sh\nprintf "%s" "$AIRFLOW_CONN_LOOKER_DEFAULT"\n' },
  });
  path = `${bin}:${process.env.PATH}`;
});
afterEach(async () => {
  stand.looker.control.expireAllTokens();
  stand.looker.control.resetLedger();
  await emptyTable(stand.broker);
});

/** In a shell, with copies of the example's files, because tools write next to them. */
const shell = (command: string): Parameters<typeof start> => {
  const files = mkdtempSync(join(stand.workDir, "recipe-"));
  cpSync(recipe("python-through-proxy"), files, { recursive: true });
  const placed = command
    .replaceAll("/usr/local/bin/", "")
    .replaceAll("/opt/reports/venv/bin/", "")
    .replaceAll("/opt/reports", files);
  const env = {
    ...environmentOf(stand, "report-service"),
    PATH: path,
    PORT: "0",
    PYTHONDONTWRITEBYTECODE: "1",
  };
  // The shell is replaced, so that a signal meets the command as under systemd.
  return ["sh", ["-c", `exec ${placed}`], { cwd: files, env }];
};
const run = (command: string) => start(...shell(command)).ended;

const models = { exitCode: 0, out: "sales\nfinance\n", err: "" };
const wasShared = () => stand.looker.liveTokens().length === 1;

test("a Python job", async () => {
  expect(await run(codeOf("python-job")[0] ?? "")).toEqual(models);
  expect(wasShared()).toBe(false);
});

describe("a Python service", () => {
  const [, unit = ""] =
    /^ExecStart=(.+)$/m.exec(readFileSync(recipe("python-through-proxy/reports.service"), "utf8")) ?? [];

  test.each([
    ["in a shell", () => codeOf("python-service")[0] ?? ""],
    ["under systemd", () => unit],
  ])("%s answers, and ends by TERM", async (_, command) => {
    const service = await startService(...shell(command().trim()));
    expect(await (await fetch(service.url)).text()).toMatch(/^.+\n$/);
    service.child.kill("SIGTERM");
    expect((await service.ended).exitCode).toBe(0);
    expect(wasShared()).toBe(true);
  });

  test("has the page's lines in its unit", () => {
    const lines = readFileSync(recipe("python-through-proxy/reports.service"), "utf8").split("\n");
    expect(lines).toEqual(
      expect.arrayContaining(codeOf("python-service", "ini")[0]?.trim().split("\n") ?? []),
    );
  });
});

test("spectacles in CI", async () => {
  const { jobs } = parse(readFileSync(recipe("spectacles-in-ci/spectacles.yml"), "utf8"));
  const { run: step } = jobs.lookml.steps.at(-1);
  expect(codeOf("spectacles-in-ci")[0]).toBe(step);
  const { exitCode, out, err } = await run(step);
  expect([exitCode, out + err]).toEqual([0, expect.stringMatching(/No LookML errors found/)]);
});

describe("Airflow", () => {
  test("runs a command", async () => {
    const dag = readFileSync(recipe("airflow/looker_reports.py"), "utf8");
    const [, command = ""] = /bash_command="(.+)"/.exec(dag) ?? [];
    expect(await run(command)).toEqual(models);
    const shown = codeOf("airflow", "python")[0]?.trim().split("\n") ?? [];
    expect(dag.split("\n").map((line) => line.trim())).toEqual(
      expect.arrayContaining(shown.map((line) => line.trim())),
    );
  });

  test("finds a connection in the worker's environment", async () => {
    const { exitCode, out } = await run(codeOf("airflow")[0] ?? "");
    expect([exitCode, JSON.parse(out)]).toEqual([
      0,
      {
        conn_type: "gcp_looker",
        host: "http://127.0.0.1",
        port: expect.any(Number),
        login: expect.stringMatching(/^[0-9a-f]{20}$/),
        password: expect.stringMatching(/^[0-9a-f]{48}$/),
      },
    ]);
  });
});
