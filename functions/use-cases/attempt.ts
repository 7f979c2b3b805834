/** The attempt that a login is: written ahead where the version is not proven, and recorded with its outcome. */
import {
  type AttemptOutcome,
  beginAttempt,
  type Credential,
  endAttempt,
  type LoginOptions,
  type LoginPlan,
  planLogin,
  type SecretControl,
} from "../domain/control.ts";
import type { Step } from "../domain/slot.ts";
import { commit } from "./commit.ts";
import type { Clock, Ids, SlotTable } from "./ports.ts";

export interface AttemptPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly table: Pick<SlotTable, "secretControls">;
}

export interface LoginAttempt {
  readonly secretId: string;
  readonly credential: Credential;
  /** Of this one login. */
  readonly owner: string;
}

export type Blocked = Exclude<LoginPlan, { kind: "log_in" }>;

/** Writes `trying` before the login, unless another attempt stands. @returns the obstacle, if any */
export async function writeAhead(
  { table, clock, ids }: AttemptPorts,
  { secretId, credential, owner }: LoginAttempt,
  deadline: number,
  options: LoginOptions = {},
): Promise<Blocked | undefined> {
  return await commit(
    table.secretControls,
    secretId,
    (row, now): Step<SecretControl, Blocked | undefined> => {
      const next = beginAttempt(row, credential, owner, now, options);
      return { next, outcome: next ? undefined : (planLogin(row, credential, now, options) as Blocked) };
    },
    { clock, ids, deadline },
  );
}

export async function recordAttempt(
  { table, clock, ids }: AttemptPorts,
  { secretId, credential, owner }: LoginAttempt,
  outcome: AttemptOutcome,
  deadline: number,
): Promise<void> {
  await commit(
    table.secretControls,
    secretId,
    (row, now) => ({ next: endAttempt(row, credential, owner, outcome, now), outcome: undefined }),
    { clock, ids, deadline, mustLand: true },
  );
}

/** Until when Looker asked for fewer logins. */
export const throttledUntil = (retryAfterSeconds: number | undefined, now: number): number =>
  now + Math.min(Math.max(retryAfterSeconds ?? 30, 1), 300) * 1_000;
