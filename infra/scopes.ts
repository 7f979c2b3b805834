/**
 * The scopes of this broker: the one file that its operators edit. A change here is a reviewed change of who may
 * reach which Looker data. `npm run synth` checks it and names scope and field of whatever is wrong.
 *
 * A Looker token can do all that its Looker user can. What keeps scopes apart is therefore one Looker service
 * account each, with the least privilege that does the job.
 */
import type { ScopeDefinitions } from "./index.ts";
import type { BrokerSettings } from "./stack.ts";

export const scopes = {
  // The name is part of the path, `POST /scopes/sales/token`, and of the IAM policies that grant it.
  sales: {
    // Origin of the Looker instance. Callers get it back as `base_url` with each token.
    lookerUrl: "https://example.cloud.looker.com",

    // The service account's API credentials: a Secrets Manager secret that holds
    //   {"client_id": "…", "client_secret": "…"}
    // and exists already. The broker only reads it, unless it rotates. Its name, if it is in the broker's account and region:
    secret: {
      secretName: "looker/sales",
      // Secrets Manager replaces the pair every 30 days, by an administrator's pair: docs/how-to/rotate.md.
      // rotation: { everyDays: 30, administrator: { secretName: "looker/rotator" } },
    },

    // The rights that the service account should have. The account check reports other rights: docs/how-to/least-privilege.md.
    account: { permissions: ["access_data", "see_lookml_dashboards", "see_looks"], models: ["sales"] },

    // Who may fetch tokens and end their own. IAM role or user ARNs without path; `*` and `?` work in the name
    // only, and the account is one account. These *and* the caller's own IAM policy must allow a call.
    callers: [
      "arn:aws:iam::111122223333:role/report-service",
      "arn:aws:iam::111122223333:role/nightly-*",
      // People of an IAM Identity Center permission set: one caller, whoever of them it is.
      "arn:aws:iam::111122223333:role/AWSReservedSSO_SalesAnalyst_*",
    ],

    // Who may list and revoke everybody's leases in this scope, and freeze it. Never empty: someone must be able to.
    operators: ["arn:aws:iam::111122223333:role/platform-engineer"],

    // A lease ends after this many seconds, even if Looker would let its token live on: 120 to 3600, default 900.
    leaseSeconds: 900,

    // Logins that one caller may cause in ten minutes, by reporting tokens stale or logging out: 1 to 60, default 10.
    mintsPerTenMinutes: 10,

    // Logins of all sessions of one caller in ten minutes: 0 to 600, default 60. 0 switches sessions off.
    sessionMintsPerTenMinutes: 60,
  },

  finance: {
    lookerUrl: "https://example.cloud.looker.com",
    secret: {
      // A secret of another account goes by its full ARN, and needs a customer managed KMS key.
      secretArn: "arn:aws:secretsmanager:us-east-1:444455556666:secret:looker/finance-a1B2c3",
      // The key that encrypts the secret, where it is not the account's own `aws/secretsmanager`: the broker is
      // granted `kms:Decrypt` on it, through Secrets Manager and for this secret only.
      encryptionKeyArn: "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    },
    // A caller may live in another account than the broker.
    callers: ["arn:aws:iam::777788889999:role/finance-service"],
    operators: ["arn:aws:iam::111122223333:role/platform-engineer"],
    leaseSeconds: 300,
  },
} satisfies ScopeDefinitions;

/**
 * How this broker is deployed, beside its scopes. Everything has a default. docs/reference/settings.md lists all,
 * docs/how-to/deploy.md has the longer tasks. The stack is given so that what exists already can be looked up.
 */
export const settings: BrokerSettings = (_stack) => ({
  // Nobody outside of the organisation may call, whatever the scopes say.
  // organizationId: "o-a1b2c3d4e5",
  // The first API of an account and region that writes logs needs a role for it: "create", once.
  // cloudWatchRole: "create",
  // Who may read and write rows beside the functions, in an emergency.
  // breakGlassArns: ["arn:aws:iam::111122223333:role/break-glass"],
  // Who is told of alarms (`import { Topic } from "aws-cdk-lib/aws-sns"`), and where they find the runbook.
  // alarmTopic: Topic.fromTopicArn(_stack, "AlarmTopic", "arn:aws:sns:us-east-1:111122223333:on-call"),
  // runbookUrl: "https://git.example.com/looker-token-broker/blob/main/docs/how-to/runbook.md",
  // From how many logins in five minutes on somebody is woken; docs/reference/settings.md has the other thresholds.
  // alarms: { mintsPerFiveMinutes: 300 },
  // Policies for the organisation that keep everybody but the deployment away from all this (SECURITY.md).
  // guard: { pipelineArns: ["arn:aws:iam::111122223333:role/ci/deploy"] },
});
