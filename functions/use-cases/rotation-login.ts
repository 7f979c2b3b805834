/** Logins of a rotation. Each is an attempt on its secret's control item, and its token is logged out before the step ends. */
import { type LoginOptions, planLogin } from "../domain/control.ts";
import { loginTimeoutMs } from "../domain/lease.ts";
import { type LoginAttempt, recordAttempt, throttledUntil, writeAhead } from "./attempt.ts";
import { logoutNeedsMs, timeForLogout } from "./end-tokens.ts";
import type { Asked } from "./ports.ts";
import { count } from "./record.ts";
import {
  RotationFailure,
  type RotationJob,
  type RotationPorts,
  type RotationReason,
} from "./rotation-job.ts";
import type { StoredPair } from "./rotation-ports.ts";

/** Of one question to Looker. */
export const askTimeoutMs = 5_000;

/** A pair with its secret, and the name of its failures. */
export interface LoginAs extends LoginOptions {
  readonly secretId: string;
  readonly pair: StoredPair;
  readonly rejected: RotationReason;
}

/** Looker's answers to one token. */
export interface Conversation {
  /**
   * @param refused the reason for each refusing status
   * @throws {RotationFailure}
   */
  ask<Value>(
    question: (baseUrl: string, token: string) => Promise<Asked<Value>>,
    refused?: (status: number) => RotationReason,
  ): Promise<Value>;
}

const refusedAs = (status: number): RotationReason =>
  status === 403 || status === 404 ? "needs_administrator" : "looker_unavailable";

/** The token is logged out on every path. */
export async function withLogin<Result>(
  ports: RotationPorts,
  job: RotationJob,
  as: LoginAs,
  work: (looker: Conversation) => Promise<Result>,
): Promise<Result> {
  const { clock } = ports;
  const { secret, deadline, audit } = job;
  const { baseUrl } = secret;
  const token = await logIn(ports, job, as);
  const ask: Conversation["ask"] = async (question, refused = refusedAs) => {
    if (clock.now() + askTimeoutMs + logoutNeedsMs > deadline) throw unavailable("out_of_time");
    const answer = await question(baseUrl, token);
    switch (answer.kind) {
      case "ok":
        return answer.value;
      case "refused":
        throw new RotationFailure(refused(answer.status), { detail: `status_${answer.status}` });
      default:
        throw unavailable(answer.reason);
    }
  };
  try {
    return await work({ ask });
  } finally {
    if (await endToken(ports, job, token)) count(audit, "logouts");
    else count(audit, "possible_orphans");
  }
}

export const unavailable = (detail: string) => new RotationFailure("looker_unavailable", { detail });

async function logIn(ports: RotationPorts, job: RotationJob, as: LoginAs): Promise<string> {
  const { clock, ids, table, looker } = ports;
  const { secret, deadline, audit } = job;
  const { secretId, pair, rejected } = as;
  const { baseUrl } = secret;
  const credential = { baseUrl, versionId: pair.versionId, clientId: pair.clientId };
  const attempt: LoginAttempt = { secretId, credential, owner: ids.next() };
  const plan = planLogin(await table.secretControls.read(secretId), credential, clock.now(), as);
  const isAhead = plan.kind === "log_in" && plan.writeAhead;
  const against = isAhead ? await writeAhead(ports, attempt, deadline, as) : plan;
  if (against && against.kind !== "log_in") {
    if (against.kind !== "denied") count(audit, "lockouts_avoided");
    // An unanswered login proves nothing: only Looker can reject a pair.
    if (against.kind === "rejected" || against.kind === "denied")
      throw new RotationFailure(rejected, { detail: against.kind });
    throw unavailable(against.kind);
  }
  const record = (outcome: Parameters<typeof recordAttempt>[2]) =>
    recordAttempt(ports, attempt, outcome, deadline - logoutNeedsMs);
  if (clock.now() + loginTimeoutMs + logoutNeedsMs > deadline) {
    if (isAhead) await record({ kind: "not_tried" });
    throw unavailable("out_of_time");
  }
  count(audit, "login_attempts");
  const answer = await looker.login(baseUrl, pair);
  switch (answer.kind) {
    case "token":
      count(audit, "logins");
      await worked(ports, job, answer.accessToken, isAhead ? record : undefined);
      return answer.accessToken;
    case "rejected":
      await record({ kind: "rejected" });
      throw new RotationFailure(rejected);
    case "throttled":
      await record({ kind: "throttled", until: throttledUntil(answer.retryAfterSeconds, clock.now()) });
      throw unavailable("throttled");
    case "unreached":
      await record({ kind: "not_tried" });
      throw unavailable(answer.reason);
    case "failed": {
      const { reason, unusableToken, tokenLost = false } = answer;
      const ended = unusableToken === undefined ? !tokenLost : await endToken(ports, job, unusableToken);
      if (!ended) count(audit, "possible_orphans");
      throw unavailable(reason);
    }
    case "unknown":
      count(audit, "possible_orphans");
      throw unavailable(answer.reason);
  }
}

/** A token is in hand. If its login cannot be recorded, the token is ended first. */
async function worked(
  ports: RotationPorts,
  job: RotationJob,
  token: string,
  record: ((outcome: { kind: "worked" }) => Promise<void>) | undefined,
): Promise<void> {
  try {
    await record?.({ kind: "worked" });
  } catch (error) {
    if (!(await endToken(ports, job, token))) count(job.audit, "possible_orphans");
    throw error;
  }
}

/** @returns whether Looker confirmed it */
async function endToken(
  { clock, looker }: RotationPorts,
  { secret, deadline }: RotationJob,
  token: string,
): Promise<boolean> {
  for (;;) {
    const outcome = await looker.logout(secret.baseUrl, token);
    if (outcome === "ended") return true;
    if (outcome === "not_tried" || !timeForLogout(clock, deadline - 1_000)) return false;
    await clock.sleep(1_000);
  }
}
