/** The rotation's part of a secret's control item. */
import type { CreatedPair, RetiringPair, Rotation } from "../domain/rotation.ts";
import { list, number, optional, record, text, UnreadableRow } from "./row-values.ts";

export const rotationItem = ({ lock, created, retiring }: Rotation): Record<string, unknown> => ({
  lock,
  created: created && {
    version_id: created.versionId,
    user_id: created.userId,
    replaces: created.replaces,
    at: created.at,
    before: created.before,
    pair_id: created.pairId,
  },
  retiring: retiring.map((pair) => ({
    client_id: pair.clientId,
    user_id: pair.userId,
    version_id: pair.versionId,
    queued_at: pair.queuedAt,
    moved_at: pair.movedAt,
    denied: pair.denied,
    deleted_at: pair.deletedAt,
  })),
});

export function readRotation(value: unknown): Rotation {
  const { lock, created, retiring } = record(value);
  return {
    lock: optional(lock, (value) => {
      const { owner, until } = record(value);
      return { owner: text(owner), until: number(until) };
    }),
    created: optional(created, readCreated),
    retiring: list(retiring, readRetiring),
  };
}

function readCreated(value: unknown): CreatedPair {
  const { version_id, user_id, replaces, at, before, pair_id } = record(value);
  return {
    versionId: text(version_id),
    userId: text(user_id),
    replaces: text(replaces),
    at: number(at),
    before: list(before, (id) => text(id)),
    pairId: optional(pair_id, (id) => text(id)),
  };
}

function readRetiring(value: unknown): RetiringPair {
  const { client_id, user_id, version_id, queued_at, moved_at, denied, deleted_at } = record(value);
  return {
    clientId: text(client_id),
    userId: text(user_id),
    versionId: text(version_id),
    queuedAt: number(queued_at),
    movedAt: optional(moved_at, number),
    denied: optional(denied, (value) => {
      const { at, by } = record(value);
      if (by !== "operator" && by !== "rotation") throw new UnreadableRow("denied");
      return { at: number(at), by };
    }),
    deletedAt: optional(deleted_at, number),
  };
}
