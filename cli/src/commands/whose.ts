/** `looker-token whose`: a token was found. Whose is it, does it work still, and can it be ended? */
import { createHash } from "node:crypto";
import { parsePermissions } from "@looker-token-broker/client/broker";
import { checkUniqueId } from "../account.ts";
import { type Broker, brokerOf } from "../broker.ts";
import { confirm, requireTerminal } from "../confirm.ts";
import { endAndReport } from "../ending-report.ts";
import { exitCodes } from "../exit-codes.ts";
import { field } from "../field.ts";
import { readHidden } from "../hidden-input.ts";
import type { ListedLease } from "../listing.ts";
import type { OptionValues } from "../options.ts";
import { pastedToken } from "../pasted-token.ts";
import { permissionsOf } from "../permissions.ts";
import { inEachScope, noteFailures, operatorGrant, scopesJson, succeeded, targetScopes } from "../targets.ts";
import type { Terminal } from "../terminal.ts";
import { span } from "../time.ts";
import { UsageError } from "../usage-error.ts";
import { endingOfToken, leasesOfToken } from "../whose.ts";
import { wrapped } from "../wrapped.ts";

export async function whose(io: Terminal, values: OptionValues): Promise<number> {
  const ends = values.revoke === true;
  if (values.yes && !ends) throw new UsageError("--yes is for --revoke.");
  if (ends && !values.yes) requireTerminal(io, "add --yes, or leave --revoke out.");
  const { "only-scope": scope } = values;
  // LOOKER_BROKER_SCOPE names the scope of one's own work. A token that was found may be of any.
  const target: OptionValues = scope === undefined ? { "all-scopes": true } : { scope };
  const tokenSha256 = await hashFromStdin(io, values);
  const broker = brokerOf(io, values, operatorGrant(target));
  const scopes = await targetScopes(target, broker);
  const all = await inEachScope(scopes, (scope) => leasesOfToken(broker, scope, tokenSha256));
  const [found] = succeeded(all).flatMap(({ scope, value }) => value.map((lease) => ({ scope, lease })));
  if (values.json && !(ends && found)) {
    const document = { token_sha256: tokenSha256, scopes: scopesJson(all, (leases) => ({ leases })) };
    io.print(`${JSON.stringify(document, null, 2)}\n`);
  }
  const failure = noteFailures(io, values, all);
  if (!found) {
    const looked = succeeded(all).map(({ scope }) => scope);
    if (!values.json && looked.length > 0) io.print(await nobodyText(broker, looked, tokenSha256, values));
    return failure || (ends ? exitCodes.pending : exitCodes.ok);
  }
  if (!values.json) io.print(holderText(found.scope, found.lease, broker.now(), ends));
  if (!ends) return failure;
  if (!values.yes && !(await confirm(io, "End it?"))) {
    io.note("Nothing was done.\n");
    return exitCodes.notDone;
  }
  return (await endAndReport(io, values, endingOfToken(broker, { ...found, tokenSha256 }))) || failure;
}

/** The token itself goes nowhere. */
async function hashFromStdin(io: Terminal, { json }: OptionValues): Promise<string> {
  const pasted = pastedToken(await readHidden(io, "Paste the token, then Enter. It is not shown. "));
  if ("refused" in pasted) throw new UsageError(pasted.refused, { hint: "Nothing was sent." });
  if ("token" in pasted) return createHash("sha256").update(pasted.token).digest("hex");
  if (!json) io.note("64 hexadecimal digits were read as the SHA-256 of a token.\n");
  return pasted.tokenSha256;
}

function holderText(scope: string, lease: ListedLease, now: number, ends: boolean): string {
  const { caller, unique_id, session, lease_id, client_id, issued_at, token_ends_at } = lease;
  const isOver = token_ends_at !== null && Date.parse(token_ends_at) <= now;
  const works = isOver
    ? `no longer: Looker itself has ended it, at ${token_ends_at}`
    : `until ${token_ends_at} at the latest, for ${spanTo(token_ends_at, now)}`;
  return [
    ...field("Scope", scope),
    ...field("Caller", unique_id === checkUniqueId ? "broker's account check" : caller),
    ...field("Unique id", unique_id),
    ...field("Session", session ?? "none: the lease that all processes of the caller share"),
    ...field("Lease", lease_id ?? "-"),
    ...field("Client id", client_id ?? "-"),
    ...field("Since", `${issued_at}, ${span((now - Date.parse(issued_at)) / 1_000)} ago`),
    ...field("State", stateText(lease, now)),
    ...field("Works", works),
    ...(ends ? [] : field("Next", "The same command with --revoke ends it.")),
  ].join("");
}

function stateText({ state, ends_at }: ListedLease, now: number): string {
  switch (state) {
    case "live":
      return `live: the broker gives it to this caller, for ${spanTo(ends_at, now)} more`;
    case "superseded":
      return `superseded: the caller has a newer one, and this one is ended in ${spanTo(ends_at, now)}`;
    default:
      return "pending: given to nobody any more, and not confirmed dead";
  }
}

const spanTo = (time: string | null, now: number) =>
  time === null ? "-" : span((Date.parse(time) - now) / 1_000);

/** A scope's Looker is an origin. Anything more could run in the shell that the lines are pasted into. */
const origin = /^https?:\/\/[\w.-]+(?::\d+)?$/;

/** The ways that are left. */
async function nobodyText(
  broker: Broker,
  looked: readonly string[],
  tokenSha256: string,
  { local }: OptionValues,
): Promise<string> {
  const { grants } = parsePermissions(await permissionsOf(broker));
  const lookers = new Set(
    grants.flatMap(({ scope, baseUrl }) => (looked.includes(scope) && origin.test(baseUrl) ? [baseUrl] : [])),
  );
  const paragraph = (text: string) => wrapped(text, 80).join("\n");
  return [
    paragraph(
      `No lease of ${looked.join(", ")} has this token. Either Looker has confirmed its end, or it is of another scope, or it is not the broker's.`,
    ),
    "",
    "Ask the records for the callers that were given it:",
    `  looker-token ask who-got-this-token --token-sha256 ${tokenSha256}${local ? " --local" : ""}`,
    "",
    paragraph("To end it at Looker itself, paste it after the first line, then Enter:"),
    "  read -rs TOKEN",
    ...[...lookers].map(
      (url) =>
        `  printf 'Authorization: Bearer %s' "$TOKEN" | curl -sS -o /dev/null -w '%{http_code}\\n' -X DELETE -H @- ${url}/api/4.0/logout`,
    ),
    "  unset TOKEN",
    paragraph(
      "204: the token is dead now. 404 or 401 of Looker itself: as an access token it is dead. A person's refresh token gets the same answer, and works for a month.",
    ),
    "",
  ].join("\n");
}
