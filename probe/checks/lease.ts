/** What must work: a lease, the same one on asking again, and its end. In order, since each step needs the last one's. */
import { setTimeout as sleep } from "node:timers/promises";
import { notTried, type Result, result } from "../check.ts";
import type { GrantedScope, ProbeContext } from "../context.ts";
import { type Answer, describeAnswer } from "../request.ts";
import { sendHttp } from "../send.ts";
import { tokenPath } from "./verbs.ts";

interface Lease {
  readonly id: string;
  /** Goes to Looker and nowhere else. */
  readonly token: string;
}

export async function leaseLifecycle(context: ProbeContext): Promise<Result[]> {
  const { scope, looker, logout } = context;
  const first = await ask(context);
  const begun = result(
    "a token",
    `200, not stored, 1 to ${scope.lease_seconds} s`,
    describeAnswer(first),
    tokenProblem(first, scope),
  );
  const held = leaseOf(first);
  if (begun.outcome === "surprise" || !held) return [begun];

  const results = [begun, await askAgain(context, held)];
  results.push(
    looker
      ? await atLooker(scope, held, 200)
      : notTried({ what: "the token at Looker, and after its end", flag: "--looker" }),
  );
  if (!logout) return [...results, notTried({ what: "the end of the lease", flag: "--logout" })];
  results.push(await end(context, held));
  if (looker) results.push(await atLooker(scope, held, 401));
  return [...results, await endAgain(context, held), await another(context, held)];
}

const ask = ({ send, scope }: ProbeContext) => send({ method: "POST", path: tokenPath(scope.scope) });

const logOut = ({ send, scope }: ProbeContext, { id }: Lease) =>
  send({ method: "POST", path: `/scopes/${scope.scope}/logout`, body: JSON.stringify({ lease_id: id }) });

function leaseOf({ json }: Answer): Lease | undefined {
  const { lease_id: id, access_token: token } = json;
  return typeof id === "string" && typeof token === "string" ? { id, token } : undefined;
}

function tokenProblem({ status, headers, json }: Answer, scope: GrantedScope): string | undefined {
  if (status !== 200) return "";
  const { expires_in, token_type } = json;
  if (headers["cache-control"] !== "no-store") return "Cache-Control is not no-store";
  if (token_type !== "Bearer") return "token_type is not Bearer";
  if (typeof expires_in !== "number" || !(expires_in >= 1 && expires_in <= scope.lease_seconds))
    return "expires_in is out of bounds";
  if (json.scope !== scope.scope) return "another scope";
  if (json.base_url !== scope.base_url) return "another base_url than who am I told";
  return undefined;
}

/** Between two requests a lease may grow old enough to be renewed, or another session may end it; not each time. */
async function askAgain(context: ProbeContext, held: Lease): Promise<Result> {
  const again = await ask(context);
  const renewed = leaseOf(again);
  const last = renewed && renewed.id !== held.id ? await ask(context) : again;
  const same = last === again ? held.id : renewed?.id;
  return result(
    "a token again",
    "200, the same lease",
    describeAnswer(last),
    last.status === 200 && leaseOf(last)?.id === same ? undefined : "another lease",
  );
}

async function end(context: ProbeContext, lease: Lease): Promise<Result> {
  const answers = [await logOut(context, lease)];
  for (let wait = 1; answers.at(-1)?.status === 202 && wait <= 5; wait++) {
    await sleep(1_000);
    answers.push(await logOut(context, lease));
  }
  const [first, last] = [answers[0] as Answer, answers.at(-1) as Answer];
  const { revoked, pending } = last.json;
  // Whoever was pending may have been ended by the sweeper in between.
  const done = last.status === 200 && pending === 0 && (revoked === 1 || first.status === 202);
  return result("logout of the lease", "200, 1 revoked, 0 pending", counts(last), done ? undefined : "");
}

async function endAgain(context: ProbeContext, lease: Lease): Promise<Result> {
  const answer = await logOut(context, lease);
  const { revoked, pending } = answer.json;
  const idempotent = answer.status === 200 && revoked === 0 && pending === 0;
  return result("logout once more", "200, 0 revoked, 0 pending", counts(answer), idempotent ? undefined : "");
}

async function another(context: ProbeContext, ended: Lease): Promise<Result> {
  const answer = await ask(context);
  const lease = leaseOf(answer);
  const wrong = answer.status === 200 && lease && lease.id !== ended.id ? undefined : "no other lease";
  return result("a token after that", "200, another lease", describeAnswer(answer), wrong);
}

const counts = (answer: Answer) =>
  answer.status < 300
    ? `${answer.status}, ${answer.json.revoked} revoked, ${answer.json.pending} pending`
    : describeAnswer(answer);

async function atLooker(scope: GrantedScope, { token }: Lease, expected: number): Promise<Result> {
  const url = new URL(scope.base_url);
  const headers = { host: url.host, authorization: `Bearer ${token}` };
  const answer = await sendHttp(url, "GET", "/api/4.0/user", headers);
  const what = expected === 200 ? "the token at Looker" : "the token at Looker, after its logout";
  return result(
    what,
    `${expected} of Looker`,
    describeAnswer(answer),
    answer.status === expected ? undefined : "",
  );
}
