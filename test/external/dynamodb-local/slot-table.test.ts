import { afterAll, beforeAll, describe } from "vitest";
import type { RunningEngine } from "../../../local/aws/dynamodb.ts";
import { dynamodbTable } from "../../support/contracts/dynamodb-table.ts";
import { slotTableContract } from "../../support/contracts/slot-table.ts";
import { missingForDynamodbLocal, startDynamodbLocal } from "./engine.ts";

const missing = missingForDynamodbLocal();
if (missing !== undefined) console.warn(`Skipped: ${missing}.`);

describe.skipIf(missing !== undefined)("AWS's DynamoDB Local", () => {
  let engine: RunningEngine;
  beforeAll(async () => {
    engine = await startDynamodbLocal();
  }, 60_000);
  afterAll(() => engine?.close());

  slotTableContract("DynamoDB's adapter", (clock) => dynamodbTable(engine.url, clock));
});
