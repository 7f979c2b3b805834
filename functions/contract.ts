/**
 * The names that infrastructure and functions must agree on. Import-free, so that both sides may use it.
 */

/** Environment variables that the construct sets and the entry files read. */
export const environment = {
  tableName: "TABLE_NAME",
  sealingKeyArn: "SEALING_KEY_ARN",
  /** The REST API's id: handlers refuse events of any other. */
  apiId: "API_ID",
  /** The one deployed stage: handlers refuse `test-invoke-stage` and any other. */
  apiStage: "API_STAGE",
  /** The broker's own account: a secret of it is named by name, never by ARN. */
  accountId: "ACCOUNT_ID",
  /** Which broker of the account and region this is, in records and metrics. */
  brokerName: "BROKER_NAME",
} as const;

/** CloudWatch metrics. The functions emit them with their records, all but one. All have the dimension `broker`. */
export const metricNamespace = "LookerTokenBroker";

/**
 * Counts, but for what ends in `Latency`, `Lag` or `Age`, which are milliseconds. No dimension ever holds a caller or
 * anything else that grows with use: each combination of name and dimensions is paid for.
 */
export const metricNames = {
  /** Token requests: served from the table, with a login of their own, after waiting for another's login. */
  hits: "Hits",
  mints: "Mints",
  waits: "Waits",
  /** Token requests that met a secret which Looker rejects, were they served by a lease that is still good or not. */
  rejectedCredentials: "RejectedCredentials",
  /** Token requests with a login that Looker did not answer or put off. Callers with a live lease are counted too. */
  lookerUnavailable: "LookerUnavailable",
  /** Logins tried at Looker, including failures. */
  loginAttempts: "LoginAttempts",
  /** By `code`: answers that are problems. */
  failures: "Failures",
  /** By `verb`: the function's own time for a request. */
  latency: "Latency",
  lookerLatency: "LookerLatency",
  dynamodbLatency: "DynamoDBLatency",
  kmsLatency: "KMSLatency",
  secretsManagerLatency: "SecretsManagerLatency",
  /** Tokens whose end Looker confirmed. */
  confirmedLogouts: "ConfirmedLogouts",
  /** Of one sweep: tokens that it could not end; the oldest age of one at its next try; how late the longest due row was. */
  pendingLogouts: "PendingLogouts",
  oldestPendingLogoutAge: "OldestPendingLogoutAge",
  sweepLag: "SweepLag",
  /** Sweeps that came to their end. */
  sweeps: "Sweeps",
  /** Tokens that Looker ended by itself before it confirmed a logout. */
  expiredUnconfirmed: "ExpiredUnconfirmed",
  possibleOrphans: "PossibleOrphans",
  lockOutsAvoided: "LockOutsAvoided",
  budgetRefusals: "BudgetRefusals",
  /** Rows that were edited, swapped, or written by a newer version. */
  unreadableRows: "UnreadableRows",
  /** Of each hourly run, over all scopes: findings about service accounts that the scopes do not accept. */
  accountFindings: "AccountFindings",
  /** Of each hourly run: scopes whose last check did not work. */
  accountChecksFailed: "AccountChecksFailed",
  /** Steps of a rotation that failed, retirements included. */
  rotationFailures: "RotationFailures",
  /** Of one retirement run: secrets whose rotation is two days late, and old pairs that wait for more than two days. */
  rotationOverdue: "RotationOverdue",
  unretiredPairs: "UnretiredPairs",
  /** Requests and sweeps with work after their early time-out. */
  lateRecords: "LateRecords",
  /** Requests that API Gateway refused by a throttle. No function ran: a filter of the access log counts them. */
  gatewayThrottles: "GatewayThrottles",
} as const;

export type MetricName = (typeof metricNames)[keyof typeof metricNames];

export const metricDimensions = { broker: "broker", code: "code", verb: "verb" } as const;

/** The stage that is deployed; part of the endpoint's URL. */
export const stageName = "v1";

/** The one table (design: "Rows"). All keys are strings but `due_at` and `ttl`, which are epoch seconds. */
export const table = {
  partitionKey: "pk",
  sortKey: "sk",
  ttl: "ttl",
  /** Sparse KEYS_ONLY index of what the sweeper must look at, by time. */
  dueIndex: { name: "due", partitionKey: "due_shard", sortKey: "due_at" },
} as const;

/**
 * The encryption context that every sealed token is bound to: exactly these keys. The roles' policies name them, so
 * that no function can seal or open anything under another context.
 */
export const sealContextKeys = [
  "table",
  "scope",
  "account",
  "caller",
  "session",
  "lease_id",
  "base_url",
  "client_id",
] as const;

/** In that context, the account check's own tokens (functions/domain/account-check.ts). */
export const sealContextOfChecks = { account: "000000000000", caller: "CHECKACCOUNT" } as const;

/** The compiled scopes, written beside each bundle that needs them: Lambda's environment holds only 4 KB. */
export const scopesFile = "scopes.json";

/** The routes of the HTTP interface, as API Gateway names them in `event.resource`. */
export const resources = {
  token: "/scopes/{scope}/token",
  logout: "/scopes/{scope}/logout",
  scopes: "/scopes",
  leases: "/scopes/{scope}/leases",
  freeze: "/scopes/{scope}/freeze",
  denial: "/scopes/{scope}/denials/{client_id}",
  account: "/scopes/{scope}/account",
} as const;
