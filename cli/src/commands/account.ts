/** `looker-token account`: whether a scope's service account may do too much. */
import {
  type AccountCheck,
  accountOf,
  type Finding,
  findingCount,
  openFindings,
  type Role,
} from "../account.ts";
import { brokerOf } from "../broker.ts";
import type { Paint } from "../colour.ts";
import { field } from "../field.ts";
import { nextStepFor } from "../next-step.ts";
import type { OptionValues } from "../options.ts";
import { inEachScope, noteFailures, operatorGrant, scopesJson, succeeded, targetScopes } from "../targets.ts";
import type { Terminal } from "../terminal.ts";
import { span } from "../time.ts";

export async function account(io: Terminal, values: OptionValues): Promise<number> {
  const broker = brokerOf(io, values, operatorGrant(values));
  const all = await inEachScope(await targetScopes(values, broker), (scope) => accountOf(broker, scope));
  if (values.json) io.print(`${JSON.stringify({ scopes: scopesJson(all, (check) => check) }, null, 2)}\n`);
  else
    io.print(
      succeeded(all)
        .map(({ scope, value }) => accountText(scope, value, broker.now(), io.paint))
        .join("\n"),
    );
  return noteFailures(io, values, all);
}

const whenNeverChecked =
  "The broker looks for accounts to check once an hour, so wait an hour. If nothing comes: runbook, account-check-failed. The setting accountCheck: false switches all checks off.";

/** `now`: the broker's. */
export function accountText(scope: string, check: AccountCheck, now: number, paint: Paint): string {
  const open = openFindings(check);
  const accepted = check.findings.filter((finding) => !open.includes(finding));
  const parts = [
    [
      `${paint("bold", scope)}  ${paint(open.length > 0 ? "yellow" : "bold", verdict(check, open.length, accepted.length))}\n`,
    ],
    checkLines(check, now),
    ...open.map((finding) => findingLines("Finding", finding, paint)),
    ...accepted.map((finding) => findingLines("Accepted", finding, paint)),
    hiddenLines(check.hidden),
    failureLines(check, now, paint),
    check.checked_at === null && !check.failed ? field("Next", whenNeverChecked) : [],
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join(""))
    .join("\n");
}

function verdict({ checked_at, hidden, failed }: AccountCheck, open: number, accepted: number): string {
  if (checked_at === null) return failed ? "never checked, the last try failed" : "never checked";
  const found = open === 0 ? "no findings" : findingCount(open);
  return [
    found,
    ...(accepted > 0 ? [`${accepted} accepted`] : []),
    ...(hidden.length > 0 ? ["not all was visible"] : []),
    ...(failed ? ["the last check failed"] : []),
  ].join(", ");
}

function checkLines({ checked_at, user, client_id, roles, hidden }: AccountCheck, now: number): string[] {
  if (checked_at === null) return [];
  return [
    ...(user ? field("Account", `${user.display_name ?? "without a name"}, id ${user.id}`) : []),
    ...field("Client id", client_id ?? "-"),
    ...field("Checked", `${ago(checked_at, now)}`),
    ...roles.flatMap((role, at) => field(at === 0 ? "Roles" : "", roleText(role))),
    ...(roles.length === 0 && !hidden.includes("roles") ? field("Roles", "none") : []),
  ];
}

const roleText = ({ name, permissions, models }: Role) =>
  `${name}: ${sizeOf(permissions, "permission")}, ${sizeOf(models, "model")}`;

const sizeOf = (size: number | "all", what: string) => `${size} ${what}${size === 1 ? "" : "s"}`;

function findingLines(label: "Finding" | "Accepted", { code, detail }: Finding, paint: Paint): string[] {
  if (label === "Accepted") return [...field(label, code), ...field("", detail)];
  return [
    ...field(label, code, (text) => paint("yellow", text)),
    ...field("", detail),
    ...field("Next", nextStepFor(code)),
  ];
}

function hiddenLines(hidden: readonly string[]): string[] {
  if (hidden.length === 0) return [];
  return field(
    "Hidden",
    `Looker does not show the account its own ${hidden.map(hiddenName).join(" and ")}. Findings about ${hidden.length > 1 ? "them" : "that"} are missing.`,
  );
}

const hiddenName = (hidden: string) => (hidden === "account" ? "API credentials and settings" : hidden);

function failureLines({ failed, checked_at }: AccountCheck, now: number, paint: Paint): string[] {
  if (!failed) return [];
  const before = checked_at === null ? "" : " All of the above is of the check before.";
  return [
    ...field("Failed", `${failed.reason}, ${ago(failed.at, now)}.${before}`, (text) => paint("red", text)),
    ...field("Next", "The broker tries again within an hour. Runbook: account-check-failed."),
  ];
}

const ago = (at: string, now: number) => `${span((now - Date.parse(at)) / 1_000)} ago, at ${at}`;
