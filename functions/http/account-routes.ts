/** The operator's view of a scope's service account: HTTP ↔ use case. */
import { type AccountCheck, openFindings } from "../domain/account-check.ts";
import type { Scope } from "../domain/scope.ts";
import { readAccount } from "../use-cases/operate.ts";
import type { OperatePorts } from "../use-cases/revoke-slots.ts";
import { json, type ProxyResult } from "./answer.ts";
import { readBody, refuseQuery } from "./api-event.ts";
import type { ScopedRequest } from "./api-handler.ts";

/** `GET /scopes/{scope}/account`: the last check of the scope's service account. It asks Looker nothing. */
export const getAccount =
  (ports: OperatePorts) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    refuseQuery(request.event);
    readBody(request.event, []);
    return json(200, accountFields(await readAccount(request.timings.of(ports), request), request.scope));
  };

/** The short form for a listing. */
export const accountSummary = (check: AccountCheck, scope: Scope) => ({
  checked_at: isoTime(check.checked?.at),
  findings: openFindings(check, scope).map(({ code }) => code),
});

function accountFields(check: AccountCheck, scope: Scope): object {
  const { checked, failed } = check;
  const open = openFindings(check, scope);
  return {
    checked_at: isoTime(checked?.at),
    client_id: checked?.clientId ?? null,
    user: checked ? { id: checked.userId, display_name: checked.displayName ?? null } : null,
    roles: checked?.roles ?? [],
    findings: (checked?.findings ?? []).map((finding) => ({ ...finding, accepted: !open.includes(finding) })),
    hidden: checked?.hidden ?? [],
    ...(failed && { failed: { at: isoTime(failed.at), reason: failed.reason } }),
  };
}

const isoTime = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
