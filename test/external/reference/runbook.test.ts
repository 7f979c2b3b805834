/** What AWS's own command line makes of the runbook's `aws` commands: it understands each, and moto is asked. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entries, entryOf } from "../../support/runbook-document.ts";
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

/** As the stack writes them down. */
const policies = {
  table: {
    Statement: [
      {
        Action: ["dynamodb:GetItem", "dynamodb:PutItem"],
        Condition: { ArnNotEquals: { "aws:PrincipalArn": ["arn:aws:iam::123456789012:role/a", "b"] } },
        Effect: "Deny",
        Principal: { AWS: "*" },
        Resource: "*",
        Sid: "DenyRowsToOthers",
      },
    ],
    Version: "2012-10-17",
  },
  "sealing-key": {
    Statement: [
      {
        Action: ["kms:PutKeyPolicy", "kms:GetKeyPolicy"],
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::123456789012:root" },
        Resource: "*",
        Sid: "Administer",
      },
    ],
    Version: "2012-10-17",
  },
};

let moto: RunningMoto;
let directory: string;
let keyId = "";
beforeAll(async () => {
  moto = await startMoto();
  directory = mkdtempSync(join(tmpdir(), "runbook-"));
  for (const [name, content] of Object.entries({ template, row, schedule, ...policies }))
    writeFileSync(join(directory, name), JSON.stringify(content));
  const said = await type(`
aws cloudformation create-stack --stack-name looker-token-broker --template-body "file://template"
aws dynamodb put-item --table-name slots --item "file://row"
aws scheduler create-schedule --cli-input-json "file://schedule"
aws secretsmanager create-secret --name looker/sales --secret-string "{}"
aws secretsmanager delete-secret --secret-id looker/sales
aws ssm put-parameter --type String --name /looker-token-broker/Broker/policies/table --value "file://table" --query Tier
aws ssm put-parameter --type String --name /looker-token-broker/Broker/policies/sealing-key --value "file://sealing-key" --query Tier
aws kms create-key --query KeyMetadata.KeyId --output text`);
  expect(said.commands.filter(({ code }) => code !== 0)).toEqual([]);
  keyId = said.out.trim().split("\n").at(-1) ?? "";
}, 120_000);
afterAll(async () => {
  await moto?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The block that entries send the reader to. */
const namesBlock = entryOf("with-the-aws-command").blocks[0] ?? "";

/** Its functions. */
const functions = ["right", "table_arn", "written", "policies"].map((name) => {
  const [found] = new RegExp(`^${name}\\(\\) \\{(?:.*\\}|[^]*?^\\})$`, "m").exec(namesBlock) ?? [];
  if (!found) throw new Error(`the block has no function ${name}`);
  return found;
});

/**
 * What is not `aws` is not these tests'. moto knows nothing of drift: there the command line checks what it was given, and
 * the answer is that nobody changed what the stack wrote down.
 */
const around = `
npm() { :; }; npx() { :; }; looker-token() { :; }; sleep() { return 1; }
part() { if [ "$1" = AWS::KMS::Key ]; then echo "$KEY_ID"; else echo part; fi; }
${functions.join("\n")}
node() { '${process.execPath}' "$@"; }
aws() {
  local code
  if [ "$2" = detect-stack-resource-drift ]; then
    case "$*" in
      *ExpectedProperties*) echo '{"Value": "as the stack wrote it down"}' ;;
      *) echo IN_SYNC ;;
    esac
    command aws "$@" --generate-cli-skeleton output >/dev/null 2>"$SAID"
  else command aws "$@" 2>"$SAID"; fi
  code=$?
  { printf '%s\\n%s\\n' "$code" "$*"; cat "$SAID"; printf '\\0'; } >>"$LOG"
  return "$code"
}`;

async function type(script: string) {
  const log = mkdtempSync(join(directory, "typed-"));
  writeFileSync(join(log, "pair"), pair);
  // Bash takes Node's pipe for a connection from another machine and would read its startup files.
  const child = spawn("bash", ["--norc", "-c", `${around}\n: >>"$LOG"\n${script}`], {
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
      ...{
        LOOKER_BROKER_STACK: "looker-token-broker",
        STACK: "looker-token-broker",
        BROKER: "looker-token-broker/Broker",
        TableName: "slots",
        SweepLogGroup: "/sweep",
      },
      ...{ SWEEP: "sweep", OPERATE: "operate", SCHEDULE: "schedule", SECRET: "looker/sales", SCOPE: "sales" },
      ...{ ACCOUNT: "111122223333", UNIQUE_ID: "AROAEXAMPLEEXAMPLE12" },
      PAIR: join(log, "pair"),
      KEY_ID: keyId,
      GRANT: "grant",
      VERSION: "01234567-89ab-cdef-0123-456789abcdef",
      DAYS: "30",
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

test("the block of names takes the stack's outputs, and leaves out what no shell could take", async () => {
  const { out } = await type(`${namesBlock}\necho "$Endpoint $TableName"\npart AWS::DynamoDB::Table Table`);
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

const openLine = "table: OPEN, IN_SYNC";
const closedLine = "table: closed, IN_SYNC";
const putPolicy = (policy: unknown) =>
  `aws dynamodb put-resource-policy --resource-arn "$(table_arn)" --policy '${JSON.stringify(policy)}' --query RevisionId >/dev/null`;
/** Answers from memory, for what is about the comparison alone: the command line takes a second for each of its own. */
const policiesWith = (found: unknown, right: unknown = policies.table) => `
aws() {
  case "$2" in
    get-resource-policy | get-key-policy) printf %s '${JSON.stringify(found)}' ;;
    get-parameter) printf %s '${JSON.stringify(right)}' ;;
    detect-stack-resource-drift) echo IN_SYNC ;;
  esac
}
policies`;
const linesOf = async (script: string) => (await type(script)).out.trim().split("\n");
const [deny] = policies.table.Statement;

describe("the policies", () => {
  // The blocks above have written there too.
  beforeAll(async () => {
    const { commands } = await type(
      Object.keys(policies)
        .map(
          (name) =>
            `aws ssm put-parameter --overwrite --name "/$BROKER/policies/${name}" --value "file://${name}"`,
        )
        .join("\n"),
    );
    expect(commands.map(({ code }) => code)).toEqual([0, 0]);
  }, 120_000);

  test("a table without a policy is open, and is closed by the commands of #table-restored", async () => {
    await type('aws dynamodb delete-resource-policy --resource-arn "$(table_arn)"');
    expect((await linesOf("policies"))[0]).toBe(openLine);
    await type(blockWith("update-time-to-live"));
    expect((await linesOf("policies"))[0]).toBe(closedLine);
    expect(await linesOf(blockWith("describe-time-to-live"))).toEqual(["ENABLED\tttl", "True"]);
  });

  test.each<[string, unknown]>([
    ["denies fewer actions", { ...policies.table, Statement: [{ ...deny, Action: "dynamodb:PutItem" }] }],
    [
      "lets one more in",
      {
        ...policies.table,
        Statement: [
          {
            ...deny,
            Condition: {
              ArnNotEquals: { "aws:PrincipalArn": ["arn:aws:iam::123456789012:role/a", "b", "c"] },
            },
          },
        ],
      },
    ],
    ["allows instead of denying", { ...policies.table, Statement: [{ ...deny, Effect: "Allow" }] }],
    [
      "has another statement beside",
      { ...policies.table, Statement: [deny, { ...deny, Sid: "Too", Effect: "Allow" }] },
    ],
    [
      "compares in another way",
      { ...policies.table, Statement: [{ ...deny, Condition: { ArnEquals: deny?.Condition.ArnNotEquals } }] },
    ],
  ])("a table whose policy %s is open", async (_, policy) => {
    expect((await linesOf(policiesWith(policy)))[0]).toBe(openLine);
  });

  test("a policy that says the same in another order is closed", async () => {
    const { Statement, Version } = policies.table;
    const same = { Version, Statement: { ...Statement[0], Action: [...(deny?.Action ?? [])].reverse() } };
    expect((await linesOf(policiesWith(same)))[0]).toBe(closedLine);
  });

  test.each([{}, { Statement: [] }, null])(
    "what the stack wrote down as %j closes nothing",
    async (nothing) => {
      const lines = await linesOf(policiesWith(nothing, nothing));
      expect(lines).toEqual([openLine, "sealing-key: OPEN, IN_SYNC"]);
    },
  );

  test("both policies are put back by the commands of #policy-changed", async () => {
    await type(`${putPolicy({ ...policies.table, Statement: [{ ...deny, Effect: "Allow" }] })}
  aws kms put-key-policy --key-id "$KEY_ID" --policy-name default --policy '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}], "Version": "2012-10-17"}'`);
    expect(await linesOf("policies")).toEqual([openLine, "sealing-key: OPEN, IN_SYNC"]);
    await type(blockWith("put-key-policy"));
    expect(await linesOf("policies")).toEqual([closedLine, "sealing-key: closed, IN_SYNC"]);
  });

  test("what the stack wrote down is written anew from CloudFormation's memory", async () => {
    await type(blockWith("put-parameter"));
    const { out } = await type("right table; right sealing-key");
    expect(out).toBe("as the stack wrote it down\nas the stack wrote it down\n");
    expect(await linesOf("policies")).toEqual([openLine, "sealing-key: OPEN, IN_SYNC"]);
  });
});
