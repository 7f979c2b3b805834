/** What each function behind API Gateway does in Lambda, whatever its routes are. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { environment } from "../../../functions/contract.ts";
import type { Fault } from "../../../local/aws/call.ts";
import type { RunningBroker } from "../../../local/broker.ts";
import type { ProxyEvent } from "../../../local/gateway/event.ts";
import { startsWithinMs } from "../../support/broker-stand.ts";
import {
  answerOf,
  auditOf,
  type FunctionStand,
  nothingLeftBehind,
  said,
  startFunctionStand,
} from "./stand.ts";

export interface ApiFunction {
  readonly functionId: string;
  /** A request that is answered with 200 whenever it is asked and DynamoDB is there. */
  ask(broker: RunningBroker): ProxyEvent;
}

/** Registers the tests; the stand is there while they and the caller's own run. */
export function behavesAsApiFunction({ functionId, ask }: ApiFunction): () => FunctionStand {
  let stand: FunctionStand;
  beforeAll(async () => {
    stand = await startFunctionStand(functionId);
  }, startsWithinMs);
  afterEach(() => {
    stand?.endFaults();
  });
  afterAll(() => stand?.stop());

  test("a cold start answers, and so does each request after it, with one audit line each", async () => {
    const instance = await stand.start();
    for (let request = 1; request <= 3; request++) {
      expect(said(answerOf(await instance.invoke(ask(stand.broker)), stand))).toEqual([200]);
      await nothingLeftBehind(stand);
      expect(auditOf(instance)).toHaveLength(request);
    }
    // Nothing but records: one of each request, and one of the token that Looker made for the first.
    const kinds = instance.lines().map((line) => JSON.parse(line).kind);
    expect(kinds.filter((kind) => kind !== "mint")).toEqual(["audit", "audit", "audit"]);
    expect(kinds.filter((kind) => kind === "mint").length).toBeLessThanOrEqual(1);
  });

  test.each(Object.values(environment))("without %s it reports an error of its start", async (name) => {
    const instance = await stand.start((variables) => void delete variables[name]);
    expect(await instance.invoke(ask(stand.broker))).toMatchObject({
      kind: "lost",
      exitCode: expect.toSatisfy((code: unknown) => code !== 0),
      initError: { errorType: "Error", errorMessage: `the environment variable ${name} is not set` },
    });
  });

  test.each([
    ["nothing", null],
    ["text", "text"],
    ["an empty object", {}],
    ["a schedule's event", { source: "aws.scheduler", detail: "{}" }],
  ])(
    "an event that is %s is refused as one of a foreign API, and the instance lives on",
    async (_, event) => {
      const instance = await stand.start();
      expect(said(answerOf(await instance.invoke(event), stand))).toEqual([403, "not_allowed"]);
      expect(auditOf(instance)).toMatchObject([{ status: 403, reason: "foreign_api" }]);
      expect(said(answerOf(await instance.invoke(ask(stand.broker)), stand))).toEqual([200]);
    },
  );

  test.each<Fault>([{ throw: "unavailable" }, { throw: "throttle" }, { throw: "reset" }, { throw: "hang" }])(
    "DynamoDB away ($throw) is answered with 503 soon, and the same instance serves when it is back",
    async (fault) => {
      const instance = await stand.start();
      stand.broker.awsProxy.setFault(({ service }) => (service === "dynamodb" ? fault : undefined));
      const answer = answerOf(await instance.invoke(ask(stand.broker)), stand);
      expect(said(answer)).toEqual([503, "busy"]);
      expect(Number(answer.headers["Retry-After"])).toBeGreaterThan(0);
      stand.endFaults();
      expect(said(answerOf(await instance.invoke(ask(stand.broker)), stand))).toEqual([200]);
      await nothingLeftBehind(stand);
    },
  );

  test("DynamoDB that hangs longer than there is time is answered before the time is up", async () => {
    const instance = await stand.start();
    expect(said(answerOf(await instance.invoke(ask(stand.broker)), stand))).toEqual([200]);
    stand.broker.awsProxy.setFault(({ service }) => (service === "dynamodb" ? { throw: "hang" } : undefined));
    const upAt = performance.now() + 1_500;
    const outcome = await instance.invoke(ask(stand.broker), 1_500);
    expect(said(answerOf(outcome, stand))).toEqual([503, "busy"]);
    expect("at" in outcome && outcome.at).toBeLessThan(upAt);
    expect(auditOf(instance).at(-1)).toMatchObject({ status: 503, reason: "timed_out" });
    stand.broker.awsProxy.setFault(undefined);
    expect(said(answerOf(await instance.invoke(ask(stand.broker)), stand))).toEqual([200]);
  });

  test("an error that nobody foresaw is answered with a bare 500, and the instance lives on", async () => {
    const instance = await stand.start();
    // As a table that is gone, or a permission: a mistake in the deployment.
    const mistaken = await stand.start((variables) => {
      variables[environment.tableName] = "no-such-table";
    });
    const answer = answerOf(await mistaken.invoke(ask(stand.broker)), stand);
    expect(answer.json).toEqual({
      title: expect.any(String),
      status: 500,
      code: "internal",
      request_id: expect.any(String),
    });
    expect(auditOf(mistaken)).toMatchObject([
      { status: 500, error: expect.stringMatching(/^(?:AccessDenied|ResourceNotFound)Exception$/) },
    ]);
    expect(said(answerOf(await mistaken.invoke(ask(stand.broker)), stand))).toEqual([500, "internal"]);
    expect(said(answerOf(await instance.invoke(ask(stand.broker)), stand))).toEqual([200]);
  });

  return () => stand;
}
