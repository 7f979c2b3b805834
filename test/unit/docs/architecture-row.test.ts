import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readSlot, readSlotKey, slotItem } from "../../../functions/adapters/rows.ts";
import { configurationDigest } from "../../../functions/domain/lease.ts";

const page = readFileSync(new URL("../../../docs/explanation/architecture.md", import.meta.url), "utf8");

it("the example row in docs/explanation/architecture.md is a row, attribute by attribute", () => {
  const [, json = ""] = /```json\n([^`]+)```/.exec(page) ?? [];
  const shown = JSON.parse(json);
  // Shortened on the page.
  shown.lease.sealed = new Uint8Array([1]);
  shown.lease.token_sha256 = "a".repeat(64);
  const key = readSlotKey("sales", shown);
  if (!key) throw new Error("not the key of a slot");
  const slot = readSlot(shown);
  const written = slotItem(key, slot, slot.lease?.issuedAt ?? 0);
  expect(shown).toEqual(
    Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined)),
  );
  expect(slot.lease?.digest).toBe(
    configurationDigest({ baseUrl: "https://example.cloud.looker.com", secretId: "looker/sales" }),
  );
});
