/** Every option of every command: what it takes, and its line of help. */

export const options = {
  scope: { takes: "NAME", help: "the scope; also from LOOKER_BROKER_SCOPE" },
  "all-scopes": { help: "every scope that you operate" },
  endpoint: { takes: "URL", help: "the broker's API with its stage; also from LOOKER_BROKER_ENDPOINT" },
  region: { takes: "NAME", help: "the API's AWS region, where neither the endpoint nor AWS_REGION tells" },
  local: { help: "the broker that `npm start` runs, found by .local/broker.json" },
  as: { takes: "NAME", help: "with --local: this principal; without it the first that may do it" },
  json: { help: "print JSON, errors as well (to stderr)" },
  help: { help: "print this" },
  header: { help: "print a header: Authorization: Bearer …" },
  env: { help: 'print for a shell: eval "$(looker-token get --env)"' },
  "min-ttl": { takes: "SECONDS", help: "life that the token must have left (60); at most half a lease" },
  "token-file": {
    takes: "PATH",
    help: "keep a good token in this file (mode 0600) while the command runs; its path is in LOOKER_TOKEN_FILE",
  },
  keep: { help: "end no lease afterwards" },
  end: { help: "end every lease that the command was given, even if it was there before" },
  "lease-id": { takes: "ID", help: "this lease" },
  caller: { takes: "ARN", help: "leases of this role or user: arn:aws:iam::111122223333:role/name" },
  "issued-before": {
    takes: "TIME",
    help: "leases from before 2026-11-24T13:00:00Z, or from before 30m ago by the broker's clock",
  },
  "client-id": {
    takes: "ID",
    help: "leases of this Looker client id; given alone it also denies the id to new logins",
  },
  all: { help: "everything in the scope" },
  "dry-run": { help: "only count" },
  yes: { help: "do not ask" },
  wait: { takes: "SECONDS", help: "how long to follow what is pending (60); 0 does not wait" },
  reason: { takes: "TEXT", help: "for whoever will unfreeze it: 1 to 256 characters on one line" },
} as const satisfies Record<string, { takes?: string; help: string }>;

export type OptionName = keyof typeof options;

/** A text for an option that takes a value, `true` for one that does not. */
export type OptionValues = {
  readonly [Name in OptionName]?: (typeof options)[Name] extends { takes: string } ? string : boolean;
};
