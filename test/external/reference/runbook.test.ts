/** What AWS's own command line makes of the runbook's `aws` commands: it understands each, and moto is asked. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { entries } from "../../support/runbook-document.ts";
import { type RunningMoto, startMoto } from "./moto.ts";
import { tool } from "./tools.ts";

/** Of the deployed stack, as much as moto can make. */
const template = {
  Resources: {
    BrokerTable: {
      Type: "AWS::DynamoDB::Table",
      Properties: {
        TableName: "slots",
        AttributeDefinitions: ["pk", "sk"].map((name) => ({ AttributeName: name, AttributeType: "S" })),
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        BillingMode: "PAY_PER_REQUEST",
      },
    },
  },
  Outputs: {
    Endpoint: { Value: "https://abc123.execute-api.us-east-1.amazonaws.com/v1" },
    TableName: { Value: { Ref: "BrokerTable" } },
    SweepLogGroup: { Value: "/sweep" },
    ScopeSalesPolicy: { Value: '{"not": "a shell\'s"}' },
  },
};
const row = { pk: { S: "scope#sales#1" }, sk: { S: "caller#111122223333#AROAEXAMPLEEXAMPLE12" } };
const schedule = {
  Name: "schedule",
  ScheduleExpression: "rate(1 minute)",
  FlexibleTimeWindow: { Mode: "OFF" },
  State: "DISABLED",
  Target: {
    Arn: "arn:aws:lambda:us-east-1:123456789012:function:sweep",
    RoleArn: "arn:aws:iam::123456789012:role/schedule",
  },
};

const pair = '{"client_id": "id", "client_secret": "secret"}';

let moto: RunningMoto;
let directory: string;
beforeAll(async () => {
  moto = await startMoto();
  directory = mkdtempSync(join(tmpdir(), "runbook-"));
  for (const [name, content] of Object.entries({ template, row, schedule }))
    writeFileSync(join(directory, name), JSON.stringify(content));
  const said = await type(`
aws cloudformation create-stack --stack-name looker-token-broker --template-body "file://template"
aws dynamodb put-item --table-name slots --item "file://row"
aws scheduler create-schedule --cli-input-json "file://schedule"
aws secretsmanager create-secret --name looker/sales --secret-string "{}"
aws secretsmanager delete-secret --secret-id looker/sales`);
  expect(said.commands.filter(({ code }) => code !== 0)).toEqual([]);
}, 120_000);
afterAll(async () => {
  await moto?.close();
  rmSync(directory, { recursive: true, force: true });
});

/**
 * What is not `aws` is not these tests'. moto knows nothing of drift: there the command line checks what it was given, and
 * makes up nothing.
 */
const around = `
npm() { :; }; npx() { :; }; ask() { :; }; looker-token() { :; }; sleep() { return 1; }
part() { echo part; }
node() { '${process.execPath}' "$@"; }
aws() {
  local skeleton="" code
  if [ "$2" = detect-stack-resource-drift ]; then
    skeleton="--generate-cli-skeleton output"
    echo '{"ResourcePolicy": {"PolicyDocument": {"Statement": []}}}'
    command aws "$@" $skeleton >/dev/null 2>"$SAID"
  else command aws "$@" 2>"$SAID"; fi
  code=$?
  { printf '%s\\n%s\\n' "$code" "$*"; cat "$SAID"; printf '\\0'; } >>"$LOG"
  return "$code"
}`;

async function type(script: string) {
  const log = mkdtempSync(join(directory, "typed-"));
  writeFileSync(join(log, "pair"), pair);
  const child = spawn("bash", ["-c", `${around}\n${script}`], {
    cwd: directory,
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      PATH: `${join(tool("moto_server"), "..")}:${process.env.PATH}`,
      HOME: directory,
      TMPDIR: directory,
      ...{ LOG: join(log, "log"), SAID: join(log, "said") },
      ...{ AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret", AWS_MAX_ATTEMPTS: "1" },
      ...{ AWS_REGION: "us-east-1", AWS_DEFAULT_REGION: "us-east-1", AWS_ENDPOINT_URL: moto.url },
      // What a reader has by then.
      ...{ STACK: "looker-token-broker", TableName: "slots", SweepLogGroup: "/sweep", LOGS: "/sweep" },
      ...{ SWEEP: "sweep", OPERATE: "operate", SCHEDULE: "schedule", SECRET: "looker/sales", SCOPE: "sales" },
      ...{ ACCOUNT: "111122223333", UNIQUE_ID: "AROAEXAMPLEEXAMPLE12" },
      PAIR: join(log, "pair"),
    },
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stdin.end(pair);
  await new Promise((resolve) => child.once("close", resolve));
  const commands = readFileSync(join(log, "log"), "utf8")
    .split("\0")
    .slice(0, -1)
    .map((text) => {
      const [code, command, ...said] = text.split("\n");
      return { code: Number(code), command, said: said.join("\n").trim() };
    });
  return { out, commands };
}

const blocks = entries.flatMap((entry) =>
  entry.blocks
    .filter((block) => /\baws /.test(block))
    .map((block) => [entry.anchor, block.split("\n")[0], block] as const),
);

test.each(blocks)("in #%s: %s", async (_, __, block) => {
  const { commands } = await type(block);
  expect(commands.length).toBeGreaterThan(0);
  // What moto does not have is a service's answer all the same: the command was understood.
  const answered = /^An error occurred \(\w+\) when calling the \w+ operation/;
  expect(commands.filter(({ code, said }) => code !== 0 && !answered.test(said))).toEqual([]);
});

test("the first block takes the stack's outputs, and leaves out what no shell could take", async () => {
  const first = entries[0]?.blocks[0] ?? "";
  const { out } = await type(
    `${first}\necho "$LOOKER_BROKER_ENDPOINT $TableName"\npart AWS::DynamoDB::Table Table`,
  );
  expect(out).toBe("https://abc123.execute-api.us-east-1.amazonaws.com/v1 slots\nslots\n");
});

const blockWith = (text: string) => blocks.find(([, , block]) => block.includes(text))?.[2] ?? "";

test("a row that nobody can read is found by its caller, and removed", async () => {
  await type("aws dynamodb put-item --table-name slots --item file://row");
  const { out } = await type(
    `${blockWith("delete-item")}\naws dynamodb scan --table-name slots --query Count`,
  );
  expect(out).toBe(`${JSON.stringify(row, null, 4)}\n0\n`);
});

test("a schedule that was disabled is enabled, and otherwise as it was", async () => {
  await type("aws scheduler update-schedule --cli-input-json file://schedule");
  await type(blockWith("update-schedule"));
  const { out } = await type("aws scheduler get-schedule --name schedule");
  expect(JSON.parse(out)).toMatchObject({ ...schedule, State: "ENABLED" });
});

test("a secret that was scheduled for deletion is there again, with the pair that was pasted", async () => {
  await type(blockWith("restore-secret"));
  await type(blockWith("put-secret-value"));
  const { out } = await type(
    "aws secretsmanager get-secret-value --secret-id looker/sales --query SecretString",
  );
  expect(JSON.parse(JSON.parse(out))).toEqual(JSON.parse(pair));
});
