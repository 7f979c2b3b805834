/** What a row holds is a contract with every release that may meet it: docs/how-to/change-rows.md. */
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import {
  type Item,
  readScopeControl,
  readSecretControl,
  readSlot,
  scopeControlItem,
  secretControlItem,
  slotItem,
} from "../../../functions/adapters/rows.ts";
import { releasedRows } from "../../support/contracts/released-rows.ts";

/** As DynamoDB keeps it. */
const stored = (item: Item): Item => unmarshall(marshall(item, { removeUndefinedValues: true }));

describe.each(releasedRows)("a row of schema $schema", ({ slot, scopeControl, secretControl }) => {
  it("is read as what it was written to say", () => {
    expect(readSlot(stored(slot.item))).toEqual(slot.row);
    expect(readScopeControl(stored(scopeControl.item))).toEqual(scopeControl.row);
    expect(readSecretControl(stored(secretControl.item))).toEqual(secretControl.row);
  });
});

const latest = releasedRows.at(-1);

describe("a row that is written now", () => {
  it("has the attributes that are released, no more and no fewer", () => {
    if (!latest) throw new Error("No row is released.");
    const { slot, scopeControl, secretControl, writtenAt } = latest;
    expect(stored(slotItem(slot.key, slot.row, writtenAt))).toStrictEqual(slot.item);
    expect(stored(scopeControlItem(scopeControl.key, scopeControl.row))).toStrictEqual(scopeControl.item);
    expect(stored(secretControlItem(secretControl.key, secretControl.row))).toStrictEqual(secretControl.item);
  });
});
