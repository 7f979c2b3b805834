/**
 * Checks the scopes' service accounts. A check is a caller of its own: it gets a lease as all callers do, asks Looker three
 * questions with its token, and ends the lease.
 *
 *   due? ──▶ issueToken ──▶ GET /user, GET /users/{id}, GET /users/{id}/roles ──▶ logout ──▶ row
 */
import type { AccountFacts } from "../domain/account.ts";
import {
  type AccountCheck,
  checkCaller,
  type FailedCheck,
  isDue,
  openFindings,
  withFacts,
  withFailure,
} from "../domain/account-check.ts";
import { Problem } from "../domain/problem.ts";
import { noRotation } from "../domain/rotation.ts";
import type { Scope, Scopes } from "../domain/scope.ts";
import { commit } from "./commit.ts";
import { type IssuedToken, issueToken } from "./issue.ts";
import { mintNeedsMs } from "./mint.ts";
import type { MintPorts } from "./mint-job.ts";
import { forEachParallel } from "./pool.ts";
import {
  type Asked,
  type BrokerTable,
  type LookerUsers,
  type SlotKey,
  Unavailable,
  Unreadable,
  UnusableSecret,
} from "./ports.ts";
import { type AuditFields, addWork, type CheckedScope, count } from "./record.ts";
import { endFenced, fenceEach } from "./revoke-slots.ts";
import { rotatingSecrets } from "./rotation-job.ts";

export interface CheckPorts extends MintPorts {
  readonly table: BrokerTable;
  readonly users: LookerUsers;
}

export interface CheckJob {
  readonly scopes: Scopes;
  /** Epoch milliseconds. */
  readonly deadline: number;
  readonly audit: AuditFields;
}

/** Checks under way at once. The same Looker also serves people. */
const parallelChecks = 4;
/** The three questions take this long at most. */
const questionsNeedMs = 15_000;

/** Checks each scope that is due while time is left. One scope's failure keeps no other scope from its check. */
export async function checkAccounts(ports: CheckPorts, { scopes, deadline, audit }: CheckJob): Promise<void> {
  let [findings, failed] = [0, 0];
  const rotating = rotatingSecrets(scopes.values());
  const bySecret = Map.groupBy(scopes.values(), ({ secretId }) => secretId);
  await forEachParallel(bySecret, parallelChecks, async ([secretId, users]) => {
    // One after the other: the first login with a new version of the secret keeps others from theirs.
    for (const user of users) {
      // The rotation may stand in another scope of the secret.
      const scope = { ...user, rotation: rotating.get(secretId) };
      const own: AuditFields = {};
      const row = await checkScope(ports, scope, deadline, own);
      findings += row ? openFindings(row, scope).length : 0;
      failed += row && row.failed === undefined ? 0 : 1;
      addWork(audit, own);
    }
  });
  Object.assign(audit, { outcome: "checked", account_findings: findings, account_checks_failed: failed });
}

/** @returns the row after the check, or as it was if no check is due. Undefined if the table cannot be used. */
async function checkScope(
  ports: CheckPorts,
  scope: Scope,
  deadline: number,
  audit: AuditFields,
): Promise<AccountCheck | undefined> {
  const { accountChecks } = ports.table;
  try {
    const row = await accountChecks.read(scope.name);
    const outcome = await checkIfDue(ports, scope, row, deadline, audit);
    if (outcome === undefined) return row;
    const step = (stored: AccountCheck, now: number) => {
      const next =
        "reason" in outcome ? withFailure(stored, outcome, now) : withFacts(stored, outcome, scope, now);
      return { next, outcome: next };
    };
    const checked = await commit(accountChecks, scope.name, step, { ...ports, start: row, deadline });
    audit.account_checks = [recordOf(scope, checked)];
    return checked;
  } catch (error) {
    if (error instanceof Unreadable) count(audit, "unreadable");
    else if (!(error instanceof Unavailable)) throw error;
    const reason = error instanceof Unavailable ? error.reason : "row_unreadable";
    audit.account_checks = [{ scope: scope.name, reason }];
    return undefined;
  }
}

type Outcome = AccountFacts | Omit<FailedCheck, "at">;

/** @returns undefined if no check is due or possible now: too little time is left, or an operator has frozen the scope */
async function checkIfDue(
  ports: CheckPorts,
  scope: Scope,
  row: AccountCheck,
  deadline: number,
  audit: AuditFields,
): Promise<Outcome | undefined> {
  const { clock, secrets } = ports;
  try {
    const { clientId } = await secrets.current(scope.secretId);
    if (!isDue(row, scope, clientId, clock.now())) return undefined;
    if (deadline - clock.now() < mintNeedsMs + questionsNeedMs) return undefined;
    const key: SlotKey = { scope: scope.name, account: checkCaller.account, uniqueId: checkCaller.uniqueId };
    const { callerArn } = checkCaller;
    const request = { scope, key, callerArn, minTtlSeconds: 30, deadline, audit };
    const token = await issueToken(ports, request);
    try {
      const { rotation = noRotation } = await ports.table.secretControls.read(scope.secretId);
      const replaced = rotation.retiring.filter(({ movedAt }) => movedAt !== undefined);
      const retiring = new Set(replaced.map((pair) => pair.clientId));
      return await askLooker(ports.users, token, { clientId: audit.client_id ?? clientId, retiring });
    } finally {
      await endLease(ports, key, token.leaseId, { deadline, audit });
    }
  } catch (error) {
    const asked = false;
    if (error instanceof UnusableSecret) return { reason: `secret_${error.reason}`, asked };
    if (error instanceof Unavailable) return { reason: error.reason, asked };
    if (!(error instanceof Problem)) throw error;
    // A freeze is nobody's fault.
    if (error.code === "scope_frozen") return undefined;
    return { reason: audit.reason ?? error.reason ?? error.code, asked };
  }
}

async function askLooker(
  users: LookerUsers,
  { baseUrl, accessToken }: IssuedToken,
  pairs: Pick<AccountFacts, "clientId" | "retiring">,
): Promise<Outcome> {
  const me = await users.me(baseUrl, accessToken);
  if (me.kind !== "ok") return failureOf("user", me);
  const { id } = me.value;
  const account = await users.account(baseUrl, accessToken, id);
  if (account.kind !== "ok" && !isHidden(account)) return failureOf("account", account);
  const roles = await users.roles(baseUrl, accessToken, id);
  if (roles.kind !== "ok" && !isHidden(roles)) return failureOf("roles", roles);
  return {
    ...pairs,
    account: account.kind === "ok" ? account.value : { ...me.value, credentials: [] },
    roles: roles.kind === "ok" ? roles.value : [],
    hidden: [
      ...(account.kind === "ok" ? [] : ["account" as const]),
      ...(roles.kind === "ok" ? [] : ["roles" as const]),
    ],
  };
}

/** Looker answers 404, and perhaps 403, if the account may not see this. */
const isHidden = (asked: Asked<unknown>): boolean =>
  asked.kind === "refused" && (asked.status === 404 || asked.status === 403);

function failureOf(
  question: "user" | "account" | "roles",
  failure: Exclude<Asked<unknown>, { kind: "ok" }>,
): Omit<FailedCheck, "at"> {
  // An operator has ended the lease meanwhile.
  if (failure.kind === "refused" && failure.status === 401) return { reason: "token_ended", asked: true };
  const why = failure.kind === "refused" ? `status_${failure.status}` : failure.reason;
  return { reason: `${question}_${why}`, asked: true };
}

/** An unconfirmed end is left to the sweeper, as for all callers. */
async function endLease(
  ports: CheckPorts,
  key: SlotKey,
  leaseId: string,
  job: { deadline: number; audit: AuditFields },
): Promise<void> {
  async function* own() {
    yield { key, slot: await ports.table.slots.read(key) };
  }
  try {
    const fenced = await fenceEach(ports, own(), { leaseId }, job);
    await endFenced(ports, fenced.slots, job);
  } catch (error) {
    // The lease ends by its own time.
    if (!(error instanceof Unavailable)) throw error;
    job.audit.reason = error.reason;
  }
}

function recordOf(scope: Scope, { checked, failed }: AccountCheck): CheckedScope {
  if (failed || !checked) return { scope: scope.name, reason: failed?.reason };
  const { clientId, userId, findings, hidden } = checked;
  const codes = findings.map(({ code }) => code);
  const accepted = codes.filter((code) => scope.account?.accept?.includes(code));
  return {
    scope: scope.name,
    client_id: clientId,
    user_id: userId,
    findings: codes.filter((code) => !accepted.includes(code)),
    ...(accepted.length > 0 && { accepted }),
    ...(hidden.length > 0 && { hidden }),
  };
}
