/** The attributes of a row are a contract with the releases around this one: docs/how-to/change-rows.md. */
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import type { Item } from "../../../functions/adapters/row-values.ts";
import {
  readScopeControl,
  readSecretControl,
  readSessionBudget,
  readSlot,
  scopeControlItem,
  secretControlItem,
  sessionBudgetItem,
  slotItem,
} from "../../../functions/adapters/rows.ts";
import { releasedRows } from "../../support/contracts/released-rows.ts";

/** As DynamoDB keeps it. */
const stored = (item: Item): Item => unmarshall(marshall(item, { removeUndefinedValues: true }));

describe.each(releasedRows)(
  "a row of schema $schema",
  ({ slot, scopeControl, secretControl, sessionBudget }) => {
    it("is read with the meaning it was written with", () => {
      expect(readSlot(stored(slot.item))).toEqual(slot.row);
      expect(readScopeControl(stored(scopeControl.item))).toEqual(scopeControl.row);
      expect(readSecretControl(stored(secretControl.item))).toEqual(secretControl.row);
      expect(readSessionBudget(stored(sessionBudget.item))).toEqual(sessionBudget.row);
    });
  },
);

const latest = releasedRows.at(-1);

describe("a row of today", () => {
  it("is written with the released attributes, no more and no fewer", () => {
    if (!latest) throw new Error("No row is released.");
    const { slot, scopeControl, secretControl, sessionBudget, writtenAt } = latest;
    expect(stored(slotItem(slot.key, slot.row, writtenAt))).toStrictEqual(slot.item);
    expect(stored(scopeControlItem(scopeControl.key, scopeControl.row))).toStrictEqual(scopeControl.item);
    expect(stored(secretControlItem(secretControl.key, secretControl.row))).toStrictEqual(secretControl.item);
    const { key, row, item } = sessionBudget;
    expect(stored(sessionBudgetItem(key, row, writtenAt))).toStrictEqual(item);
  });
});
