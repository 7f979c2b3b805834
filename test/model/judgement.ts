/** What must be true when nobody is at it any more. Safety: whatever struck on the way. */
import { leaseMs } from "./configurations.ts";
import {
  attemptBackoffMs,
  budgetWindowMs,
  lockMs,
  mostTokensInOutboxes,
  type Observed,
  skewMs,
} from "./observed.ts";
import type { Scenario } from "./scenario.ts";
import { callerOf, type MadeToken, nameOf, tokenIn } from "./world.ts";

export function judgeAtRest(seen: Observed): void {
  const { world, broken, scenario, calm } = seen;
  if (world.mostTracked > mostTokensInOutboxes)
    broken.push(`no row grows past its bound: ${world.mostTracked} tracked`);
  if (calm && world.overlappingLogins > 0) broken.push("one mint at a time per slot");
  seen.judgeTracking();
  for (const made of world.tokens)
    if (made.loggedOutAt !== undefined && !mayBeDead(seen, made))
      broken.push(`nothing kills a lease unasked: ${made.token}`);
  judgeFinishedJobs(seen);
  judgeLogins(seen);
  judgeAttempts(seen);
  judgeDenials(seen);
  judgeBudgets(seen);
  if (calm && scenario.unusableLogin === 0) judgeOneLogin(seen);
}

/** Whether anyone could have meant this token, or its lease was over, or its minter could not store it. */
function mayBeDead({ revocations, staleReports, scenario, calm }: Observed, made: MadeToken): boolean {
  if (revocations.some(({ scope }) => scope === made.key.scope)) return true;
  // An unusable token is nobody's lease.
  if (!made.usable || made.leaseId === undefined || staleReports.has(made.leaseId)) return true;
  if (!calm && (made.leaseAtStop === undefined || made.loggedOutBy === made.minter)) return true;
  // Issued when the lock was taken, up to a lock's life before the login.
  const life = Math.min(leaseMs, scenario.lookerLifeMs);
  return (made.loggedOutAt ?? 0) >= made.madeAt + life - lockMs - 2 * skewMs;
}

/** A whole-scope revocation that is through leaves nothing of an older epoch but what is being ended. */
function judgeFinishedJobs({ world, broken }: Observed): void {
  for (const { key, slot } of world.slots.values()) {
    const control = world.controlOf(key.scope);
    if (control.job) continue;
    for (const token of [...(slot.lease ? [slot.lease] : []), ...slot.superseded]) {
      const made = world.byToken.get(tokenIn(token));
      if (token.epoch < control.epoch && made && world.isAlive(made))
        broken.push(`a revocation of the whole scope ends all of it: lease ${token.leaseId} is left`);
    }
  }
}

const configurationOf = (made: MadeToken) => `${nameOf(made.key)} ${made.baseUrl} ${made.secretId}`;

/** Whether nobody ended or reported a lease of the scope. */
const isUndisturbed = (scenario: Scenario, scope: string) =>
  scenario.arrivals.every(({ command }) => {
    if (!("scope" in command) || command.scope !== scope || command.kind === "rotate") return true;
    return command.kind === "token" && !command.reportStale;
  });

/** In calm runs a login is made when there is no lease, or once it is due for renewal; by each configuration for itself. */
function judgeOneLogin({ world, scenario, broken }: Observed): void {
  const last = new Map<string, MadeToken>();
  const life = Math.min(leaseMs, scenario.lookerLifeMs);
  for (const made of world.tokens) {
    if (!isUndisturbed(scenario, made.key.scope)) continue;
    const before = last.get(configurationOf(made));
    if (before && made.madeAt - before.madeAt < 0.75 * life - 2 * skewMs - lockMs)
      broken.push(`one successful login per lease: ${before.token} and ${made.token}`);
    last.set(configurationOf(made), made);
  }
}

/**
 * However a request goes, it logs in once at most: the number of logins is bounded by the number of requests. Those that leave
 * a token are bounded by the budget besides, and those that leave none by the back-off of failures.
 */
function judgeLogins({ world, broken }: Observed): void {
  const minters = new Set(world.attempts.map(({ minter }) => minter));
  if (minters.size < world.attempts.length) broken.push("a request logs in once at most");
}

/** A version that never worked at a Looker is tried there once in a back-off, by everyone together. */
function judgeAttempts({ world, broken }: Observed): void {
  const last = new Map<string, number>();
  for (const { clientId, baseUrl, at, accepted } of world.attempts) {
    const credential = `${clientId} at ${baseUrl}`;
    const before = last.get(credential);
    // Written ahead under a lock, it is made while that lasts.
    if (before !== undefined && at - before < attemptBackoffMs - skewMs - lockMs)
      broken.push(`one attempt per back-off: ${credential}`);
    last.set(credential, accepted ? Number.NEGATIVE_INFINITY : at);
  }
}

/** A client id that was denied makes no login for those who arrive afterwards, until it is allowed again. Then it is not denied. */
function judgeDenials({ core, revocations, allowances, world, broken, arrivedAtStop }: Observed): void {
  for (const { deniedClientId, answeredAtStop, ...denial } of revocations) {
    if (deniedClientId === undefined || answeredAtStop === undefined) continue;
    const mayBeAllowed = allowances.some(
      (each) => each.clientId === deniedClientId && each.answeredAtStop > denial.arrivedAtStop,
    );
    if (mayBeAllowed) continue;
    const used = world.attempts.find(
      ({ clientId, minter }) =>
        clientId === deniedClientId && (arrivedAtStop.get(minter) ?? 0) > answeredAtStop,
    );
    if (used) broken.push(`a denied client id is not used: ${deniedClientId} by ${used.minter.name}`);
  }
  for (const { clientId, askedAtStop, answeredAtStop } of allowances) {
    const mayBeDenied = revocations.some(
      ({ deniedClientId, answeredAtStop: deniedAtStop = Number.POSITIVE_INFINITY }) =>
        deniedClientId === clientId && deniedAtStop > askedAtStop,
    );
    if (!Number.isFinite(answeredAtStop) || mayBeDenied) continue;
    if ([...world.secretControls.values()].some((control) => core.isDenied(control, clientId)))
      broken.push(`an allowed client id is not denied: ${clientId}`);
  }
}

/**
 * Tokens that were kept: of one caller's shared slot and one configuration, and of all its sessions. A token that its own minter
 * ended gave its count back, also where the write of its lease had landed and only the answer was lost.
 */
function judgeBudgets({ world, scenario, broken }: Observed): void {
  const kept = world.tokens.filter((token) => !token.crowd && token.loggedOutBy !== token.minter);
  const isShared = ({ key }: MadeToken) => key.session === undefined;
  const ofSessions = ({ key }: MadeToken) => `sessions of ${callerOf(key)}`;
  const budgets = [
    ...[...Map.groupBy(kept.filter(isShared), configurationOf)].map(
      (each) => [...each, scenario.mintsPerTenMinutes] as const,
    ),
    ...[
      ...Map.groupBy(
        kept.filter((made) => !isShared(made)),
        ofSessions,
      ),
    ].map((each) => [...each, scenario.sessionMintsPerTenMinutes] as const),
  ];
  // A login counts from when its lock was taken, by the minter's clock.
  const windowMs = budgetWindowMs - lockMs - skewMs;
  for (const [whose, tokens, budget] of budgets)
    for (const [index, { madeAt }] of tokens.entries()) {
      const oneTooMany = tokens[index + budget];
      if (oneTooMany && oneTooMany.madeAt - madeAt < windowMs)
        broken.push(`no more logins than the budget has: ${whose}`);
    }
}
