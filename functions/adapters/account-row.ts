/** The row of a scope's account check ↔ DynamoDB item. */
import type { Finding } from "../domain/account.ts";
import type { AccountCheck, CheckedAccount, RoleSummary } from "../domain/account-check.ts";
import { findingCodes } from "../domain/finding.ts";
import {
  checkSchema,
  head,
  type Item,
  type ItemKey,
  list,
  number,
  optional,
  record,
  text,
  UnreadableRow,
  version,
} from "./row-values.ts";

export const accountCheckKey = (scope: string): ItemKey => ({ pk: `scope#${scope}`, sk: "#account" });

export const accountCheckItem = (scope: string, { checked, failed, ...row }: AccountCheck): Item => ({
  ...accountCheckKey(scope),
  ...head(row),
  failed,
  checked: checked && {
    at: checked.at,
    client_id: checked.clientId,
    user_id: checked.userId,
    display_name: checked.displayName,
    roles: checked.roles,
    findings: checked.findings,
    hidden: checked.hidden,
    definition: checked.definition,
  },
});

export function readAccountCheck(item: Item): AccountCheck {
  checkSchema(item);
  const failed = optional(item.failed, (value) => {
    const { at, reason } = record(value);
    return { at: number(at), reason: text(reason) };
  });
  return { ...version(item), checked: optional(item.checked, readChecked), failed };
}

function readChecked(value: unknown): CheckedAccount {
  const { at, client_id, user_id, display_name, roles, findings, hidden, definition } = record(value);
  return {
    at: number(at),
    clientId: text(client_id),
    userId: text(user_id),
    displayName: optional(display_name, (name) => text(name, isOneLine)),
    roles: list(roles, readRole),
    findings: list(findings, readFinding),
    hidden: list(hidden, (each) => (each === "account" ? each : ("roles" as const))),
    definition: text(definition),
  };
}

function readRole(value: unknown): RoleSummary {
  const { name, permissions, models } = record(value);
  const size = (each: unknown) => (each === "all" ? each : number(each));
  return { name: text(name, isOneLine), permissions: size(permissions), models: size(models) };
}

function readFinding(value: unknown): Finding {
  const { code, detail } = record(value);
  const known = findingCodes.find((name) => name === code);
  if (!known) throw new UnreadableRow("finding");
  return { code: known, detail: text(detail, isOneLine) };
}

/** It is shown to operators. */
const isOneLine = (value: string) => /^[^\p{C}]*$/u.test(value);
