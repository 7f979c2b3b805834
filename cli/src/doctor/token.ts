/** The token itself: whether the broker gives one, and whether Looker takes it. */
import type { ScopeGrant } from "@looker-token-broker/client/broker";
import type { Broker } from "../broker.ts";
import type { Token } from "../commands/get.ts";
import { exitCodes } from "../exit-codes.ts";
import { lookerUrl } from "../looker-url.ts";
import { safeText } from "../safe-text.ts";
import { span } from "../time.ts";
import { type Finding, Trouble } from "./examination.ts";
import { connectionTrouble } from "./way.ts";

const patienceMs = 15_000;

/** The lease that all processes of the role share. It is not ended, because others use it. */
export async function checkToken(broker: Broker, { scope }: ScopeGrant): Promise<Finding<Token>> {
  const token: Token = await broker.ask({
    method: "POST",
    path: `/scopes/${scope}/token`,
    timeoutMs: patienceMs,
  });
  return {
    value: token,
    found: `The broker gives the token of lease ${token.lease_id}, for ${span(token.expires_in)} more.`,
  };
}

export async function checkLooker({ access_token, base_url, lease_id }: Token): Promise<Finding<true>> {
  const { host } = httpsOf(base_url);
  const answer = await fetch(`${base_url}/api/4.0/user?fields=id`, {
    headers: { authorization: `Bearer ${access_token}` },
    redirect: "manual",
    signal: AbortSignal.timeout(patienceMs),
  }).catch((error) => {
    throw connectionTrouble(error, host, false);
  });
  const text = await answer.text();
  if (answer.ok) return { value: true, found: `Looker at ${host} takes the token${userIn(text)}.` };
  const refused = answer.status === 401;
  throw new Trouble(
    refused ? "looker_refused_token" : "looker_unavailable",
    exitCodes.unavailable,
    `Looker at ${host} ${refused ? "does not take the token" : "gave another answer than the user"} (${answer.status}).`,
    refused
      ? `Somebody may have logged it out. Run this again, and tell the broker's operators of lease ${lease_id} if it stays.`
      : "Try again later. Looker is down, or a proxy or an allowlist on the way answers in its place.",
  );
}

function httpsOf(baseUrl: string): URL {
  try {
    return lookerUrl(baseUrl);
  } catch (error) {
    throw new Trouble(
      "bad_base_url",
      exitCodes.unavailable,
      (error as Error).message,
      "Tell the scope's owners. They name Looker's address in the scope.",
    );
  }
}

function userIn(text: string): string {
  try {
    const { id } = JSON.parse(text) as { id?: unknown };
    return id === undefined ? "" : ` of user ${safeText(String(id))}`;
  } catch {
    return "";
  }
}
