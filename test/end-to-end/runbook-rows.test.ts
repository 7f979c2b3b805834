/** The runbook's entries about the sweeper, the table and the region: each fault made, seen, typed away, and over. */
import { DeleteItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Answer,
  type Caller,
  callerOf,
  clientSecretOf,
  type Stand,
  startStand,
  startsWithinMs,
  statusAtLooker,
  untilSeen,
} from "../support/broker-stand.ts";
import { emptyTable } from "../support/empty-table.ts";
import type { Row } from "./rows.ts";
import { resourcesOf, textOf } from "./runbook-aws.ts";
import { atTable, onRunbook, type Shell } from "./runbook-stage.ts";

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
  book.aws.answer(
    "dynamodb get-resource-policy",
    ({ "resource-arn": arn }) => arn === "arn:table" && found.table,
  );
  book.aws.answer("dynamodb put-resource-policy", ({ policy, "resource-arn": arn }) => {
    if (arn === "arn:table") found.table = textOf(policy).trim();
    return "1";
  });
  book.aws.answer("kms get-key-policy", () => found["sealing-key"]);
  book.aws.answer("kms put-key-policy", ({ policy }) => {
    found["sealing-key"] = textOf(policy).trim();
    return "";
  });
  book.aws.answer("cloudformation describe-stack-resources", (flags) =>
    nameOf(flags["physical-resource-id"]),
  );
  const asDeployed = { ...right };
  book.aws.answer(
    "cloudformation detect-stack-resource-drift",
    ({ query, "logical-resource-id": id = "" }) =>
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

book.story("#sweeper-stopped", () => {
  let shell: Shell;
  let token: string;
  let schedule: Record<string, unknown>;
  beforeAll(async () => {
    const reports = book.caller("report-service");
    token = (await reports.token("sales")).json.access_token;
    book.looker.addFault({ route: "logout", kind: "status", status: 500, times: 1 });
    expect((await reports.logout("sales")).json).toEqual({ revoked: 0, pending: 1 });
    const [, { Properties }] =
      Object.entries(resourcesOf(book.stand)).find(([, { Type }]) => Type === "AWS::Scheduler::Schedule") ??
      ([] as never);
    schedule = Properties;
  });

  test("no sweep has run yet: the alarm is on", async () => {
    expect(book.alarm("SweeperStopped")).toBe("ALARM");
    shell = await book.at("sweeper-stopped");
  });

  test("the schedule is seen to be disabled, and is switched on as it was", async () => {
    const now = { Name: "schedule", State: "DISABLED", ...schedule };
    let sent: object | undefined;
    book.aws.answer("scheduler get-schedule", ({ query }) =>
      query === "State" ? now.State : { Arn: "arn", CreationDate: "then", ...now },
    );
    book.aws.answer("scheduler update-schedule", (flags) => {
      sent = JSON.parse(textOf(flags["cli-input-json"]));
      return Object.assign(now, sent);
    });
    book.aws.answer("lambda get-function-concurrency", () => ({ ReservedConcurrentExecutions: 0 }));
    expect((await shell.type('aws scheduler get-schedule --name "$SCHEDULE" --query')).out).toContain(
      "DISABLED",
    );
    await shell.type("FILE=");
    expect(sent).toEqual({ Name: "schedule", ...schedule, State: "ENABLED" });
  });

  test("the sweeper's limit of concurrency is taken away", async () => {
    book.aws.answer("lambda delete-function-concurrency", (flags) => flags["function-name"]);
    expect((await shell.type("aws lambda delete-function-concurrency")).out).toMatch(/^BrokerSweepFunction/);
  });

  test("what was left is swept by hand, and the alarm is over", async () => {
    // A logout that failed is tried again after fifteen seconds.
    await untilSeen(
      async () => {
        expect((await shell.type("aws lambda invoke")).out).toContain('"pending"');
        return (await shell.type("looker-token leases")).out.startsWith("No leases");
      },
      "the end of the token that was left",
      40_000,
    );
    expect(await takenBy(token)).toBe(401);
    await untilSeen(() => book.alarm("SweeperStopped") === "OK", "the alarm's end");
    expect((await shell.type("looker-token ask what-goes-wrong")).exitCode).toBe(0);
  });
});

book.story("#edited-rows", () => {
  const session = "nightly-7";
  let shell: Shell;
  let reports: Caller;
  let nightly: Caller;
  let editedLeaseId: string;
  let broken: Answer;
  beforeAll(async () => {
    [reports, nightly] = [book.caller("report-service"), book.caller("nightly-job")];
    editedLeaseId = (await reports.token("sales")).json.lease_id;
    await nightly.token("sales", { session });
    await book.edit(reports, (row: Row) => {
      row.lease.sealed[row.lease.sealed.length - 1] ^= 1;
    });
    const row = (await book.rows()).find(({ sk }) => sk.endsWith(`#session#${session}`));
    await book.put({ ...row, schema: 2 });
  });

  test("nothing of them is served, and the alarm goes off", async () => {
    expect((await reports.token("sales")).json.lease_id).not.toBe(editedLeaseId);
    broken = await nightly.token("sales", { session });
    expect(broken.json.code).toBe("internal");
    await untilSeen(() => book.alarm("EditedRows") === "ALARM", "the alarm");
  });

  test("the scope is named, and a freeze stops all that is served", async () => {
    shell = await book.at("edited-rows");
    expect((await shell.type("looker-token ask what-goes-wrong")).out).toMatch(/scope: sales/);
    const frozen = await shell.type("looker-token leases --all-scopes");
    expect(frozen.out).toMatch(/frozen {3}sales: callers get no lease of it/);
    expect((await reports.token("sales")).json.code).toBe("scope_frozen");
  });

  test("once it is known who could write, the freeze is lifted", async () => {
    book.aws.answer("cloudtrail lookup-events", () => "then\tPutResourcePolicy\tsomebody");
    policiesAt().found.table = "";
    expect((await shell.type("aws cloudtrail")).out).toContain("table: OPEN, IN_SYNC");
    shell.set({ SCOPE: "sales" });
    expect((await shell.type("looker-token unfreeze")).out).toMatch(/^unfrozen {2}sales/);
  });

  test("a row that cannot be read is found by its caller's request, and removed", async () => {
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
    const uniqueId = nightly.principal.caller.split(":")[0] ?? "";
    shell.set({
      REQUEST: String(broken.headers["x-amzn-requestid"]),
      ACCOUNT: nightly.principal.accountId,
      UNIQUE_ID: uniqueId,
      SESSION: session,
    });
    expect((await shell.type("looker-token ask what-happened")).out).toMatch(
      new RegExp(`session: ${session}\n[\\s\\S]*caller.unique_id: ${uniqueId}`),
    );
  });

  test("it is over: both callers are served, and a token whose seal was edited is pending until Looker ends it", async () => {
    expect([
      (await nightly.token("sales", { session })).status,
      (await reports.token("sales")).status,
    ]).toEqual([200, 200]);
    const listed = (await shell.type("looker-token leases --scope")).out;
    expect(listed).toMatch(/nightly-job .* live /);
    expect(listed).toMatch(new RegExp(`${editedLeaseId} +pending`));
  });
});

book.story("#policy-changed", () => {
  let shell: Shell;
  let reports: Caller;
  let token: string;
  beforeAll(async () => {
    reports = book.caller("report-service");
    token = (await reports.token("sales")).json.access_token;
    const { found, right, tamper } = policiesAt();
    const allow = '{"Statement": [{"Effect": "Allow", "Action": "*"}]}';
    Object.assign(found, { table: allow, "sealing-key": allow });
    // Whoever opened the table said that this is right, too.
    right.table = allow;
    tamper();
    book.aws.answer(
      "cloudtrail lookup-events",
      (flags) => `then\tPutResourcePolicy\t${flags["lookup-attributes"]}`,
    );
    book.aws.answer("kms list-grants", () => "grant\tsomebody\tDecrypt");
    book.aws.answer("kms revoke-grant", (flags) => flags["grant-id"]);
  });

  test("both policies are seen to be changed, and so is what was written down of them", async () => {
    shell = await book.at("policy-changed");
    const seen = (await shell.type("policies\naws kms list-grants")).out;
    expect(seen).toContain("table: closed, MODIFIED\nsealing-key: OPEN, MODIFIED\ngrant\tsomebody");
  });

  test("what could be read is ended", async () => {
    await shell.type("for name in");
    expect((await shell.type("looker-token leases")).out).toContain("revoked  1 lease of 2 scopes");
    expect(await takenBy(token)).toBe(401);
  });

  test("both policies are put back, and what was written down as well", async () => {
    await shell.type("FILE=");
    shell.set({ GRANT: "grant", SCOPE: "sales" });
    expect((await shell.type("aws kms revoke-grant")).out).toBe("grant\n");
    expect((await shell.type("policies")).out).toBe(bothClosed);
  });

  test("it is over: callers are served again", async () => {
    expect((await shell.type("looker-token unfreeze")).out).toMatch(/^unfrozen {2}sales/);
    expect((await reports.token("sales")).status).toBe(200);
  });
});

book.story("#table-restored", () => {
  let shell: Shell;
  let reports: Caller;
  let money: Caller;
  /** Of before the backup, revoked after it; of before the backup; and of after it. */
  let [revoked, untouched, later]: Record<string, string>[] = [];
  beforeAll(async () => {
    [reports, money] = [book.caller("report-service"), book.caller("finance-service")];
    revoked = (await reports.token("sales")).json;
    untouched = (await money.token("finance")).json;
    const backup = await book.rows();
    await reports.logout("sales");
    later = (await book.caller("nightly-job").token("sales")).json;
    await emptyTable(book.stand.broker);
    for (const row of backup) await book.put(row);
  });

  test("a lease that was revoked is given out again, though its token is dead", async () => {
    expect((await reports.token("sales")).json.lease_id).toBe(revoked?.lease_id);
    expect([await takenBy(revoked?.access_token ?? ""), await takenBy(later?.access_token ?? "")]).toEqual([
      401, 200,
    ]);
  });

  test("a freeze of all scopes ends what the rows hold, and nothing of before is served", async () => {
    shell = await book.at("table-restored");
    const frozen = await shell.type("looker-token freeze");
    expect(frozen.out).toContain("revoked  2 leases of 2 scopes");
    const served = await money.token("finance");
    expect([await takenBy(untouched?.access_token ?? ""), served.json.code]).toEqual([401, "scope_frozen"]);
  });

  test("the table is seen to be open, and has its policy, TTL and deletion protection again", async () => {
    const mended = new Set<string>();
    policiesAt().found.table = "";
    book.aws.answer("dynamodb update-time-to-live", () => mended.add("ttl") && "{}");
    book.aws.answer("dynamodb update-table", () => mended.add("protection") && "UPDATING");
    book.aws.answer("dynamodb describe-time-to-live", () => "ENABLED\tttl");
    expect((await shell.type("policies")).out).toMatch(/^table: OPEN, IN_SYNC\n/);
    await shell.type("FILE=");
    expect([...mended]).toEqual(["ttl", "protection"]);
    expect((await shell.type("policies")).out).toBe(bothClosed);
    expect((await shell.type("aws dynamodb describe-time-to-live")).out).toBe(
      "ENABLED\tttl\nTrue\ndue\tACTIVE\n",
    );
  });

  test("what the rows have forgotten is done again, and each scope unfrozen", async () => {
    expect((await shell.type("looker-token ask who-revoked")).out).toMatch(/verb: freeze/);
    shell.set({ CLIENT_ID: (await clientSecretOf(book.stand.broker, "looker/finance")).client_id });
    expect((await shell.type("looker-token revoke")).exitCode).toBe(0);
    for (const SCOPE of ["sales", "finance"]) {
      shell.set({ SCOPE });
      expect((await shell.type("looker-token unfreeze")).out).toContain(`unfrozen  ${SCOPE}`);
    }
    expect((await money.token("finance")).json.code).toBe("looker_rejected_credentials");
  });

  test("it is over: leases are new, and what no row holds is in the records", async () => {
    const fresh = (await reports.token("sales")).json;
    expect(await takenBy(fresh.access_token)).toBe(200);
    const listed = (await shell.type("looker-token leases")).out;
    expect(listed).toContain(fresh.lease_id);
    expect(listed).not.toContain(later?.lease_id);
    expect((await shell.type("looker-token ask who-holds-tokens-now")).out).toContain(
      `lease_id: ${later?.lease_id}`,
    );
  });
});

book.story("#region-lost", () => {
  let old: Stand;
  let before: Shell;
  let after: Shell;
  const atBroker = ({ broker }: Stand) =>
    book.aws.answer(
      "cloudformation describe-stacks",
      () => `Endpoint=${broker.endpoint}\nTableName=${broker.tableName}`,
    );
  beforeAll(async () => {
    old = await startStand();
  }, startsWithinMs);
  afterAll(() => old?.stop());

  test("the old broker ends all that it has, when the region is there for a moment", async () => {
    const { principal } = callerOf(old, "platform-engineer");
    atBroker(old);
    before = await book.at("region-lost", {
      AWS_ACCESS_KEY_ID: principal.accessKeyId,
      AWS_SECRET_ACCESS_KEY: principal.secretAccessKey,
      AWS_SESSION_TOKEN: principal.sessionToken,
      AWS_ENDPOINT_URL_CLOUDFORMATION: old.broker.awsProxy.url,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: old.broker.awsProxy.url,
    });
    const { json } = await callerOf(old, "report-service").token("sales");
    expect((await before.type("looker-token whoami")).exitCode).toBe(0);
    const swept = await before.type("looker-token freeze --all-scopes");
    expect([swept.exitCode, swept.out]).toEqual([0, expect.stringContaining("revoked  1 lease of 2 scopes")]);
    expect(await statusAtLooker(old.broker.lookerUrl, json.access_token)).toBe(401);
  });

  test("a region that does not answer is told by the command's exit code", async () => {
    await old.broker.close();
    const lost = await before.type("looker-token whoami");
    expect([lost.exitCode, lost.err]).toEqual([4, expect.stringMatching(/^looker-token: /)]);
  });

  test("another broker is given the secrets, and what was frozen is frozen", async () => {
    atBroker(book.stand);
    after = await book.at("region-lost");
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
  });

  test("it is over: the new broker lists its scopes, and callers have leases", async () => {
    await book.caller("report-service").token("sales");
    expect((await after.type("looker-token scopes")).out).toMatch(/operate[\s\S]*report-service .* live /);
  });
});
