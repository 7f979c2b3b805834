/** A local broker, and somebody at a shell who types what the runbook says, block by block. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import type { Control } from "../../local/looker/control.ts";
import { type AlarmProperties, type AlarmState, stateOf } from "../support/audit/alarm-state.ts";
import { mustBeEmbeddedMetricFormat } from "../support/audit/embedded-metric-format.ts";
import {
  type Caller,
  callerOf,
  leaksIn,
  records,
  type Stand,
  startStand,
  startsWithinMs,
} from "../support/broker-stand.ts";
import { emptyTable } from "../support/empty-table.ts";
import { entryOf, isTyped, repository, typedBy } from "../support/runbook-document.ts";
import { type Row, rowsOf, type TableRows } from "./rows.ts";
import { type Aws, resourcesOf, startAws } from "./runbook-aws.ts";

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface Shell {
  /** Sets what the reader is told to set. */
  set(variables: Readonly<Record<string, string>>): void;
  /** Types the one block of the entry that is this line, or else begins so. `pasted` is what the commands read. */
  type(beginning: string, pasted?: string): Promise<Ran>;
}

export interface Runbook {
  readonly stand: Stand;
  readonly aws: Aws;
  readonly looker: Control;
  caller(name: string): Caller;
  /** The acts of one entry, in their order: each finds the rows, the faults and the shell as the one before left them. */
  story(title: string, acts: () => void): void;
  /** A new shell in which "First of all" was typed, and the block of names where the entry asks for it. */
  at(anchor: string, given?: Readonly<Record<string, string>>): Promise<Shell>;
  /** A row's change behind the broker's back, as by somebody who can write to the table. */
  edit(caller: Caller, change: (row: Row) => void): Promise<void>;
  rows(): Promise<Row[]>;
  put(row: Row): Promise<void>;
  /** The alarm's state by the metrics of all records so far, a minute from now. */
  alarm(name: string): AlarmState;
}

const withAws = "with-the-aws-command";

/** As an installed command. */
const command = `#!/bin/sh
exec '${process.execPath}' --import '${repository}cli/from-source.mjs' '${repository}cli/src/main.ts' "$@"
`;

/** For one test file. When its tests are over, it has typed every block of its entries. */
export function onRunbook(testFile: string, options: Parameters<typeof startStand>[0] = {}): Runbook {
  const own = typedBy[basename(testFile) as keyof typeof typedBy];
  const typed = new Set<string>();
  const printed: string[] = [];
  let stand: Stand;
  let aws: Aws;
  let shells = 0;
  beforeAll(async () => {
    stand = await startStand(options);
    mkdirSync(join(stand.workDir, "bin"));
    writeFileSync(join(stand.workDir, "bin/looker-token"), command, { mode: 0o755 });
    aws = await startAws(() => stand, join(stand.workDir, "bin"));
  }, startsWithinMs);
  let inStory = false;
  const tidy = async () => {
    stand.broker.looker?.control.clearFaults();
    await emptyTable(stand.broker);
    expect(leaksIn(printed.splice(0).join("\n"), stand.secrets)).toBe(0);
  };
  afterEach(async () => {
    if (!inStory) await tidy();
  });
  afterAll(async () => {
    await aws?.close();
    await stand?.stop();
    const untyped = own.flatMap((anchor) =>
      entryOf(anchor)
        .blocks.filter((block) => isTyped(block) && !typed.has(`${anchor}\n${block}`))
        .map((block) => `#${anchor}: ${block}`),
    );
    expect(untyped).toEqual([]);
  });

  /** Shells of the same state go on where the other was. */
  const shellAt = (anchor: string, state: string, given: Record<string, string>): Shell => ({
    set: (variables) => void Object.assign(given, variables),
    async type(beginning, pasted = "") {
      const block = blockOf(anchor, beginning);
      typed.add(`${anchor}\n${block}`);
      const ran = await bash(stand, aws, { state, given, block, pasted });
      printed.push(ran.out, ran.err);
      return ran;
    },
  });
  return {
    get stand() {
      return stand;
    },
    get aws() {
      return aws;
    },
    get looker() {
      return stand.broker.looker?.control as Control;
    },
    caller: (name) => callerOf(stand, name),
    story(title, acts) {
      describe(title, () => {
        beforeAll(() => {
          inStory = true;
        });
        afterAll(async () => {
          inStory = false;
          await tidy();
        });
        acts();
      });
    },
    async at(anchor, given = {}) {
      const state = join(stand.workDir, `shell-${++shells}`);
      const first = await shellAt("first-of-all", state, { ...given }).type("export LOOKER_BROKER_STACK");
      expect(first).toMatchObject({ exitCode: 0, err: "", out: expect.stringContaining("operate") });
      // As the reader does: only where the entry says so.
      if (entryOf(anchor).text.includes(`(#${withAws})`)) {
        const names = await shellAt(withAws, state, { ...given }).type("STACK=");
        expect(names).toMatchObject({ exitCode: 0, err: "", out: "" });
      }
      return shellAt(anchor, state, { ...given });
    },
    edit: ({ principal }, change) => withRows(stand, (rows) => rows.edit(principal, change)),
    rows: () => withRows(stand, (rows) => rows.all()),
    put: (row) => withRows(stand, (rows) => rows.put(row)),
    alarm(name) {
      const [, alarm] =
        Object.entries(resourcesOf(stand)).find(
          ([id, { Type }]) => Type === "AWS::CloudWatch::Alarm" && id.startsWith(`BrokerAlarms${name}`),
        ) ?? [];
      const data = records(stand.broker)
        .filter(({ kind }) => kind === "audit")
        .flatMap(mustBeEmbeddedMetricFormat);
      return stateOf(alarm?.Properties as AlarmProperties, data, Date.now() + 60_000);
    },
  };
}

async function withRows<T>(stand: Stand, work: (rows: TableRows) => Promise<T>): Promise<T> {
  const rows = rowsOf(stand);
  try {
    return await work(rows);
  } finally {
    rows.close();
  }
}

/** Past the AWS proxy, at the engine itself. */
export async function atTable<T>(
  { broker }: Stand,
  work: (client: DynamoDBClient, tableName: string) => Promise<T>,
): Promise<T> {
  const client = new DynamoDBClient({
    endpoint: broker.engines.urls.dynamodb,
    region: broker.region,
    credentials: ENGINE_CREDENTIAL,
  });
  try {
    return await work(client, broker.tableName);
  } finally {
    client.destroy();
  }
}

function blockOf(anchor: string, beginning: string): string {
  const { blocks } = entryOf(anchor);
  const whole = blocks.filter((each) => each === `${beginning}\n`);
  const [block, ...more] = whole.length > 0 ? whole : blocks.filter((each) => each.startsWith(beginning));
  if (block === undefined || more.length > 0)
    throw new Error(`#${anchor} has ${block ? "several blocks" : "no block"} that begin with ${beginning}`);
  return block;
}

/** What the shell knows outlives the block: variables that the runbook names, and functions. */
const variables = [
  ...[
    "STACK",
    "BROKER",
    "Endpoint",
    "TableName",
    "SweepLogGroup",
    "AccessLogGroup",
    "SWEEP",
    "OPERATE",
    "SCHEDULE",
    "TABLE",
  ],
  ...["LOOKER_BROKER_STACK", "SECRET", "PAIR", "SHA", "TOKEN", "ROW"],
];

async function bash(
  { broker, workDir }: Stand,
  { bin }: Aws,
  typed: { state: string; given: Record<string, string>; block: string; pasted: string },
): Promise<Ran> {
  const operator = broker.principals.find(({ name }) => name === "platform-engineer");
  const script = `[ ! -e "$STATE" ] || . "$STATE"
${typed.block}
code=$?
{ declare -p ${variables.join(" ")}; declare -f; } >"$STATE" 2>/dev/null
exit $code`;
  // Bash takes Node's pipe for a connection from another machine and would read its startup files.
  const child = spawn("bash", ["--norc", "-c", script], {
    cwd: repository,
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: workDir,
      TMPDIR: workDir,
      STATE: typed.state,
      AWS_REGION: broker.region,
      // The local run has no CloudWatch: there it answers that it does not know the operation.
      ...Object.fromEntries(
        ["CLOUDFORMATION", "CLOUDWATCH_LOGS", "CLOUDWATCH"].map((service) => [
          `AWS_ENDPOINT_URL_${service}`,
          broker.awsProxy.url,
        ]),
      ),
      AWS_MAX_ATTEMPTS: "1",
      // As on a terminal: wide rows stand line by line.
      COLUMNS: "80",
      AWS_ACCESS_KEY_ID: operator?.accessKeyId,
      AWS_SECRET_ACCESS_KEY: operator?.secretAccessKey,
      AWS_SESSION_TOKEN: operator?.sessionToken,
      ...typed.given,
    },
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  child.stdin.on("error", () => {}).end(typed.pasted);
  const exitCode = await new Promise<number>((resolve) =>
    child.once("close", (code) => resolve(code ?? 128)),
  );
  return { exitCode, out, err };
}
