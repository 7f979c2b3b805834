/** What only DynamoDB's own adapter can meet: the SDK's retries, errors of the service, numbers that JavaScript lacks. */
import {
  type BatchGetItemCommandInput,
  type DynamoDBClient,
  PutItemCommand,
  type ServiceInputTypes,
} from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { dynamodbSlotTable } from "../../../functions/adapters/dynamodb-slot-table.ts";
import { slotKey } from "../../../functions/adapters/rows.ts";
import { commit } from "../../../functions/use-cases/commit.ts";
import { Unavailable, Unreadable } from "../../../functions/use-cases/ports.ts";
import { type RunningEngine, startDynalite } from "../../../local/aws/dynamodb.ts";
import { type DynamodbTableUnderTest, dynamodbTable } from "../../support/contracts/dynamodb-table.ts";
import { someOutboxToken } from "../../support/contracts/rows.ts";
import { slotOf, someKey } from "../../support/contracts/table-under-test.ts";
import { countingIds } from "../../support/fakes/counting-ids.ts";
import { type VirtualClock, virtualClock } from "../../support/fakes/virtual-clock.ts";

let engine: RunningEngine;
let clock: VirtualClock;
let made: DynamodbTableUnderTest;
beforeAll(async () => {
  engine = await startDynalite();
});
afterAll(() => engine.close());
beforeEach(async () => {
  clock = virtualClock();
  made = await fresh(1);
});

async function fresh(maxAttempts: number): Promise<DynamodbTableUnderTest> {
  const table = await dynamodbTable(engine.url, clock, { maxAttempts });
  onTestFinished(() => table.close());
  return table;
}

/** Within the SDK's retries: the connection breaks in the place of the next answers to a PutItem, good or bad. */
function loseAnswers(client: DynamoDBClient, count: number): void {
  let left = count;
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answered = await Promise.allSettled([next(args)]);
        if (commandName === "PutItemCommand" && left-- > 0)
          throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
        const [answer] = answered;
        if (answer.status === "rejected") throw answer.reason;
        return answer.value;
      },
    { step: "deserialize", priority: "high" },
  );
}

/** Instead of the service: its answer, or its error. */
function answerWith(client: DynamoDBClient, answer: (input: ServiceInputTypes) => unknown): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const output = answer(args.input);
      if (output instanceof Error) throw output;
      return output === undefined ? next(args) : ({ output, response: {} } as never);
    },
    { step: "deserialize", priority: "high" },
  );
}

const serviceError = (name: string, httpStatusCode: number) =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode }, $fault: "client" });

describe("the SDK's own retry of a write that was done", () => {
  beforeEach(async () => {
    made = await fresh(2);
  });

  it("finds the condition failed by itself, and commit tells that it was its own write", async () => {
    const key = someKey();
    loseAnswers(made.client, 1);
    const step = (slot: { mintedAt: readonly number[] }) => ({
      next: { ...slotOf(key.callerArn), mintedAt: [...slot.mintedAt, 1] },
      outcome: "applied",
    });
    const options = { clock, ids: countingIds("retry"), deadline: clock.now() + 60_000 };
    expect(await commit(made.table.slots, key, step, options)).toBe("applied");
    expect(made.calls()).toBe(4);
    expect(await made.table.slots.read(key)).toMatchObject({ version: 1, mintedAt: [1] });
  });

  it("is Unavailable when that answer is lost as well", async () => {
    const key = someKey();
    loseAnswers(made.client, 2);
    await expect(made.table.slots.write(key, slotOf(key.callerArn), 0)).rejects.toBeInstanceOf(Unavailable);
    expect(await made.table.slots.read(key)).toMatchObject({ version: 1 });
  });
});

describe("an error of the service", () => {
  it.each([
    ["ProvisionedThroughputExceededException", 400],
    ["ThrottlingException", 400],
    ["InternalServerError", 500],
  ])("%s is Unavailable, for every call", async (name, status) => {
    answerWith(made.client, () => serviceError(name, status));
    const key = someKey();
    const calls = [
      () => made.table.slots.read(key),
      () => made.table.slots.write(key, slotOf(key.callerArn), 0),
      () => made.table.readForIssue(key),
      () => made.table.readControls("sales", "secret"),
    ];
    for (const call of calls) await expect(call()).rejects.toBeInstanceOf(Unavailable);
  });

  it.each(["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])(
    "%s is a mistake in the deployment, and stays itself",
    async (name) => {
      answerWith(made.client, () => serviceError(name, 400));
      const key = someKey();
      await expect(made.table.readForIssue(key)).rejects.toMatchObject({ name });
      await expect(made.table.slots.write(key, slotOf(key.callerArn), 0)).rejects.toMatchObject({ name });
    },
  );

  it("a table that is not there is no empty row", async () => {
    const missing = dynamodbSlotTable(made.client, "missing", clock);
    await expect(missing.slots.read(someKey())).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("keys that BatchGetItem leaves unprocessed", () => {
  function leaveUnprocessed(rounds: number): void {
    let left = rounds;
    answerWith(made.client, (input) =>
      "RequestItems" in input && left-- > 0
        ? {
            $metadata: {},
            Responses: {},
            UnprocessedKeys: input.RequestItems as BatchGetItemCommandInput["RequestItems"],
          }
        : undefined,
    );
  }

  it("are asked for again, and are not taken for missing rows", async () => {
    const key = someKey();
    await made.table.slots.write(key, slotOf(key.callerArn), 0);
    leaveUnprocessed(2);
    expect((await made.table.readForIssue(key)).slot.version).toBe(1);
    expect(clock.slept).toEqual([50, 100]);
  });

  it("are given up as Unavailable after three rounds", async () => {
    leaveUnprocessed(3);
    await expect(made.table.readForIssue(someKey())).rejects.toBeInstanceOf(Unavailable);
  });
});

it("reads are strongly consistent, each of them", async () => {
  const inputs: string[] = [];
  answerWith(made.client, (input) => void inputs.push(JSON.stringify(input)));
  const key = someKey();
  await made.table.slots.read(key);
  await made.table.scopeControls.read("sales");
  await made.table.secretControls.read("secret");
  await made.table.readForIssue(key);
  await made.table.readControls("sales", "secret");
  expect(inputs).toHaveLength(5);
  for (const input of inputs) expect(input).toContain('"ConsistentRead":true');
});

describe.each(["12345678901234567.5", "-12345678901234567.5", "90071992547409930", "1E+100"])(
  "a row in which a number was edited to %s",
  (digits) => {
    const key = someKey();
    beforeEach(async () => {
      await made.table.slots.write(key, slotOf(key.callerArn, { mintedAt: [1] }), 0);
      const item = marshall((await made.get(slotKey(key))) ?? expect.fail("no row"));
      const Item = { ...item, minted_at: { L: [{ N: digits }] } };
      await made.client.send(new PutItemCommand({ TableName: made.tableName, Item }));
    });

    it("is Unreadable, and not an outage", async () => {
      await expect(made.table.slots.read(key)).rejects.toBeInstanceOf(Unreadable);
      await expect(made.table.readForIssue(key)).rejects.toBeInstanceOf(Unreadable);
    });

    it("does not keep a revocation from the others of its partition", async () => {
      const { pk } = slotKey(key);
      let other = someKey();
      while (slotKey(other).pk !== pk) other = someKey();
      await made.table.slots.write(other, slotOf(other.callerArn), 0);
      const page = await made.table.querySlots("sales", Number(pk.split("#")[2]));
      expect(page.entries.map((entry) => entry.key.uniqueId)).toEqual([other.uniqueId]);
      expect(page.unreadable).toBe(1);
    });
  },
);

it("a due time that was edited to what JavaScript has no number for does not stop the sweep", async () => {
  const due = someKey();
  const outbox = [someOutboxToken("a", clock.now() - 1_000)];
  await made.table.slots.write(due, slotOf(due.callerArn, { outbox }), 0);
  const item = marshall((await made.get(slotKey(due))) ?? expect.fail("no row"));
  const Item = {
    ...item,
    sk: { S: "caller#123456789012#AROAEDITED" },
    due_at: { N: "-12345678901234567.5" },
  };
  await made.client.send(new PutItemCommand({ TableName: made.tableName, Item }));
  const { scope, account, uniqueId } = due;
  expect(await made.table.queryDue(clock.now())).toContainEqual({
    kind: "slot",
    key: { scope, account, uniqueId },
    dueAt: expect.any(Number),
  });
});
