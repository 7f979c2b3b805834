/** Somebody who can write to the table puts one caller's row, or a part of it, where another's belongs. */
import { expect, it } from "vitest";
import { slotKey } from "../../functions/adapters/rows.ts";
import { callerKey, inMemoryBroker, scopeNamed, secretId } from "../support/fakes/in-memory-broker.ts";
import { nameOf } from "../support/fakes/memory-slot-table.ts";

const victim = callerKey("AROAVICTIM0000000000");
const thief = callerKey("AROATHIEF00000000000");

async function withBoth() {
  const broker = inMemoryBroker();
  const stolen = await broker.issue({ key: victim });
  await broker.issue({ key: thief });
  const lease = (key: typeof victim) => broker.row(key).lease as Record<string, unknown>;
  return { ...broker, stolen, lease };
}

it.each<[string, (theirs: Record<string, unknown>, own: Record<string, unknown>) => Record<string, unknown>]>(
  [
    ["whole lease", (theirs) => theirs],
    ["sealed token", (theirs, own) => ({ ...own, sealed: theirs.sealed })],
    [
      "sealed token and lease id",
      (theirs, own) => ({ ...own, sealed: theirs.sealed, lease_id: theirs.lease_id }),
    ],
  ],
)("a victim's %s in the thief's row yields nothing, and is reported", async (_, swap) => {
  const { ask, row, lease, looker, stolen } = await withBoth();
  row(thief).lease = structuredClone(swap(lease(victim), lease(thief)));
  const { token, audit } = await ask({ key: thief });
  expect(token?.accessToken).not.toBe(stolen.accessToken);
  expect(audit.unreadable).toBe(1);
  expect(looker.logouts()).toEqual([]);
});

it("a thief who logs the victim's lease out from his own row ends nothing", async () => {
  const { logOut, row, lease, looker, stolen } = await withBoth();
  row(thief).lease = structuredClone(lease(victim));
  expect(await logOut({ key: thief })).toMatchObject({
    revoked: 0,
    pending: 1,
    audit: { unreadable: 1 },
  });
  expect(looker.live).toContain(stolen.accessToken);
});

it("a whole row under another key yields nothing", async () => {
  const { ask, table, row, stolen } = await withBoth();
  const { pk, sk } = slotKey(thief);
  table.items.set(nameOf({ pk, sk }), { ...structuredClone(row(victim)), pk, sk });
  expect((await ask({ key: thief })).token?.accessToken).not.toBe(stolen.accessToken);
});

it("a row of another scope yields nothing, though URL and secret are the same", async () => {
  const { ask, table, row, stolen } = await withBoth();
  const people = { ...scopeNamed("people"), secretId };
  const key = callerKey(victim.uniqueId, "people");
  const { pk, sk } = slotKey(key);
  table.items.set(nameOf({ pk, sk }), { ...structuredClone(row(victim)), pk, sk });
  const { token, audit } = await ask({ key, scope: people });
  expect(token?.accessToken).not.toBe(stolen.accessToken);
  expect(audit.unreadable).toBe(1);
});

it("the victim's own lease is served as before", async () => {
  const { issue, row, lease, stolen } = await withBoth();
  row(thief).lease = structuredClone(lease(victim));
  expect(await issue({ key: victim })).toEqual(stolen);
});
