import { describe, expect, it } from "vitest";
import { UnreadableRow } from "../../../functions/adapters/row-values.ts";
import { type Item, scopeControlKey, secretControlKey, slotKey } from "../../../functions/adapters/rows.ts";
import { newSecretControl } from "../../../functions/domain/control.ts";
import type { Slot } from "../../../functions/domain/slot.ts";
import { someDigest, someLease, someOutboxToken, someSupersededToken } from "./rows.ts";
import { type Context, control, freshName, slotOf, someKey, storedBy } from "./table-under-test.ts";

/** Each value is put in the place of the one that belongs there; what DynamoDB has for "nothing" among them. */
const wrong: Record<string, readonly unknown[]> = {
  text: [7, null, true, ["text"], { text: "text" }, new Uint8Array([1])],
  number: ["7", null, true, [7], { number: 7 }],
  bytes: ["AQID", 7, null, [1, 2, 3]],
  flag: ["true", 1, null],
  list: [{}, "list", null, 7],
  map: [[], "map", null, 7],
};

const token = {
  lease_id: "text",
  sealed: "bytes",
  base_url: "text",
  client_id: "text",
  issued_at: "number",
  ends_at: "number",
  looker_ends_at: "number",
  epoch: "number",
  token_sha256: "text",
  digest: "text",
};
const prefixed = (prefix: string, fields: object) =>
  Object.entries(fields).map(([name, kind]): [string, string] => [`${prefix}${name}`, kind]);

const slotFields: [path: string, kind: string][] = [
  ["version", "number"],
  ["write_id", "text"],
  ["names", "list"],
  ["names.0", "text"],
  ["lease", "map"],
  ...prefixed("lease.", token),
  ["superseded", "list"],
  ["superseded.0", "map"],
  ...prefixed("superseded.0.", { ...token, replaced: "flag" }),
  ["outbox", "list"],
  ...prefixed("outbox.0.", { ...token, since: "number", attempts: "number", retry_at: "number" }),
  ["mint", "map"],
  ...prefixed("mint.", { owner: "text", since: "number", until: "number", epoch: "number", doomed: "flag" }),
  ["failures", "list"],
  ["failures.0", "map"],
  ...prefixed("failures.0.", {
    digest: "text",
    code: "text",
    detail: "text",
    at: "number",
    until: "number",
    count: "number",
  }),
  ["minted_at", "map"],
  [`minted_at.${someDigest}`, "list"],
  [`minted_at.${someDigest}.0`, "number"],
];
/** May be missing: then there is none, or one less. */
const optional = new Set([
  "names.0",
  "lease",
  "superseded.0",
  "mint",
  "failures.0",
  "failures.0.detail",
  `minted_at.${someDigest}`,
  `minted_at.${someDigest}.0`,
]);

const controlFields: [path: string, kind: string][] = [
  ["version", "number"],
  ["write_id", "text"],
  ["epoch", "number"],
  ["frozen", "map"],
  ...prefixed("frozen.", { by: "text", at: "number", reason: "text" }),
  ["job", "map"],
  ...prefixed("job.", { epoch: "number", at: "number", next_partition: "number" }),
];

const secretFields: [path: string, kind: string][] = [
  ["version", "number"],
  ["write_id", "text"],
  ["attempts", "list"],
  ["attempts.0", "map"],
  ...prefixed("attempts.0.", {
    version_id: "text",
    base_url: "text",
    state: "text",
    owner: "text",
    at: "number",
    until: "number",
    client_id: "text",
  }),
  ["throttles", "list"],
  ["throttles.0", "map"],
  ...prefixed("throttles.0.", { base_url: "text", until: "number" }),
  ["denied_client_ids", "list"],
  ["denied_client_ids.0", "text"],
];

/** A copy of the item with one value replaced, or without it. */
function edited(item: Item, path: string, value: unknown): Item {
  const copy = structuredClone(item);
  const names = path.split(".");
  const last = names.pop() ?? "";
  const parent = names.reduce((at, name) => at[name] as Item, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

/** What is edited, or written by a newer version, is refused as such: never served, and never taken for an outage. */
export function unreadableRows(context: Context): void {
  const { clock, made } = context;
  const table = () => made().table;

  async function refused(item: Item, read: () => Promise<unknown>, what: string): Promise<void> {
    await made().put(item);
    const outcome = await read().catch((error: unknown) => error);
    expect(outcome, what).toBeInstanceOf(UnreadableRow);
  }

  async function storedSlot() {
    const key = someKey("refusals");
    const now = clock.now();
    const slot: Partial<Slot> = {
      lease: someLease("a", now),
      superseded: [someSupersededToken("b", now)],
      outbox: [someOutboxToken("c", now)],
      mint: { owner: "o", since: now, until: now, epoch: 3, doomed: false },
      failures: [{ digest: someDigest, code: "busy", detail: "detail", at: now, until: now, count: 1 }],
      mintedAt: { [someDigest]: [now] },
    };
    await table().slots.write(key, slotOf(key.callerArn, slot), 0);
    return { key, item: await storedBy(context)(key) };
  }

  describe("a row that was edited", () => {
    it.each(slotFields)("is refused where %s of a slot is no %s", async (path, kind) => {
      const { key, item } = await storedSlot();
      const values = optional.has(path) ? wrong[kind] : [undefined, ...(wrong[kind] ?? [])];
      for (const value of values ?? [])
        await refused(edited(item, path, value), () => table().slots.read(key), `${path} = ${value}`);
      await expect(table().readForIssue(key)).rejects.toBeInstanceOf(UnreadableRow);
    });

    it.each(controlFields)("is refused where %s of a scope's control is no %s", async (path, kind) => {
      const id = freshName();
      const frozen = { by: "arn", at: 1, reason: "why" };
      const job = { epoch: 3, at: 1, nextPartition: 0 };
      await table().scopeControls.write(id, { ...control, frozen, job }, 0);
      const item = (await made().get(scopeControlKey(id))) ?? expect.fail("no such row");
      for (const value of wrong[kind] ?? [])
        await refused(edited(item, path, value), () => table().scopeControls.read(id), `${path} = ${value}`);
      await expect(table().readForIssue(someKey(id))).rejects.toBeInstanceOf(UnreadableRow);
      await expect(table().readControls(id, "none")).rejects.toBeInstanceOf(UnreadableRow);
    });

    it.each(secretFields)("is refused where %s of a secret's control is no %s", async (path, kind) => {
      const id = freshName();
      const attempt = {
        versionId: "v1",
        baseUrl: "https://a.looker.example",
        state: "trying",
        owner: "o",
        at: 1,
        until: 2,
        clientId: "c",
      } as const;
      const row = {
        ...newSecretControl,
        version: 1,
        writeId: "w",
        attempts: [attempt],
        throttles: [{ baseUrl: "https://a.looker.example", until: 3 }],
        deniedClientIds: ["d"],
      };
      await table().secretControls.write(id, row, 0);
      const item = (await made().get(secretControlKey(id))) ?? expect.fail("no such row");
      for (const value of wrong[kind] ?? [])
        await refused(edited(item, path, value), () => table().secretControls.read(id), `${path} = ${value}`);
      await expect(table().readControls("none", id)).rejects.toBeInstanceOf(UnreadableRow);
    });

    it("is refused where a failure's code or an attempt's state is one that is not known", async () => {
      const { key, item } = await storedSlot();
      for (const code of ["", "internal", "not_allowed", "constructor"])
        await refused(edited(item, "failures.0.code", code), () => table().slots.read(key), code);
      const attempt = { version_id: "v1", base_url: "u", owner: "o", at: 1, until: 2, client_id: "c" };
      const attempts = [{ ...attempt, state: "perhaps" }];
      const secret = { ...secretControlKey("state"), schema: 1, version: 1, write_id: "w", attempts };
      const rest = { throttles: [], denied_client_ids: [] };
      await refused({ ...secret, ...rest }, () => table().secretControls.read("state"), "perhaps");
    });
  });

  it.each([2, 0, "1", null, undefined])(
    "a row of schema %s is refused, whatever its kind",
    async (schema) => {
      const { key, item } = await storedSlot();
      await refused(edited(item, "schema", schema), () => table().slots.read(key), "slot");
      await refused(edited(item, "schema", schema), () => table().readForIssue(key), "slot for issue");
      const id = freshName();
      const head = { schema, version: 1, write_id: "w" };
      const scope = { ...scopeControlKey(id), ...head, epoch: 1 };
      const secret = {
        ...secretControlKey(id),
        ...head,
        attempts: [],
        throttles: [],
        denied_client_ids: [],
      };
      await refused(scope, () => table().scopeControls.read(id), "scope");
      await refused(secret, () => table().secretControls.read(id), "secret");
    },
  );

  it("a refused row is not written over by one who believes that there is none", async () => {
    const { key, item } = await storedSlot();
    await made().put(edited(item, "schema", 2));
    expect(await table().slots.write(key, slotOf(key.callerArn), 0)).toBe(false);
    expect(await made().get(slotKey(key))).toMatchObject({ schema: 2 });
  });

  it("attributes that are not known are no reason to refuse", async () => {
    const { key, item } = await storedSlot();
    await made().put({ ...item, note: "added by an operator" });
    expect(await table().slots.read(key)).toMatchObject({ version: 1, writeId: "w1" });
  });
}
