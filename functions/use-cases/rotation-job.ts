/** One invocation of a rotation: its inputs, and the failures that it can end with. */
import type { Scope } from "../domain/scope.ts";
import {
  type BrokerTable,
  type Clock,
  type Ids,
  type Looker,
  type LookerUsers,
  Unavailable,
  UnusableSecret,
} from "./ports.ts";
import type { AuditFields } from "./record.ts";
import type { LookerPairs, SecretVersions } from "./rotation-ports.ts";

export interface RotationPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly table: BrokerTable;
  readonly looker: Looker;
  readonly users: Pick<LookerUsers, "me">;
  readonly pairs: LookerPairs;
  readonly versions: SecretVersions;
}

/** A rotating secret of one or more scopes. */
export interface RotatingSecret {
  /** The secret's name. A secret of another account does not rotate. */
  readonly secretId: string;
  readonly baseUrl: string;
  readonly everyDays: number;
  readonly administratorId?: string | undefined;
  /** Names of all scopes of its Looker. One of another secret may still use the pair: copied, or from before a deployment. */
  readonly scopes: readonly string[];
}

/** By name. */
export function rotatingSecrets(scopes: Iterable<Scope>): ReadonlyMap<string, RotatingSecret> {
  const all = [...scopes];
  const bySecret = Map.groupBy(all, ({ secretId }) => secretId);
  return new Map(
    [...bySecret].flatMap(([secretId, users]): [string, RotatingSecret][] => {
      const one = users.find(({ rotation }) => rotation !== undefined);
      if (!one?.rotation) return [];
      const { baseUrl, rotation } = one;
      const neighbours = all.filter((scope) => scope.baseUrl === baseUrl).map(({ name }) => name);
      return [[secretId, { secretId, baseUrl, ...rotation, scopes: neighbours }]];
    }),
  );
}

export interface RotationJob {
  readonly secret: RotatingSecret;
  /** Fencing token of this invocation. */
  readonly owner: string;
  /** The last moment to begin a short call. */
  readonly deadline: number;
  readonly audit: AuditFields;
}

/** Reasons of failed steps, with advice for readers of CloudTrail and of the function's log. */
const advice = {
  bad_event: "the event is not one of Secrets Manager's rotation",
  not_rotating: "rotation of this secret is not switched on, in the scopes file or at Secrets Manager",
  foreign_function: "Secrets Manager names another function for the rotation of this secret",
  unknown_version: "the version is neither pending nor current: start a new rotation",
  locked:
    "another run of the rotation has not given its lock back in time, or the stage has moved: Secrets Manager tries again",
  needs_administrator:
    "Looker refuses to show or change the account's pairs: give the rotation an administrator who may manage them",
  too_many_pairs: "too many pairs: delete unused ones of the account at Looker, then rotate again",
  secret_malformed:
    'the secret is not {"client_id": "…", "client_secret": "…"}, or cannot be read or written',
  administrator_malformed: "the administrator's secret is not a pair, or cannot be read",
  administrator_rejected:
    "Looker does not accept the pair that manages the account: check it. It is tried once in six minutes",
  looker_unavailable: "Looker did not answer as it should: rotate again when it does",
  pending_pair_gone:
    "Looker does not have the pair of the pending version, so its stage was taken away: rotate again",
  foreign_pending:
    "somebody else stored the pending version: take the stage AWSPENDING from it, then rotate again",
  another_user: "the new pair logs in as another user than the old one. Nothing was changed",
  pending_rejected: "the new pair has not logged in. Nothing was changed. Rotate again after six minutes",
  dynamodb_unavailable: "DynamoDB did not answer: rotate again",
  secretsmanager_unavailable: "Secrets Manager did not answer: rotate again",
  internal: "an error that nobody foresaw: see the function's log",
} as const;

export type RotationReason = keyof typeof advice;

/** The message is one line without a secret. */
export class RotationFailure extends Error {
  override readonly name = "RotationFailure";
  readonly reason: RotationReason;

  /** @param detail from a fixed vocabulary */
  constructor(reason: RotationReason, { detail, cause }: { detail?: string; cause?: unknown } = {}) {
    super(`${reason}: ${advice[reason]}${detail === undefined ? "" : ` (${detail})`}`, { cause });
    this.reason = reason;
  }
}

export function asRotationFailure(error: unknown): RotationFailure {
  if (error instanceof RotationFailure) return error;
  if (error instanceof Unavailable && error.dependency !== "kms")
    return new RotationFailure(`${error.dependency}_unavailable`, { cause: error });
  // Every reader of a secret gives its own reason. A writer changes the rotating secret alone.
  if (error instanceof UnusableSecret)
    return new RotationFailure("secret_malformed", { detail: error.reason, cause: error });
  return new RotationFailure("internal", { cause: error });
}
