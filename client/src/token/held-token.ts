/** A token in memory, how much of its life is over, and when to look for its successor. */

import { TokenBrokerError } from "../errors/token-broker-error.ts";
import type { Clock } from "../waiting/clock.ts";
import { LookerToken } from "./looker-token.ts";

/** What the broker answered, and the time since it was asked: `expires_in` may have been true as early as then. */
export interface TokenAnswer {
  readonly body: unknown;
  readonly accessKeyId: string;
  elapsedMs(): number;
}

export interface HeldToken {
  readonly token: LookerToken;
  /** Of the AWS credentials that the broker gave it to. */
  readonly accessKeyId: string;
  /** What was left of the lease when it came. */
  readonly lifeMs: number;
  /** Of that life. Fleets spread out, since each process draws its own. */
  readonly refreshAtMs: number;
  elapsedMs(): number;
}

/** A scope's lease is at least 120 s, and no more than half of it may be asked for: so this is always allowed. */
export const defaultMinTtlSeconds = 60;

/** A scope's lease is an hour at most, and no more than half of it may be asked for. */
export const maxMinTtlSeconds = 1_800;

/** No lease lives that long: an answer that says so is wrong, and must not be kept for ever. */
const maxLifeSeconds = 86_400;

/** Ahead of the moment at which the token would have too little life left to be handed out. */
const marginMs = 15_000;

export function heldToken(
  { body, accessKeyId, elapsedMs }: TokenAnswer,
  scope: string,
  clock: Clock,
): HeldToken {
  const { access_token, expires_in, lease_id, base_url } = Object(body) as Record<string, unknown>;
  if (
    typeof access_token !== "string" ||
    typeof expires_in !== "number" ||
    !(expires_in > 0 && expires_in <= maxLifeSeconds) ||
    typeof lease_id !== "string" ||
    typeof base_url !== "string" ||
    !URL.canParse(base_url)
  )
    throw new TokenBrokerError("not_a_broker", "The answer is not a token of a token broker.");
  const lifeMs = expires_in * 1_000;
  const token = new LookerToken({
    accessToken: access_token,
    leaseId: lease_id,
    scope,
    baseUrl: base_url.replace(/\/+$/, ""),
    expiresAt: new Date(clock.now() + lifeMs - elapsedMs()),
  });
  return { token, accessKeyId, lifeMs, refreshAtMs: refreshPoint(lifeMs, clock), elapsedMs };
}

/** Of the token's life. It may have begun as early as the broker was asked. */
export const lifeLeftMs = ({ lifeMs, elapsedMs }: HeldToken): number => lifeMs - elapsedMs();

/** At 65 to 80 % of the life; with short leases earlier, but in the second half: before it the broker gives the same again. */
function refreshPoint(lifeMs: number, clock: Clock): number {
  const latestMs = Math.max(lifeMs / 2, lifeMs - defaultMinTtlSeconds * 1_000 - marginMs);
  return Math.min(lifeMs * (0.65 + 0.15 * clock.random()), latestMs);
}
