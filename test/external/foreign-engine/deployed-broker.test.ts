/** The stack on an engine that nobody here wrote: its CloudFormation, API Gateway, IAM, Lambda, DynamoDB, KMS and Scheduler. */
import { Stack } from "aws-cdk-lib";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { resources, table } from "../../../functions/contract.ts";
import { resourcePolicy } from "../../../infra/resource-policy.ts";
import { leaksIn, lookerSdk, statusAtLooker } from "../../support/broker-stand.ts";
import { Command } from "../../support/cli/command.ts";
import { validateAnswer } from "../../support/openapi/document.ts";
import type { Credentials } from "./botocore.ts";
import { deploy, deploysWithinMs } from "./deploy.ts";
import type { Deployment } from "./deployment.ts";
import { gaps, headerOfEngine } from "./gaps.ts";
import { probe, variablesOf } from "./programs.ts";

const accountId = "111122223333";

let deployment: Deployment;
let reports: Credentials;
let finance: Credentials;
let engineer: Credentials;
let bystander: Credentials;

beforeAll(async () => {
  deployment = await deploy();
  const { assumed, policiesOf } = deployment;
  const sales = await policiesOf("sales");
  reports = await assumed("report-service", sales.caller);
  engineer = await assumed("platform-engineer", sales.operator);
  finance = await assumed("finance-service", (await policiesOf("finance")).caller);
  bystander = await assumed("bystander");
}, deploysWithinMs);
afterAll(() => deployment?.close());
// Looker's SDK writes a console.debug on each request.
beforeEach(() => void vi.spyOn(console, "debug").mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

/** For the scope `sales`. An answer of the broker is as the HTTP interface says. */
async function ask(
  who: Credentials,
  method: string,
  resource: string,
  more: { query?: string; body?: object } = {},
) {
  const path = resource.replace("{scope}", "sales");
  const { status, headers, text } = await deployment.send(
    who,
    method,
    `${path}${more.query ?? ""}`,
    more.body,
  );
  const json = JSON.parse(text);
  if (typeof json.access_token === "string") deployment.secrets.add(json.access_token);
  const { [headerOfEngine]: _, ...rest } = headers;
  const byEngine = headers["x-amzn-errortype"] === "AccessDeniedException";
  if (!byEngine) expect(validateAnswer(method, resource, status, rest, text)).toEqual([]);
  return { status, json };
}
const token = (who = reports) => ask(who, "POST", resources.token);
const logout = () => ask(reports, "POST", resources.logout);
const leases = async () => (await ask(engineer, "GET", resources.leases)).json.leases;
const atLooker = (accessToken: string) => statusAtLooker(deployment.looker.url, accessToken);

test("a token is issued, found again, and used by Looker's SDK", async () => {
  const issued = await token();
  expect(issued).toMatchObject({ status: 200, json: { scope: "sales", base_url: deployment.looker.url } });
  expect((await token()).json.lease_id).toBe(issued.json.lease_id);
  const sdk = lookerSdk(issued.json.base_url, issued.json.access_token);
  expect(await sdk.ok(sdk.me())).toMatchObject({ display_name: "Service account of looker/sales" });
});

test("an operator sees a lease and revokes it, and Looker refuses its token", async () => {
  const { json } = await token();
  const caller = "arn:aws:iam::111122223333:role/report-service";
  expect(await leases()).toEqual([
    expect.objectContaining({ lease_id: json.lease_id, caller, state: "live" }),
  ]);
  const revocation = await ask(engineer, "DELETE", resources.leases, { query: `?lease_id=${json.lease_id}` });
  expect(revocation).toMatchObject({ status: 200, json: { matched: 1, revoked: 1, pending: 0 } });
  expect(await atLooker(json.access_token)).toBe(401);
  expect(await leases()).toEqual([]);
});

test("a freeze ends the scope's leases and gives no other until it is lifted", async () => {
  const before = await token();
  const frozen = await ask(engineer, "PUT", resources.freeze, { body: { reason: "a drill" } });
  expect(frozen).toMatchObject({
    status: 200,
    json: { frozen: { reason: "a drill" }, revoked: 1, pending: 0 },
  });
  expect(await atLooker(before.json.access_token)).toBe(401);
  expect((await token()).json.code).toBe("scope_frozen");
  expect(await ask(engineer, "DELETE", resources.freeze)).toMatchObject({
    status: 200,
    json: { frozen: null },
  });
  expect((await token()).status).toBe(200);
});

test("a caller's logout ends its lease, and Looker refuses the token", async () => {
  const { json } = await token();
  expect(await logout()).toEqual({ status: 200, json: { revoked: 1, pending: 0 } });
  expect(await atLooker(json.access_token)).toBe(401);
  expect((await token()).json.lease_id).not.toBe(json.lease_id);
});

test.each([
  ["without a policy", () => bystander],
  ["of another scope", () => finance],
])("a caller %s is refused before any function runs", async (_, who) => {
  deployment.looker.control.resetLedger();
  const { status, json } = await token(who());
  expect(status).toBe(403);
  expect(json.message).toContain("because no identity-based policy allows the execute-api:Invoke action");
  expect(deployment.looker.ledger()).toEqual([]);
});

test("a caller whose role has a Deny is refused before any function runs", async () => {
  const own = JSON.parse((await deployment.policiesOf("sales")).caller);
  const deny = { Effect: "Deny", Action: "execute-api:Invoke", Resource: "*" };
  const policy = JSON.stringify({ ...own, Statement: [own.Statement, deny].flat() });
  const job = await deployment.assumed("nightly-job", policy);
  deployment.looker.control.resetLedger();
  const { status, json } = await token(job);
  const message = notAuthorized("nightly-job", "with an explicit deny in an identity-based policy");
  expect([status, json.message]).toEqual([403, message]);
  expect(deployment.looker.ledger()).toEqual([]);
});

test("the API's Deny keeps callers of another organisation out, of the broker's own account too", async () => {
  const { aws, apiId: restApiId } = deployment;
  const { policy: deployed } = await aws("apigateway", "GetRestApi", { restApiId });
  const setPolicy = (value: string) =>
    aws("apigateway", "UpdateRestApi", {
      restApiId,
      patchOperations: [{ op: "replace", path: "/policy", value }],
    });
  onTestFinished(() => setPolicy(JSON.parse(`"${deployed}"`)));
  const { Organization } = await aws("organizations", "DescribeOrganization");
  await setPolicy(policyForOrganization("o-anotherone"));
  deployment.looker.control.resetLedger();
  // API Gateway hides a part of its account's number.
  const method = `arn:aws:execute-api:${deployment.region}:********3333:${restApiId}/v1/POST/scopes/sales/token`;
  const cause = `on resource: ${method} with an explicit deny in a resource-based policy`;
  const { status, json } = await token();
  expect([status, json.message]).toEqual([403, notAuthorized("report-service", cause)]);
  expect(deployment.looker.ledger()).toEqual([]);
  await setPolicy(policyForOrganization(Organization.Id));
  expect((await token()).status).toBe(200);
});

const invoke = "execute-api:Invoke";
const notAuthorized = (roleName: string, rest: string) =>
  `User: arn:aws:sts::${accountId}:assumed-role/${roleName}/${roleName}-session is not authorized to perform: ${invoke} ${rest}`;

/** The construct's resource policy with `organizationId`. */
function policyForOrganization(organizationId: string): string {
  const stack = new Stack();
  const policy = stack.resolve(resourcePolicy(stack, { scopes: new Map(), organizationId }));
  return JSON.stringify(policy).replace('{"Ref":"AWS::AccountId"}', `"${accountId}"`);
}

test("a caller with a wide policy of its own is refused by the scope's list", async () => {
  const Statement = [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: "*" }];
  const wide = await deployment.assumed("wide-policy", JSON.stringify({ Version: "2012-10-17", Statement }));
  expect(await token(wide)).toMatchObject({ status: 403, json: { code: "not_allowed" } });
});

test("a throttled request is answered as the template says", async () => {
  const limits = ({ rateLimit, burstLimit }: Record<"rateLimit" | "burstLimit", string>) =>
    deployment.aws("apigateway", "UpdateStage", {
      restApiId: deployment.apiId,
      stageName: "v1",
      patchOperations: Object.entries({ rateLimit, burstLimit }).map(([limit, value]) => ({
        op: "replace",
        path: `/*/*/throttling/${limit}`,
        value,
      })),
    });
  await limits({ rateLimit: "0", burstLimit: "0" });
  onTestFinished(() => limits({ rateLimit: "200", burstLimit: "400" }));
  expect(await ask(reports, "GET", resources.scopes)).toMatchObject({ status: 429 });
  await limits({ rateLimit: "200", burstLimit: "400" });
  expect(await ask(reports, "GET", resources.scopes)).toMatchObject({ status: 200 });
});

test("the access log's filter counts throttled requests under the broker's name", async () => {
  const { metricFilters } = await deployment.aws("logs", "DescribeMetricFilters", {
    logGroupName: deployment.outputs.AccessLogGroup,
  });
  expect(metricFilters).toMatchObject([
    {
      filterPattern: '{ ($.broker = "looker-token-broker/Broker") && ($.error = "THROTTLED") }',
      metricTransformations: [
        {
          metricNamespace: "LookerTokenBroker",
          metricName: "GatewayThrottles",
          metricValue: "1",
          dimensions: { broker: "$.broker" },
        },
      ],
    },
  ]);
});

test("the schedule's sweep ends what a revocation could not, within its minute", async () => {
  const { json } = await token();
  const { control } = deployment.looker;
  control.addFault({ route: "logout", kind: "status", status: 503 });
  const revocation = await ask(engineer, "DELETE", resources.leases, { query: `?lease_id=${json.lease_id}` });
  expect(revocation).toMatchObject({ status: 202, json: { revoked: 0, pending: 1 } });
  expect(await atLooker(json.access_token)).toBe(200);
  control.clearFaults();
  await expect.poll(() => atLooker(json.access_token), { timeout: 110_000, interval: 1_000 }).toBe(401);
  const swept = () => recordsIn(deployment.outputs.SweepLogGroup ?? "");
  await expect
    .poll(swept, { timeout: 30_000, interval: 1_000 })
    .toContainEqual(expect.objectContaining({ verb: "sweep", code: "ok", revoked: 1, pending: 0 }));
}, 180_000);

test("time to live deletes an ended row within its minute, and no other", async () => {
  const { aws, outputs } = deployment;
  const { TableName } = outputs;
  await aws("dynamodb", "UpdateTimeToLive", { TableName, TimeToLiveSpecification: deployment.timeToLive });
  const { json } = await token();
  const slots = async () => {
    const { Items } = await aws("dynamodb", "Scan", { TableName });
    return (Items as Item[]).filter(({ sk }) => sk?.S?.startsWith("caller#"));
  };
  const [slot] = (await slots()).filter((item) => JSON.stringify(item).includes(json.lease_id));
  const ended = { ...slot, sk: { S: `${slot?.sk?.S}#session#ended` } };
  const ttl = Number(slot?.[table.ttl]?.N);
  const nowSeconds = Date.now() / 1_000;
  // In seconds: DynamoDB would never come to a time in milliseconds.
  expect([ttl > nowSeconds, ttl < nowSeconds + 3 * 86_400]).toEqual([true, true]);
  await aws("dynamodb", "PutItem", {
    TableName,
    Item: { ...ended, [table.ttl]: { N: String(Math.floor(nowSeconds) - 1) } },
  });
  const sortKeys = async () => (await slots()).map(({ sk }) => sk?.S);
  expect(await sortKeys()).toContain(ended.sk.S);
  await expect.poll(sortKeys, { timeout: 90_000, interval: 1_000 }).not.toContain(ended.sk.S);
  expect(await sortKeys()).toContain(slot?.sk?.S);
  expect((await token()).json.lease_id).toBe(json.lease_id);
}, 120_000);

type Item = Partial<Record<string, { readonly S?: string; readonly N?: string }>>;

// The numbers keep a probe that tried little from passing.
test.each([
  ["a caller", () => reports, ["--looker", "--logout"], 85],
  ["an operator", () => engineer, [], 70],
] as const)(
  "the probe of %s is surprised by nothing but the engine's gaps",
  async (_, who, flags, atLeast) => {
    const results = await probe(deployment, who(), bystander, flags);
    const surprises = results.filter(({ outcome }) => outcome === "surprise").map(({ what }) => what);
    expect(surprises).toEqual(gaps.flatMap(({ probeLine }) => probeLine ?? []));
    expect(results.filter(({ outcome }) => outcome === "expected").length).toBeGreaterThanOrEqual(atLeast);
  },
);

test("the command's own signatures are right: a caller's and an operator's, with a query", async () => {
  const { workDir, region, endpoint, secrets } = deployment;
  const as = (who: Credentials) =>
    new Command(workDir, {
      LOOKER_BROKER_ENDPOINT: endpoint,
      LOOKER_BROKER_SCOPE: "sales",
      AWS_REGION: region,
      ...variablesOf(who),
    });
  const { out, exitCode } = await as(reports).run("get");
  secrets.add(out.trimEnd());
  expect([exitCode, await atLooker(out.trimEnd())]).toEqual([0, 200]);
  const caller = "arn:aws:iam::111122223333:role/report-service";
  const revoked = await as(engineer).run("revoke", "--caller", caller, "--yes");
  expect(revoked).toMatchObject({ exitCode: 0 });
  expect(await atLooker(out.trimEnd())).toBe(401);
});

test("no secret, key or token stands in a log", async () => {
  const { logGroups } = await deployment.aws("logs", "DescribeLogGroups");
  const names: string[] = logGroups.map((each: { logGroupName: string }) => each.logGroupName);
  const texts = await Promise.all(names.map(messagesIn));
  expect(texts.flat().length).toBeGreaterThan(50);
  for (const text of [...texts.flat(), deployment.engine.log()])
    expect(leaksIn(text, deployment.secrets)).toBe(0);
});

async function messagesIn(logGroupName: string): Promise<string[]> {
  const { events } = await deployment.aws("logs", "FilterLogEvents", { logGroupName });
  return events.map(({ message }: { message: string }) => message);
}

async function recordsIn(logGroupName: string): Promise<unknown[]> {
  const lines = await messagesIn(logGroupName);
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}
