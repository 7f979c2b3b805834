/** Failed mints with their back-off. Requests of the same configuration share a failure. */
import type { ProblemCode } from "./problem.ts";

/** A row remembers failures and logins of this many configurations. Two live side by side while a deployment lasts. */
export const configurationsKept = 4;

/** How the last mint of one configuration failed. All requests of the configuration share the failure before `until`. */
export interface Failure {
  readonly digest: string;
  readonly code: ProblemCode;
  readonly detail?: string | undefined;
  readonly at: number;
  readonly until: number;
  /** Failures in a row, for the back-off. */
  readonly count: number;
}

export type MintFailure = Pick<Failure, "code" | "detail"> & { until?: number };

/** No login may begin now. */
export interface Refusal {
  readonly kind: "refuse";
  readonly code: ProblemCode;
  /** From now. */
  readonly retryAfterMs?: number;
  readonly detail?: string | undefined;
}

/** Adds a failure in the place of the configuration's last. Without a time of its own it backs off: 1 s, 2 s, … up to 30 s. */
export function addFailure(
  failures: readonly Failure[],
  digest: string,
  { code, detail, until }: MintFailure,
  now: number,
): readonly Failure[] {
  const count = (failures.find((each) => each.digest === digest)?.count ?? 0) + 1;
  const backOff = now + Math.min(1_000 * 2 ** Math.min(count - 1, 10), 30_000);
  const own: Failure = { digest, code, detail, at: now, until: until ?? backOff, count };
  return [...withoutFailure(failures, digest).slice(1 - configurationsKept), own];
}

/** Without the configuration's last failure. */
export const withoutFailure = (failures: readonly Failure[], digest: string): readonly Failure[] =>
  failures.filter((each) => each.digest !== digest);

/** The refusal of the configuration's requests while its last failure backs off. */
export function failureRefusal(
  failures: readonly Failure[],
  digest: string,
  now: number,
): Refusal | undefined {
  const failure = failures.find((each) => each.digest === digest);
  if (!failure || now >= failure.until) return undefined;
  const { code, detail } = failure;
  // An operator must mend rejected credentials, so coming back soon is of no use.
  return code === "looker_rejected_credentials"
    ? { kind: "refuse", code, detail }
    : { kind: "refuse", code, detail, retryAfterMs: failure.until - now };
}
