/**
 * The questions that people ask of the records, as CloudWatch Logs Insights queries: saved by query-definitions.ts, asked by
 * `looker-token ask`, also of the local run, and explained in docs/reference/audit.md. Import-free, so that all may use it.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData_LogsInsights.html
 *
 * `looker-token status` reads the columns of four of them by name: do-logins-work, does-the-sweeper-run, what-did-rotation-do and
 * is-rotation-on-time.
 *
 * Three things to know before one is changed:
 * - A lease's records are of three kinds: `mint` when Looker made its token, `audit` when the token is given out, `lease_end`
 *   when Looker has confirmed its end. Where they must meet it is `stats … by lease_id`: a join would read everything twice.
 *   Only a `lease_end` has a `unique_id` of its own, so `count(unique_id)` counts confirmed ends. Only the record of a served
 *   request has `lease_ends_at`, so `count(lease_ends_at)` counts these. Both they and a `mint` have `token_sha256`.
 *   A request can have two `audit` records, the second one `late`: requests are counted by their ids.
 * - `latest()` takes the value of the latest event. What it does when that event lacks the field is not documented, so
 *   it stands for fields only that every event has; for others it is `sortsFirst()` and `sortsLast()`.
 * - Times are ISO 8601 text, all of one form and in UTC: sorted as text they are sorted by time.
 */

export interface Placeholder {
  /** As in `{{name}}`: CloudWatch asks for it when the saved query is run. */
  readonly name: string;
  readonly description: string;
}

export interface SavedQuery {
  readonly name: string;
  /** In plain words. */
  readonly asks: string;
  /** How to read the answer. */
  readonly answer: string;
  readonly placeholders: readonly Placeholder[];
  /** Whose log groups it reads: the functions', unless told. */
  readonly reads?: "access log";
  readonly query: string;
}

const tokenSha256: Placeholder = {
  name: "token_sha256",
  description: "SHA-256 of the token in hex, as from: printf %s TOKEN | sha256sum",
};
const leaseId: Placeholder = {
  name: "lease_id",
  description: "The lease's id, as the caller was given it",
};
const caller: Placeholder = {
  name: "caller",
  description: "ARN of the IAM role or user, without path: arn:aws:iam::111122223333:role/report-service",
};
const requestId: Placeholder = {
  name: "request_id",
  description: "The request's id, as the caller has it in the problem or in x-amzn-RequestId",
};
const clientId: Placeholder = {
  name: "client_id",
  description: "The Looker client id whose secret has leaked",
};

export const savedQueries: readonly SavedQuery[] = (
  [
    {
      name: "who-got-this-token",
      asks: "A token was found where it should not be: who was given it, in which scope, when, from where, by which client id?",
      answer:
        "A row of kind `audit` for each place that the token was given to. The row of kind `mint` is the login. If it stands alone, the broker gave the token to nobody. A row without `session` is about the shared lease of the caller's processes. `lease_id` is what to revoke, and what to ask is-this-lease-dead about. No row: the token is not of this broker, or older than the range.",
      placeholders: [tokenSha256],
      query: `
filter token_sha256 = "{{token_sha256}}"
| stats count(lease_ends_at) as times_given, sortsFirst(time) as first_seen, sortsLast(time) as last_seen, sortsLast(token_ends_at) as dead_by by kind, scope, lease_id, client_id, caller.arn, caller.unique_id, session, caller.session_name, source_ip
| sort first_seen asc`,
    },
    {
      name: "is-this-lease-dead",
      asks: "Is the token of this lease dead, and what became of it from its beginning on?",
      answer:
        "A `lease_end` row: Looker has confirmed its end, at `first`. No such row: it may work until `dead_by`, and is dead from then on. A `mint` row without an `audit` row of verb `token`: the token was given to nobody.",
      placeholders: [leaseId],
      query: `
filter lease_id = "{{lease_id}}"
| stats count(*) as records, sortsFirst(time) as first, sortsLast(time) as last, sortsLast(token_ends_at) as dead_by, latest(request_id) as last_request by kind, verb, code, outcome, session
| sort first asc`,
    },
    {
      name: "who-holds-tokens-now",
      asks: "Which tokens may work at this moment, and who holds them?",
      answer:
        "A row for each token that Looker made, whose end Looker has not confirmed, and which is not over. No `holder`: the broker gave it to nobody. Without `holder_session` it is the shared lease of the holder's processes. The range must reach back as far as a Looker token lives: an hour, unless Looker is set otherwise.",
      placeholders: [],
      query: `
filter kind = "lease_end" or ispresent(token_sha256)
| stats count(unique_id) as confirmed_ends, sortsLast(caller.arn) as holder, sortsLast(session) as holder_session, sortsLast(client_id) as got_by, sortsFirst(time) as since, sortsLast(token_ends_at) as dead_by by scope, lease_id
| filter confirmed_ends = 0 and parseDate(dead_by, "yyyy-MM-dd'T'HH:mm:ss.SSSX") > now() * 1000
| sort dead_by desc
| display scope, holder, holder_session, lease_id, got_by, since, dead_by`,
    },
    {
      name: "what-did-this-caller-do",
      asks: "Everything that one caller did, the latest first?",
      answer:
        "A row for each of its requests, refused ones too. Two values of `caller.unique_id`: the role was deleted and made again, and is another caller since.",
      placeholders: [caller],
      query: `
filter kind = "audit" and caller.arn = "{{caller}}"
| sort @timestamp desc
| display time, verb, scope, session, code, outcome, reason, lease_id, caller.unique_id, caller.session_name, source_ip, duration_ms, request_id`,
    },
    {
      name: "what-happened-to-this-request",
      asks: "A caller shows a request id: why was it refused, why did it fail, where did its time go?",
      answer:
        "One row. A second one with `late` is work after the time-out. `lock` names the scope's list that refused it, and `allowed` has the entries of this list. The caller is told neither. No row: API Gateway refused it. Then ask what-the-gateway-refused.",
      placeholders: [requestId],
      query: `
filter kind = "audit" and request_id = "{{request_id}}"
| parse @message /"patterns":\\[(?<allowed>[^\\]]*)\\]/
| display time, late, verb, scope, session, code, status, reason, lock, allowed, caller.arn, caller.unique_id, caller.session_name, source_ip, source_vpce, outcome, lease_id, error, error_at, duration_ms, looker_ms, dynamodb_ms, kms_ms, secretsmanager_ms, wait_ms, unverified_trace_id`,
    },
    {
      name: "who-revoked-or-froze",
      asks: "Who revoked leases, froze or unfroze a scope, or allowed a denied client id, when, and what came of it?",
      answer:
        "A row for each such request, refused ones and dry runs (`counted`) too. `pending`: not confirmed when it was answered; is-this-lease-dead tells of each since. `named_by` `client_id` alone: the id was denied, and `allow` takes that back. `client_id` names it, if Looker has ever taken it. A second row with `late` is work after the time-out.",
      placeholders: [],
      query: `
filter kind = "audit" and verb in ["revoke", "freeze", "unfreeze", "allow"]
| parse @message /"filters":\\[(?<named_by>[^\\]]*)\\]/
| sort @timestamp desc
| display time, late, verb, scope, code, outcome, reason, caller.arn, caller.session_name, named_by, target_caller, issued_before, lease_id, client_id, matched, revoked, pending, request_id`,
    },
    {
      name: "tokens-of-a-client-id",
      asks: "A client secret has leaked: which tokens did the broker get by it, and which of them are not confirmed dead?",
      answer:
        "A row for each token that Looker made; `times_given` 0: the broker gave it to nobody. Those that Looker has not confirmed dead come first, with `confirmed_ends` 0: they are dead from `dead_by` on. Tokens that somebody else got with the secret are in Looker's own logs only.",
      placeholders: [clientId],
      query: `
filter client_id = "{{client_id}}" and (kind = "lease_end" or ispresent(token_sha256))
| stats count(unique_id) as confirmed_ends, count(lease_ends_at) as times_given, sortsLast(caller.arn) as holder, sortsLast(session) as holder_session, sortsFirst(time) as first_seen, sortsLast(token_ends_at) as dead_by by scope, lease_id
| sort confirmed_ends asc`,
    },
    {
      name: "who-is-denied",
      asks: "Who is refused, and by what?",
      answer:
        "A row for each caller, scope, verb and reason, the most frequent first. No `caller.arn`: the identity itself was refused. About refusals by IAM ask what-the-gateway-refused.",
      placeholders: [],
      query: `
filter kind = "audit" and code = "not_allowed"
| stats count(*) as refusals, count_distinct(source_ip) as addresses, sortsFirst(time) as first, sortsLast(time) as last, latest(request_id) as last_request by caller.arn, scope, verb, reason, lock
| sort refusals desc`,
    },
    {
      name: "who-causes-logins",
      asks: "Who makes the broker log in at Looker so often?",
      answer:
        "Logins by hour, scope and caller, the most first. `logins_tried` above `logins_at_looker`: the difference failed. A caller that has many with as many `leases` throws good tokens away, reports them as stale, or takes many `sessions`.",
      placeholders: [],
      query: `
filter kind = "audit" and login_attempts > 0
| fields bin(1h) as hour
| stats sum(login_attempts) as logins_tried, sum(logins) as logins_at_looker, count_distinct(minted_lease_id) as leases, count_distinct(session) as sessions, latest(request_id) as last_request by hour, scope, caller.arn
| sort logins_tried desc`,
    },
    {
      name: "what-goes-wrong",
      asks: "What fails or is slow, since when, how often, and in which dependency?",
      answer:
        "Failures by code, reason, verb and scope, the most frequent first; with `ok`: requests that took more than three seconds, and what a request survived. `orphans`: tokens that perhaps nobody holds; `edited`: rows that somebody else wrote to; `pending_most`: how long a token will have waited for its end at the next try. The `…_most` are milliseconds: ask what-happened-to-this-request about `last_request`.",
      placeholders: [],
      query: `
filter kind = "audit" and (code != "ok" or ispresent(reason) or possible_orphans > 0 or unreadable > 0 or oldest_pending_ms > 0 or (duration_ms > 3000 and verb != "sweep" and verb != "check" and verb != "rotate"))
| stats count_distinct(request_id) as requests, sortsFirst(time) as first, sortsLast(time) as last, sum(possible_orphans) as orphans, sum(unreadable) as edited, max(oldest_pending_ms) as pending_most, max(duration_ms) as duration_most, max(looker_ms) as looker_most, max(dynamodb_ms) as dynamodb_most, max(kms_ms) as kms_most, max(secretsmanager_ms) as secretsmanager_most, max(wait_ms) as wait_most, latest(request_id) as last_request by code, reason, verb, scope
| sort requests desc`,
    },
    {
      name: "do-logins-work",
      asks: "Does Looker answer the logins of each scope, and take its credentials?",
      answer:
        "The first row of a scope is its latest. Without `mint_failure` its logins work. With `looker_rejected_credentials` Looker refuses the pair, or an operator denied it. With `looker_unavailable` Looker does not answer. `why` says more. Without a row nobody needed a login.",
      placeholders: [],
      query: `
filter kind = "audit" and ispresent(scope) and (ispresent(mint_failure) or logins > 0)
| stats count_distinct(request_id) as requests, sortsFirst(time) as first, sortsLast(time) as last, sortsLast(reason) as why, latest(request_id) as last_request by scope, mint_failure
| sort last desc`,
    },
    {
      name: "does-the-sweeper-run",
      asks: "When did the sweeper last run, and what came of it?",
      answer:
        "One row, with `code` ok and a `last` of the past minute or two, is right. `pending_most`: how long a token will have waited for its end at the next try. `lag_most`: how late the sweeper came. Both are milliseconds.",
      placeholders: [],
      query: `
filter kind = "audit" and verb = "sweep"
| stats count_distinct(request_id) as sweeps, sortsFirst(time) as first, sortsLast(time) as last, sum(logouts) as ended, max(pending) as not_ended_most, max(oldest_pending_ms) as pending_most, max(sweep_lag_ms) as lag_most by code, reason
| sort last desc`,
    },
    {
      name: "what-did-rotation-do",
      asks: "Each step of a rotation, and each change of an old pair, the latest first?",
      answer:
        "`outcome` failed has a `reason`. Step `finishSecret` with `done`: the new pair is in use. Step `retire` with `denied`: the old pair is not used any more, with `deleted`: Looker has deleted it. Steps come minutes or days apart, so ask about days.",
      placeholders: [],
      query: `
filter kind = "rotation"
| sort @timestamp desc
| display time, secret, step, outcome, reason, client_id, version`,
    },
    {
      name: "is-rotation-on-time",
      asks: "Is a rotation overdue, or an old pair still at Looker?",
      answer:
        "`overdue_now`: secrets that should have been rotated two days ago, or whose rotation is switched off. `unretired_now`: old pairs that are in the queue for more than two days. No row: no secret has `rotation`.",
      placeholders: [],
      query: `
filter kind = "audit" and verb = "retire" and ispresent(overdue) and ispresent(unretired)
| stats latest(overdue) as overdue_now, latest(unretired) as unretired_now, sortsLast(time) as last by broker
| sort last desc`,
    },
    {
      name: "what-crashed",
      asks: "Which functions crashed or ran out of time?",
      answer:
        "A row for each line of Lambda's own. Such a request has no record. `@log` ends in the function's log group.",
      placeholders: [],
      query: `
filter @message like /Task timed out|Runtime\\.|errorType/
| sort @timestamp desc
| display @timestamp, @log, @message`,
    },
    {
      name: "what-the-gateway-refused",
      asks: "What did API Gateway answer by itself, and to whom?",
      answer:
        "A row for each answer, caller and address, the most frequent first. `THROTTLED`: above `throttle` or the account's quota. API Gateway may leave many of them out of its log. `ACCESS_DENIED`: IAM. `user_arn` is `-` where the signature was not good.",
      placeholders: [],
      reads: "access log",
      query: `
filter error != "-"
| stats count(*) as requests, latest(time) as last, latest(request_id) as last_request by error, status, user_arn, source_ip
| sort requests desc`,
    },
  ] satisfies SavedQuery[]
).map((saved) => ({ ...saved, query: saved.query.trim() }));
