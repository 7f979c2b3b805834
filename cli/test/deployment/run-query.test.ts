/** Answers of CloudWatch Logs beyond those of the local run. */
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { FakeServer, type Reply } from "../../../test/support/fake-server.ts";
import { awsNow } from "../../src/deployment/aws-clients.ts";
import type { Place } from "../../src/deployment/place.ts";
import { runQuery } from "../../src/deployment/run-query.ts";

const id = "12ab3456-12ab-123a-789e-1234567890ab";
let logs: FakeServer;
let place: Place;
let statuses: string[];
let refusal: Reply | undefined;
let pages: number;
let aheadMs: number;
beforeEach(async () => {
  [statuses, refusal, pages, aheadMs] = [["Complete"], undefined, 1, 0];
  logs = await FakeServer.start(({ headers, text }) => {
    const operation = String(headers["x-amz-target"]).replace("Logs_20140328.", "");
    if (refusal) return refusal;
    const date = new Date(Date.now() + aheadMs).toUTCString();
    if (operation === "StartQuery") return { status: 200, headers: { date }, body: { queryId: id } };
    if (operation === "StopQuery") return { status: 200, body: { success: true } };
    const status = statuses.length > 1 ? statuses.shift() : statuses[0];
    const page = Number(JSON.parse(text).nextToken ?? 0) + 1;
    const nextToken = page < pages ? { nextToken: String(page) } : {};
    return {
      status: 200,
      headers: { date },
      body: { status, results: status === "Complete" ? results : [], ...nextToken },
    };
  });
  onTestFinished(() => logs.stop());
  place = {
    stack: "stack",
    isLocal: false,
    region: "us-east-1",
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" }),
    endpoint: logs.url,
  };
});
const results = [
  [
    { field: "time", value: "T" },
    { field: "@ptr", value: "pointer" },
  ],
];
const asked = () => logs.asked.map(({ headers }) => String(headers["x-amz-target"]).split(".")[1]);
const run = (more: Partial<Parameters<typeof runQuery>[1]> = {}) =>
  runQuery(place, {
    query: "display time",
    logGroups: ["/one"],
    from: 1_500,
    to: 2_500,
    signal: new AbortController().signal,
    ...more,
  });

test("it asks again until the query is at its end, for whole seconds with both edges in them", async () => {
  statuses = ["Scheduled", "Running", "Complete"];
  let waits = 0;
  expect(await run({ onWait: () => waits++ })).toEqual([{ time: "T" }]);
  expect(waits).toBe(2);
  expect(asked()).toEqual(["StartQuery", "GetQueryResults", "GetQueryResults", "GetQueryResults"]);
  expect(JSON.parse(logs.asked[0]?.text ?? "")).toMatchObject({
    startTime: 1,
    endTime: 3,
    logGroupNames: ["/one"],
  });
});

test("an answer of several pages is put together", async () => {
  pages = 3;
  expect(await run()).toEqual([{ time: "T" }, { time: "T" }, { time: "T" }]);
  expect(logs.asked.slice(1).map(({ text }) => JSON.parse(text).nextToken)).toEqual([undefined, "1", "2"]);
});

test.each(["Failed", "Timeout", "Cancelled", "Unknown"])(
  "a query that ends as %s is not taken for an empty answer",
  async (status) => {
    statuses = ["Running", status];
    await expect(run()).rejects.toMatchObject({
      failure: { exitCode: 4, code: "query_failed", message: expect.stringContaining(status) },
    });
  },
);

test("after an interruption the query is stopped, because it is paid for", async () => {
  statuses = ["Running"];
  const controller = new AbortController();
  const stopped = run({ signal: controller.signal, onWait: () => controller.abort() });
  await expect(stopped).rejects.toMatchObject({ failure: { exitCode: 130, code: "aborted" } });
  expect(asked()).toEqual(["StartQuery", "GetQueryResults", "StopQuery"]);
});

test.each<[string, number, number, string]>([
  ["AccessDeniedException", 400, 3, "access_denied"],
  ["ExpiredTokenException", 400, 3, "expired_credentials"],
  ["UnrecognizedClientException", 400, 3, "bad_credentials"],
  ["LimitExceededException", 400, 4, "throttled"],
  ["MalformedQueryException", 400, 4, "aws_unavailable"],
])("%s has its own exit code and code", async (type, status, exitCode, code) => {
  refusal = {
    status,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: { __type: type, message: "User: x is not authorized" },
  };
  await expect(run()).rejects.toMatchObject({ failure: { exitCode, code } });
});

test("missing credentials are told without the words of their source", async () => {
  const error = Object.assign(new Error("the output of a command"), { name: "CredentialsProviderError" });
  place = { ...place, credentials: () => Promise.reject(error) };
  await expect(run()).rejects.toMatchObject({
    failure: { exitCode: 3, code: "no_credentials", message: "No AWS credentials were found." },
  });
});

test.each([3_600_000, -3_600_000])("with a clock %i ms behind AWS's, the range is AWS's", async (off) => {
  aheadMs = off;
  expect(Math.abs(awsNow(place) - Date.now())).toBeLessThan(1_000);
  await run({ signal: new AbortController().signal });
  expect(Math.abs(awsNow(place) - Date.now() - off)).toBeLessThan(5_000);
});

test("an answer's Date, cut to its second, moves no clock", async () => {
  await run();
  expect(Math.abs(awsNow(place) - Date.now())).toBeLessThan(100);
});
