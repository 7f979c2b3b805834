import { afterAll, beforeAll } from "vitest";
import { type RunningEngine, startDynalite } from "../../../local/aws/dynamodb.ts";
import { dynamodbTable } from "../../support/contracts/dynamodb-table.ts";
import { slotTableContract } from "../../support/contracts/slot-table.ts";

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startDynalite();
});
afterAll(() => engine.close());

slotTableContract("DynamoDB's adapter on dynalite", (clock) => dynamodbTable(engine.url, clock));
