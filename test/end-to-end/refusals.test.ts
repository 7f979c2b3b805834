import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { endpointVariables } from "../../local/aws/call.ts";
import { startPool } from "../../local/lambda/pool.ts";
import {
  type Answer,
  auditLines,
  type Caller,
  callerOf,
  leaksIn,
  openFirstLock,
  sharedStand,
  untilSeen,
} from "../support/broker-stand.ts";

const stand = sharedStand();
let reports: Caller;

beforeAll(() => {
  reports = callerOf(stand, "report-service");
});
afterEach(() => expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0));

/** Stands in for whatever a client may have sent: it must appear in no answer and in no log. */
const marker = "MARKER-9f3c";
const echoed = (answer: Answer) => JSON.stringify([answer.text, answer.headers]).includes(marker);
const logged = () => stand.broker.logs().join("\n").includes(marker);

const problem = (status: number, code: string) => ({
  status,
  json: expect.objectContaining({ status, code, request_id: expect.any(String) }),
});

// What the handlers make of each body, name and event: test/unit/functions/http/bad-requests.test.ts. Here is one of each
// kind that API Gateway passes on, decodes or answers itself.
describe("a request that is not what the interface asks for", () => {
  test.each([
    ["malformed JSON", `{"${marker}`],
    [
      "a field that is the event's own",
      JSON.stringify({
        requestContext: { identity: { userArn: `arn:aws:iam::111122223333:role/${marker}` } },
      }),
    ],
  ])("with %s for a body is a bad request", async (_, body) => {
    const answer = await reports.send("POST", "/scopes/sales/token", body);
    expect(answer).toMatchObject(problem(400, "bad_request"));
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect([echoed(answer), logged()]).toEqual([false, false]);
  });

  test("with malformed JSON is a bad request to logout too, and ends nothing", async () => {
    const { json } = await reports.token("sales");
    const answer = await reports.send("POST", "/scopes/sales/logout", `{${marker}`);
    expect(answer).toMatchObject(problem(400, "bad_request"));
    expect(echoed(answer)).toBe(false);
    expect((await reports.token("sales")).json.lease_id).toBe(json.lease_id);
  });

  test("with a megabyte for a body is too much", async () => {
    const body = JSON.stringify({ [marker]: "x".repeat(1_048_576) });
    const answer = await reports.send("POST", "/scopes/sales/token", body);
    expect(answer).toMatchObject(problem(413, "payload_too_large"));
    expect([echoed(answer), logged()]).toEqual([false, false]);
  });

  test("with a query parameter is a bad request", async () => {
    const answer = await reports.send("POST", `/scopes/sales/token?min_ttl_seconds=${marker}`);
    expect(answer).toMatchObject(problem(400, "bad_request"));
    expect([echoed(answer), logged()]).toEqual([false, false]);
  });
});

const oddNames: Record<string, string> = {
  "..": "..",
  "%2e%2e": "%2e%2e",
  "%2f": "%2f",
  "sales%2ftoken": "sales%2ftoken",
  "%00": "sales%00",
  unicode: "%F0%9F%94%91s%C3%A4les",
  "broken UTF-8": "%ff%fe",
  "a broken escape": "%zz",
  "a space": "sales%20",
  "a row's separator": "sales%23control",
  "an empty name": "",
};

describe("an odd scope name", () => {
  test.each(Object.entries(oddNames))("%s is a 4xx of the gateway", async (_, name) => {
    const answer = await reports.send("POST", `/scopes/${name}/token`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });

  test.each(Object.entries(oddNames))("%s is a 4xx of the broker, where IAM allows it", async (_, name) => {
    const opened = callerOf(stand, "finance-service");
    openFirstLock(stand.broker, opened.principal);
    const answer = await opened.send("POST", `/scopes/${name}/token`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    // Whatever came as far as a function is told what everybody is told.
    if (answer.json?.code) expect(answer).toMatchObject(problem(403, "not_allowed"));
  });
});

describe("the scope's own list, where the caller's IAM policy allows everything", () => {
  test("a scope that is not one's own gets the very answer of a scope that does not exist", async () => {
    const opened = callerOf(stand, "nightly-job");
    openFirstLock(stand.broker, opened.principal);
    for (const verb of ["token", "logout"]) {
      const [foreign, unknown] = [
        await opened.send("POST", `/scopes/finance/${verb}`),
        await opened.send("POST", `/scopes/no-such-scope/${verb}`),
      ];
      expect(foreign).toMatchObject(problem(403, "not_allowed"));
      const comparable = ({ status, json, headers }: Answer) => ({
        status,
        headers: Object.keys(headers).sort(),
        length: headers["content-length"],
        json: { ...json, request_id: "" },
      });
      expect(comparable(foreign)).toEqual(comparable(unknown));
      // Only the operator's record tells them apart.
      for (const [{ json }, reason] of [
        [foreign, "not_in_callers"],
        [unknown, "unknown_scope"],
      ] as const) {
        const line = await untilSeen(
          () => auditLines(stand.broker).find(({ request_id }) => request_id === json.request_id),
          "the audit line",
        );
        expect(line).toMatchObject({ verb, status: 403, code: "not_allowed", reason });
      }
    }
  });

  test("an operator of a scope is not thereby one of its callers", async () => {
    const opened = callerOf(stand, "platform-engineer");
    openFirstLock(stand.broker, opened.principal);
    expect(await opened.token("sales")).toMatchObject(problem(403, "not_allowed"));
  });
});

test("the caller's IAM policy alone suffices to refuse: no function is called", async () => {
  const before = stand.broker.logs().length;
  const answer = await callerOf(stand, "administrator").token("sales");
  expect(answer).toMatchObject({
    status: 403,
    json: { Message: expect.stringContaining("is not authorized to perform: execute-api:Invoke") },
  });
  expect(stand.broker.logs()).toHaveLength(before);
});

test.each([
  ["GET", "/scopes/sales/token"],
  ["PUT", "/scopes/sales/token"],
  ["DELETE", "/scopes/sales/logout"],
  ["POST", "/scopes"],
  ["POST", "/scopes/sales"],
  ["POST", "/scopes/sales/token/more"],
  ["POST", "//scopes/sales/token"],
  ["POST", "/scopes/./sales/token"],
  ["POST", "/scopes/finance/../sales/token"],
])("%s %s is no route, and refused by the gateway", async (method, path) => {
  const answer = await reports.send(method, path);
  expect(answer.status).toBe(403);
  expect(answer.json?.code).toBeUndefined();
});

test("without a signature nobody is anybody", async () => {
  const answer = await fetch(`${stand.broker.endpoint}/scopes/sales/token`, { method: "POST" });
  expect([answer.status, await answer.json()]).toEqual([403, { message: "Missing Authentication Token" }]);
});

describe("an event that did not come through this API", () => {
  test.each([
    ["its own", {}, 200],
    ["another API's", { apiId: "an0ther1d" }, 403],
    ["the console's test page's", { stage: "test-invoke-stage" }, 403],
  ])("%s is answered as it should be", async (_, forged, status) => {
    const { stack, region } = stand.broker;
    const definition = stack.functions.find(({ id }) => id === "issue-token");
    if (!definition) throw new Error("The template has no issue-token.");
    const nowhere = "http://127.0.0.1:9";
    const pool = startPool({
      definition,
      credentials: { accessKeyId: "none", secretAccessKey: "none", sessionToken: "none" },
      endpoints: {
        region,
        variables: Object.fromEntries(Object.values(endpointVariables).map((name) => [name, nowhere])),
      },
      sandbox: "threads",
      maxInstances: 1,
      throttle: false,
      onLog: () => {},
    });
    try {
      const outcome = await pool.invoke({
        resource: "/scopes",
        httpMethod: "GET",
        path: "/scopes",
        pathParameters: null,
        body: null,
        isBase64Encoded: false,
        requestContext: {
          requestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
          apiId: stack.apiId,
          stage: stack.stage,
          identity: identity(),
          ...forged,
        },
      });
      expect(outcome).toMatchObject({ kind: "answer", payload: { statusCode: status } });
    } finally {
      await pool.close();
    }
  });
});

function identity() {
  return {
    accountId: "111122223333",
    caller: "AROA22222222222222222:session",
    userArn: "arn:aws:sts::111122223333:assumed-role/report-service/session",
    sourceIp: "127.0.0.1",
  };
}

test("who asks is told who it is to the broker, and its own scopes only", async () => {
  const { status, json } = await reports.send("GET", "/scopes");
  expect({ status, json }).toEqual({
    status: 200,
    json: {
      caller: {
        arn: reports.principal.callerArn,
        account: "111122223333",
        unique_id: expect.stringMatching(/^AROA/),
      },
      scopes: [{ scope: "sales", base_url: stand.broker.lookerUrl, lease_seconds: 900, may: ["token"] }],
    },
  });
});
