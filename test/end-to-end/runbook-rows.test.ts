/** The runbook's entries about the sweeper, the table and the region: each fault made, seen, typed away, and over. */
import { DeleteItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, test } from "vitest";
import { callerOf, clientSecretOf, startStand, statusAtLooker, untilSeen } from "../support/broker-stand.ts";
import { emptyTable } from "../support/empty-table.ts";
import type { Row } from "./rows.ts";
import { resourcesOf, textOf } from "./runbook-aws.ts";
import { atTable, onRunbook } from "./runbook-stage.ts";

const book = onRunbook(import.meta.filename);

/** The policies as AWS has them; what the stack wrote down is not theirs to say. */
function policiesAt() {
  const right: Record<string, string> = {
    table: '{"Statement": [{"Effect": "Deny", "Action": ["dynamodb:GetItem", "dynamodb:Scan"]}]}',
    "sealing-key": '{"Statement": [{"Effect": "Allow", "Action": "kms:PutKeyPolicy"}]}',
  };
  const found = { ...right };
  const nameOf = (path = "") => path.split("/").at(-1) ?? "";
  let drift = "IN_SYNC";
  book.aws.answer("ssm get-parameter", ({ name }) => right[nameOf(name)]);
  book.aws.answer("ssm put-parameter", ({ name, value }) => {
    right[nameOf(name)] = value ?? "";
    drift = "IN_SYNC";
    return 2;
  });
  book.aws.answer("dynamodb get-resource-policy", ({ "resource-arn": arn }) => arn === "arn:table" && found.table);
  book.aws.answer("dynamodb put-resource-policy", ({ policy, "resource-arn": arn }) => {
    if (arn === "arn:table") found.table = textOf(policy).trim();
    return "1";
  });
  book.aws.answer("kms get-key-policy", () => found["sealing-key"]);
  book.aws.answer("kms put-key-policy", ({ policy }) => {
    found["sealing-key"] = textOf(policy).trim();
    return "";
  });
  book.aws.answer("cloudformation describe-stack-resources", (flags) => nameOf(flags["physical-resource-id"]));
  const asDeployed = { ...right };
  book.aws.answer("cloudformation detect-stack-resource-drift", ({ query, "logical-resource-id": id = "" }) =>
    query?.endsWith("ExpectedProperties") ? JSON.stringify({ Value: asDeployed[id] }) : drift,
  );
  book.aws.answer("dynamodb describe-table", ({ query }) =>
    query === "Table.TableArn" ? "arn:table" : "True\ndue\tACTIVE",
  );
  return {
    found,
    right,
    tamper: () => {
      drift = "MODIFIED";
    },
  };
}
const bothClosed = "table: closed, IN_SYNC\nsealing-key: closed, IN_SYNC\n";
const takenBy = (token: string) => statusAtLooker(book.stand.broker.lookerUrl, token);

test("#sweeper-stopped: what was left is swept by hand, and the schedule is switched on as it was", async () => {
  // None has run yet.
  expect(book.alarm("SweeperStopped")).toBe("ALARM");
  const reports = book.caller("report-service");
  const { json } = await reports.token("sales");
  book.looker.addFault({ route: "logout", kind: "status", status: 500, times: 1 });
  expect((await reports.logout("sales")).json).toEqual({ revoked: 0, pending: 1 });

  const [, { Properties }] =
    Object.entries(resourcesOf(book.stand)).find(([, { Type }]) => Type === "AWS::Scheduler::Schedule") ??
    ([] as never);
  const schedule = { Name: "schedule", State: "DISABLED", ...Properties };
  let sent: object | undefined;
  book.aws.answer("scheduler get-schedule", ({ query }) =>
    query === "State" ? schedule.State : { Arn: "arn", CreationDate: "then", ...schedule },
  );
  book.aws.answer("scheduler update-schedule", (flags) => {
    sent = JSON.parse(textOf(flags["cli-input-json"]));
    return Object.assign(schedule, sent);
  });
  book.aws.answer("lambda get-function-concurrency", () => ({ ReservedConcurrentExecutions: 0 }));
  book.aws.answer("lambda delete-function-concurrency", (flags) => flags["function-name"]);
  book.aws.answer("logs filter-log-events", (flags) => flags["log-group-name"]);

  const shell = await book.at("sweeper-stopped");
  expect((await shell.type('aws scheduler get-schedule --name "$SCHEDULE" --query')).out).toContain(
    "DISABLED",
  );
  await shell.type("FILE=");
  expect(sent).toEqual({ Name: "schedule", ...Properties, State: "ENABLED" });
  expect((await shell.type("aws lambda delete-function-concurrency")).out).toMatch(/^BrokerSweepFunction/);

  // A logout that failed is tried again after fifteen seconds.
  await untilSeen(
    async () => {
      expect((await shell.type("aws lambda invoke")).out).toContain('"pending"');
      return (await shell.type("looker-token leases")).out.startsWith("No leases");
    },
    "the end of the token that was left",
    40_000,
  );
  expect(await takenBy(json.access_token)).toBe(401);
  await untilSeen(() => book.alarm("SweeperStopped") === "OK", "the alarm's end");
  expect((await shell.type("ask what-goes-wrong")).exitCode).toBe(0);
}, 120_000);

test("#edited-rows: nothing of them is served, a lifted freeze is renewed, and a broken row is removed", async () => {
  const [reports, nightly] = [book.caller("report-service"), book.caller("nightly-job")];
  const first = (await reports.token("sales")).json;
  await nightly.token("sales");
  await book.edit(reports, (row: Row) => {
    row.lease.sealed[row.lease.sealed.length - 1] ^= 1;
  });
  await book.edit(nightly, (row: Row) => {
    row.schema = 2;
  });
  expect((await reports.token("sales")).json.lease_id).not.toBe(first.lease_id);
  const broken = await nightly.token("sales");
  expect(broken.json.code).toBe("internal");
  await untilSeen(() => book.alarm("EditedRows") === "ALARM", "the alarm");

  const shell = await book.at("edited-rows");
  expect((await shell.type("ask what-goes-wrong")).out).toMatch(/scope: sales/);
  const frozen = await shell.type("looker-token leases --all-scopes");
  expect(frozen.out).toMatch(/frozen {3}sales: nothing of it is served any more/);
  expect((await reports.token("sales")).json.code).toBe("scope_frozen");
  book.aws.answer("cloudtrail lookup-events", () => "then\tPutResourcePolicy\tsomebody");
  policiesAt().found.table = "";
  expect((await shell.type("aws cloudtrail")).out).toContain("table: OPEN, IN_SYNC");
  shell.set({ SCOPE: "sales" });
  expect((await shell.type("looker-token unfreeze")).out).toMatch(/^unfrozen {2}sales/);

  book.aws.answer("dynamodb scan", (flags) =>
    atTable(book.stand, async (client, TableName) => {
      const { Items } = await client.send(
        new ScanCommand({
          TableName,
          FilterExpression: flags["filter-expression"],
          ExpressionAttributeValues: JSON.parse(flags["expression-attribute-values"] ?? ""),
          ProjectionExpression: flags["projection-expression"],
        }),
      );
      return Items?.[0];
    }),
  );
  book.aws.answer("dynamodb delete-item", (flags) =>
    atTable(book.stand, async (client, TableName) => {
      expect(flags["table-name"]).toBe(TableName);
      await client.send(new DeleteItemCommand({ TableName, Key: JSON.parse(flags.key ?? "") }));
      return "";
    }),
  );
  shell.set({
    REQUEST: String(broken.headers["x-amzn-requestid"]),
    ACCOUNT: nightly.principal.accountId,
    UNIQUE_ID: nightly.principal.caller.split(":")[0] ?? "",
  });
  expect((await shell.type("ask what-happened")).out).toMatch(
    new RegExp(`caller.unique_id: ${nightly.principal.caller.split(":")[0]}`),
  );
  expect([(await nightly.token("sales")).status, (await reports.token("sales")).status]).toEqual([200, 200]);
  const listed = (await shell.type("looker-token leases --scope")).out;
  expect(listed).toMatch(/nightly-job .* live /);
  // Its seal was edited: Looker alone ends it.
  expect(listed).toMatch(new RegExp(`${first.lease_id} +pending`));
}, 180_000);

test("#policy-changed: what could be read is ended, both policies are put back, and what was written down as well", async () => {
  const reports = book.caller("report-service");
  const { json } = await reports.token("sales");
  const { found, right, tamper } = policiesAt();
  const allow = '{"Statement": [{"Effect": "Allow", "Action": "*"}]}';
  Object.assign(found, { table: allow, "sealing-key": allow });
  // Whoever opened the table said that this is right, too.
  right.table = allow;
  tamper();
  book.aws.answer("cloudtrail lookup-events", (flags) => `then\tPutResourcePolicy\t${flags["lookup-attributes"]}`);
  book.aws.answer("kms list-grants", () => "grant\tsomebody\tDecrypt");
  book.aws.answer("kms revoke-grant", (flags) => flags["grant-id"]);

  const shell = await book.at("policy-changed");
  const seen = (await shell.type("policies\naws kms list-grants")).out;
  expect(seen).toContain("table: closed, MODIFIED\nsealing-key: OPEN, MODIFIED\ngrant\tsomebody");
  await shell.type("for name in");
  expect((await shell.type("looker-token leases")).out).toContain("revoked  1 lease of 2 scopes");
  expect(await takenBy(json.access_token)).toBe(401);
  await shell.type("FILE=");
  shell.set({ GRANT: "grant", SCOPE: "sales" });
  expect((await shell.type("aws kms revoke-grant")).out).toBe("grant\n");
  expect((await shell.type("policies")).out).toBe(bothClosed);
  expect((await shell.type("looker-token unfreeze")).out).toMatch(/^unfrozen {2}sales/);
  expect((await reports.token("sales")).status).toBe(200);
}, 180_000);

test("#table-restored: nothing of before is served, and what the rows have forgotten is done again", async () => {
  const [reports, nightly, money] = [
    book.caller("report-service"),
    book.caller("nightly-job"),
    book.caller("finance-service"),
  ];
  const revoked = (await reports.token("sales")).json;
  const untouched = (await money.token("finance")).json;
  const backup = await book.rows();
  await reports.logout("sales");
  const later = (await nightly.token("sales")).json;
  await emptyTable(book.stand.broker);
  for (const row of backup) await book.put(row);
  // The revoked lease is given out again.
  expect((await reports.token("sales")).json.lease_id).toBe(revoked.lease_id);
  expect([await takenBy(revoked.access_token), await takenBy(later.access_token)]).toEqual([401, 200]);

  const shell = await book.at("table-restored");
  const frozen = await shell.type("looker-token freeze");
  expect(frozen.out).toContain("revoked  2 leases of 2 scopes");
  expect([await takenBy(untouched.access_token), (await money.token("finance")).json.code]).toEqual([
    401,
    "scope_frozen",
  ]);

  const mended = new Set<string>();
  policiesAt().found.table = "";
  book.aws.answer("dynamodb update-time-to-live", () => mended.add("ttl") && "{}");
  book.aws.answer("dynamodb update-table", () => mended.add("protection") && "UPDATING");
  book.aws.answer("dynamodb describe-time-to-live", () => "ENABLED\tttl");
  expect((await shell.type("policies")).out).toMatch(/^table: OPEN, IN_SYNC\n/);
  await shell.type("FILE=");
  expect([...mended]).toEqual(["ttl", "protection"]);
  expect((await shell.type("policies")).out).toBe(bothClosed);
  expect((await shell.type("aws dynamodb describe-time-to-live")).out).toBe("ENABLED\tttl\nTrue\ndue\tACTIVE\n");

  expect((await shell.type("HOURS=72 ask who-revoked")).out).toMatch(/verb: freeze/);
  shell.set({ CLIENT_ID: (await clientSecretOf(book.stand.broker, "looker/finance")).client_id });
  expect((await shell.type("looker-token revoke")).exitCode).toBe(0);
  for (const SCOPE of ["sales", "finance"]) {
    shell.set({ SCOPE });
    expect((await shell.type("looker-token unfreeze")).out).toContain(`unfrozen  ${SCOPE}`);
  }
  const fresh = (await reports.token("sales")).json;
  expect(await takenBy(fresh.access_token)).toBe(200);

  expect((await money.token("finance")).json.code).toBe("looker_rejected_credentials");

  const listed = (await shell.type("looker-token leases")).out;
  expect(listed).toContain(fresh.lease_id);
  expect(listed).not.toContain(later.lease_id);
  // What the rows cannot tell, the records do.
  expect((await shell.type("ask who-holds-tokens-now")).out).toContain(`lease_id: ${later.lease_id}`);
}, 180_000);

test("#region-lost: another broker takes over, with what was frozen, and the old one ends what it has", async () => {
  const old = await startStand();
  const outputsOf = ({ broker }: typeof old) => `Endpoint=${broker.endpoint}\nTableName=${broker.tableName}`;
  const keysOf = (stand: typeof old) => {
    const { principal } = callerOf(stand, "platform-engineer");
    return {
      AWS_ACCESS_KEY_ID: principal.accessKeyId,
      AWS_SECRET_ACCESS_KEY: principal.secretAccessKey,
      AWS_SESSION_TOKEN: principal.sessionToken,
    };
  };
  try {
    book.aws.answer("cloudformation describe-stacks", () => outputsOf(old));
    const before = await book.at("region-lost", keysOf(old));
    const { json } = await callerOf(old, "report-service").token("sales");
    expect((await before.type("looker-token whoami")).exitCode).toBe(0);

    // The region comes back for a moment, when callers have moved.
    const swept = await before.type("looker-token freeze --all-scopes");
    expect([swept.exitCode, swept.out]).toEqual([0, expect.stringContaining("revoked  1 lease of 2 scopes")]);
    expect(await statusAtLooker(old.broker.lookerUrl, json.access_token)).toBe(401);
    await old.broker.close();
    const lost = await before.type("looker-token whoami");
    expect([lost.exitCode, lost.err]).toEqual([4, expect.stringMatching(/^looker-token: /)]);
  } finally {
    await old.stop();
  }

  book.aws.answer("cloudformation describe-stacks", () => outputsOf(book.stand));
  const after = await book.at("region-lost");
  after.set({ SCOPE: "finance" });
  const made: string[] = [];
  book.aws.answer("secretsmanager create-secret", (flags) =>
    made.push(`${flags.name} ${textOf(flags["secret-string"])}`),
  );
  await after.type("export AWS_REGION", "pair");
  await after.type("aws secretsmanager create-secret");
  expect(made).toEqual(["looker/finance pair"]);
  expect((await after.type("looker-token freeze --scope")).out).toMatch(/^frozen {3}finance/);
  expect((await book.caller("finance-service").token("finance")).json.code).toBe("scope_frozen");
  await book.caller("report-service").token("sales");
  expect((await after.type("looker-token scopes")).out).toMatch(/operate[\s\S]*report-service .* live /);
}, 180_000);
