/**
 * Rows as releases wrote them, attribute by attribute, with their meaning. Rows outlive the code: an entry stays as it is while
 * a table may hold such rows. Each change of the rows gets an entry of its own (docs/how-to/change-rows.md).
 */
import type { Item } from "../../../functions/adapters/row-values.ts";
import type { ScopeControl, SecretControl } from "../../../functions/domain/control.ts";
import type { SessionBudget } from "../../../functions/domain/session-budget.ts";
import type { Slot } from "../../../functions/domain/slot.ts";
import type { CallerKey, SlotKey } from "../../../functions/use-cases/ports.ts";

interface Released<Key, Row> {
  readonly key: Key;
  readonly item: Item;
  readonly row: Row;
}

export interface ReleasedRows {
  readonly schema: number;
  /** When the rows were written: the TTL counts from the last end in them. */
  readonly writtenAt: number;
  readonly slot: Released<SlotKey, Slot>;
  readonly scopeControl: Released<string, ScopeControl>;
  readonly secretControl: Released<string, SecretControl>;
  readonly sessionBudget: Released<CallerKey, SessionBudget>;
}

const at = 1_800_000_000_000;
const hour = 3_600_000;
const [digest, otherDigest] = ["abcdefghijklmnopqrstuv", "zyxwvutsrqponmlkjihgfe"];
const name = "arn:aws:iam::123456789012:role/report-service";

const tokenItem = (leaseId: string) => ({
  lease_id: leaseId,
  sealed: new Uint8Array([1, 2, 3]),
  base_url: "https://example.cloud.looker.com",
  client_id: "clientOne",
  issued_at: at,
  ends_at: at + 900_000,
  looker_ends_at: at + hour,
  epoch: 3,
  token_sha256: "ab".repeat(32),
  digest,
});
const token = (leaseId: string) => ({
  leaseId,
  sealed: new Uint8Array([1, 2, 3]),
  baseUrl: "https://example.cloud.looker.com",
  clientId: "clientOne",
  issuedAt: at,
  endsAt: at + 900_000,
  lookerEndsAt: at + hour,
  epoch: 3,
  tokenSha256: "ab".repeat(32),
  digest,
});

const schema1: ReleasedRows = {
  schema: 1,
  writtenAt: at,
  slot: {
    key: { scope: "sales", account: "123456789012", uniqueId: "AROAREPORTSERVICE000" },
    item: {
      pk: "scope#sales#5",
      sk: "caller#123456789012#AROAREPORTSERVICE000",
      schema: 1,
      version: 7,
      write_id: "0123456789abcdef",
      names: [name],
      lease: tokenItem("lease-3"),
      superseded: [{ ...tokenItem("lease-2"), digest: otherDigest, replaced: false }],
      outbox: [{ ...tokenItem("lease-1"), since: at + 5_000, attempts: 1, retry_at: at + 20_000 }],
      mint: { owner: "owner-1", since: at + 6_000, until: at + 21_000, epoch: 3, doomed: false },
      failures: [
        {
          digest: otherDigest,
          code: "looker_unavailable",
          detail: "Looker asked for fewer logins.",
          at: at + 1_000,
          until: at + 2_000,
          count: 1,
        },
      ],
      minted_at: { [digest]: [at, at + 6_000], [otherDigest]: [at + 1_000] },
      due_shard: "due#5",
      due_at: at / 1_000 + 20,
      ttl: (at + hour) / 1_000 + 86_400,
    },
    row: {
      version: 7,
      writeId: "0123456789abcdef",
      names: [name],
      lease: token("lease-3"),
      superseded: [{ ...token("lease-2"), digest: otherDigest, replaced: false }],
      outbox: [{ ...token("lease-1"), since: at + 5_000, attempts: 1, retryAt: at + 20_000 }],
      mint: { owner: "owner-1", since: at + 6_000, until: at + 21_000, epoch: 3, doomed: false },
      failures: [
        {
          digest: otherDigest,
          code: "looker_unavailable",
          detail: "Looker asked for fewer logins.",
          at: at + 1_000,
          until: at + 2_000,
          count: 1,
        },
      ],
      mintedAt: { [digest]: [at, at + 6_000], [otherDigest]: [at + 1_000] },
    },
  },
  scopeControl: {
    key: "sales",
    item: {
      pk: "scope#sales",
      sk: "#control",
      schema: 1,
      version: 2,
      write_id: "0123456789abcdef",
      epoch: 4,
      frozen: { by: "arn:aws:iam::123456789012:role/oncall", at, reason: "incident" },
      job: { epoch: 4, at, next_partition: 5 },
      due_shard: "due#7",
      due_at: at / 1_000,
    },
    row: {
      version: 2,
      writeId: "0123456789abcdef",
      epoch: 4,
      frozen: { by: "arn:aws:iam::123456789012:role/oncall", at, reason: "incident" },
      job: { epoch: 4, at, nextPartition: 5 },
    },
  },
  secretControl: {
    key: "looker/sales",
    item: {
      pk: "secret#looker/sales",
      sk: "#control",
      schema: 1,
      version: 3,
      write_id: "0123456789abcdef",
      attempts: [
        {
          version_id: "version-1",
          base_url: "https://example.cloud.looker.com",
          state: "worked",
          owner: "owner-1",
          at,
          until: at + 360_000,
          client_id: digest,
        },
      ],
      throttles: [{ base_url: "https://example.cloud.looker.com", until: at + 30_000 }],
      denied_client_ids: [otherDigest],
    },
    row: {
      version: 3,
      writeId: "0123456789abcdef",
      attempts: [
        {
          versionId: "version-1",
          baseUrl: "https://example.cloud.looker.com",
          state: "worked",
          owner: "owner-1",
          at,
          until: at + 360_000,
          clientId: digest,
        },
      ],
      throttles: [{ baseUrl: "https://example.cloud.looker.com", until: at + 30_000 }],
      deniedClientIds: [otherDigest],
    },
  },
  sessionBudget: {
    key: { scope: "sales", account: "123456789012", uniqueId: "AROAREPORTSERVICE000" },
    item: {
      pk: "scope#sales#5",
      sk: "sessions#123456789012#AROAREPORTSERVICE000",
      schema: 1,
      version: 4,
      write_id: "0123456789abcdef",
      minutes: { "30000000": 2, "30000001": 1 },
      failures: [{ digest, code: "looker_unavailable", at, until: at + 2_000, count: 2 }],
      probes: { [digest]: at + 15_000 },
      settled: ["owner-1", "owner-2"],
      ttl: at / 1_000 + 86_400,
    },
    row: {
      version: 4,
      writeId: "0123456789abcdef",
      minutes: { "30000000": 2, "30000001": 1 },
      failures: [{ digest, code: "looker_unavailable", at, until: at + 2_000, count: 2 }],
      probes: { [digest]: at + 15_000 },
      settled: ["owner-1", "owner-2"],
    },
  },
};

/** With the optional `rotation` of a secret's control item. */
const withRotation: ReleasedRows = {
  ...schema1,
  secretControl: {
    key: schema1.secretControl.key,
    item: {
      ...schema1.secretControl.item,
      rotation: {
        lock: { owner: "owner-2", until: at + 60_000 },
        created: {
          ...{ version_id: "version-2", user_id: "7", replaces: "clientOne", at },
          ...{ before: ["11", "12"], pair_id: "13" },
        },
        retiring: [
          {
            ...{
              client_id: "clientZero",
              user_id: "7",
              version_id: "version-0",
              queued_at: at,
              moved_at: at + 1,
            },
            ...{ denied: { at: at + 2, by: "operator" }, deleted_at: at + 3 },
          },
          { client_id: "clientOne", user_id: "7", version_id: "version-1", queued_at: at },
        ],
      },
    },
    row: {
      ...schema1.secretControl.row,
      rotation: {
        lock: { owner: "owner-2", until: at + 60_000 },
        created: {
          ...{ versionId: "version-2", userId: "7", replaces: "clientOne", at },
          ...{ before: ["11", "12"], pairId: "13" },
        },
        retiring: [
          {
            ...{ clientId: "clientZero", userId: "7", versionId: "version-0", queuedAt: at, movedAt: at + 1 },
            ...{ denied: { at: at + 2, by: "operator" }, deletedAt: at + 3 },
          },
          { clientId: "clientOne", userId: "7", versionId: "version-1", queuedAt: at },
        ],
      },
    },
  },
};

/** The oldest first. This release writes rows like the last. */
export const releasedRows: readonly ReleasedRows[] = [schema1, withRotation];
