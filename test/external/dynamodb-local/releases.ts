/**
 * Releases of the functions on one table: today's sources, and copies of them with a few lines changed. Each copy changes the
 * rows as a later release might (docs/how-to/change-rows.md).
 */
import { rmSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type * as SlotTableAdapter from "../../../functions/adapters/dynamodb-slot-table.ts";
import type * as Issue from "../../../functions/use-cases/issue.ts";
import type * as LogOut from "../../../functions/use-cases/log-out.ts";
import type * as Operate from "../../../functions/use-cases/operate.ts";
import type * as Sweep from "../../../functions/use-cases/sweep.ts";
import { copyEdited, type Edit } from "../../support/edited-sources.ts";

/** One release's code. Its classes are its own, so that it knows no error of another's. */
export type Release = typeof SlotTableAdapter & typeof Issue & typeof LogOut & typeof Operate & typeof Sweep;

const today = new URL("../../../functions/", import.meta.url);
const copies = new URL(`../../../.local/releases/${process.pid}/`, import.meta.url);
const parts = ["domain", "use-cases", "adapters", "contract.ts"];

export const removeReleases = () => rmSync(copies, { recursive: true, force: true });

/** Today's sources. */
export const currentRelease = (): Promise<Release> => load(today);

/** An earlier release, from its own working tree. */
export const releaseIn = (directory: string): Promise<Release> =>
  load(new URL("functions/", `${pathToFileURL(directory).href}/`));

/** @param name a folder's name, one for each set of edits. */
export async function editedRelease(name: string, edits: readonly Edit[]): Promise<Release> {
  const to = new URL(`${name}/`, copies);
  copyEdited({ from: today, to }, parts, edits);
  return await load(to);
}

async function load(functions: URL): Promise<Release> {
  const modules = [
    "adapters/dynamodb-slot-table",
    "use-cases/issue",
    "use-cases/log-out",
    "use-cases/operate",
  ];
  const loaded = await Promise.all(
    [...modules, "use-cases/sweep"].map(
      (name) => import(/* @vite-ignore */ new URL(`${name}.ts`, functions).href),
    ),
  );
  return Object.assign({}, ...loaded);
}

/**
 * New attributes in every kind of row, all of them optional: a slot's count of leases, the owner of a token's mint, a scope's
 * count of raised epochs, a secret's count of recorded attempts.
 */
export const newAttributes: readonly Edit[] = [
  {
    file: "domain/slot-mint.ts",
    find: "next: { ...retired, lease, failures:",
    replace:
      "next: { ...retired, lease: { ...lease, mintedBy: owner }, renewals: ((retired as any).renewals ?? 0) + 1, failures:",
  },
  {
    file: "domain/slot-revoke.ts",
    find: "  return { leaseId, sealed, tokenSha256, baseUrl, clientId,",
    replace: "  return { mintedBy: (token as any).mintedBy, leaseId, sealed, tokenSha256, baseUrl, clientId,",
  },
  {
    file: "domain/control.ts",
    find: "return { ...control, epoch, frozen:",
    replace: "return { ...control, raises: ((control as any).raises ?? 0) + 1, epoch, frozen:",
  },
  {
    file: "domain/control.ts",
    find: "return { ...control, attempts: [...others, own] };",
    replace:
      "return { ...control, changes: ((control as any).changes ?? 0) + 1, attempts: [...others, own] };",
  },
  {
    file: "adapters/rows.ts",
    find: "    names: slot.names,",
    replace: "    names: slot.names, renewals: (slot as any).renewals,",
  },
  {
    file: "adapters/rows.ts",
    find: "    names: list(item.names,",
    replace: "    renewals: optional(item.renewals, number), names: list(item.names,",
  },
  {
    file: "adapters/rows.ts",
    find: "    digest: token.digest,",
    replace: "    digest: token.digest, minted_by: (token as any).mintedBy,",
  },
  {
    file: "adapters/rows.ts",
    find: "    digest: text(item.digest),",
    replace: "    digest: text(item.digest), mintedBy: optional(item.minted_by, (id) => text(id)),",
  },
  {
    file: "adapters/rows.ts",
    find: "    ...head(row),\n    epoch,",
    replace: "    ...head(row), raises: (row as any).raises,\n    epoch,",
  },
  {
    file: "adapters/rows.ts",
    find: "return { ...version(item), epoch:",
    replace: "return { ...version(item), raises: optional(item.raises, number), epoch:",
  },
  {
    file: "adapters/rows.ts",
    find: "  denied_client_ids: row.deniedClientIds,",
    replace: "  denied_client_ids: row.deniedClientIds, changes: (row as any).changes,",
  },
  {
    file: "adapters/rows.ts",
    find: "    deniedClientIds: list(",
    replace: "    changes: optional(item.changes, number), deniedClientIds: list(",
  },
];

/**
 * Another meaning of `minted_at`, under another number: times count from another moment. The shape is the same, so nothing but
 * the number keeps today's release from reading it wrong. This release reads both meanings and writes the old one.
 */
export const readsNewSchema: readonly Edit[] = [
  { file: "adapters/row-values.ts", find: "readable: [1]", replace: "readable: [1, 2]" },
  {
    file: "adapters/rows.ts",
    find: "[digest, list(times, number)]",
    replace: "[digest, list(times, (at) => number(at) + (item.schema === 2 ? 1_700_000_000_000 : 0))]",
  },
];

/** The release after {@link readsNewSchema}. */
export const writesNewSchema: readonly Edit[] = [
  ...readsNewSchema,
  { file: "adapters/row-values.ts", find: "written: 1", replace: "written: 2" },
  {
    file: "adapters/rows.ts",
    find: "    minted_at: slot.mintedAt,",
    replace: `    minted_at: Object.fromEntries(
      Object.entries(slot.mintedAt).map(([digest, times]) => [digest, times.map((at) => at - 1_700_000_000_000)]),
    ),`,
  },
];
