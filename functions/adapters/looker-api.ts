/**
 * Looker's `/login`, `/logout` and `/user`. What counts as an answer *of Looker* is decided here, strictly: a proxy's page or a
 * wrong URL proves nothing.
 * https://cloud.google.com/looker/docs/reference/looker-api/latest/methods/ApiAuth
 */

import type { Clock, LoginOutcome, LogoutOutcome, Looker } from "../use-cases/ports.ts";
import { fieldsOf, isLookerError, isToken, jsonOf, maySendSecretsTo } from "./looker-answer.ts";
import { type Answer, type Exchange, type LookerHttp, lookerHttp } from "./looker-http.ts";

export interface LookerTimeouts {
  loginMs: number;
  logoutMs: number;
  userMs: number;
}

export type LookerApi = Looker & Pick<LookerHttp, "disconnect">;

export function lookerApi(
  timeouts: LookerTimeouts,
  clock: Pick<Clock, "sleep">,
  { sendOnce, sendIdempotent, disconnect }: LookerHttp = lookerHttp(),
): LookerApi {
  return {
    disconnect,

    async login(baseUrl, { clientId, clientSecret }) {
      if (!maySendSecretsTo(baseUrl)) return { kind: "unreached", reason: "not_https" };
      // One time-out for both tries: the lock above was measured for it.
      const signal = AbortSignal.timeout(timeouts.loginMs);
      const attempt = () =>
        sendOnce({
          baseUrl,
          method: "POST",
          path: "/login",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret }).toString(),
          signal,
        });
      const first = await attempt();
      if (first.kind !== "unreached" || signal.aborted) return loginOutcome(first);
      // It did not reach Looker, so a second try cannot be a second login. A deploying Looker is back in a moment.
      await clock.sleep(250);
      return loginOutcome(await attempt());
    },

    async logout(baseUrl, token) {
      if (!maySendSecretsTo(baseUrl) || !isToken(token)) return "not_tried";
      const ask = (method: "DELETE" | "GET", path: string, timeoutMs: number) =>
        sendIdempotent({
          baseUrl,
          method,
          path,
          headers: { authorization: `Bearer ${token}` },
          signal: AbortSignal.timeout(timeoutMs),
        });
      const answer = await ask("DELETE", "/logout", timeouts.logoutMs);
      if (answer.kind === "answer" && answer.status === 204) return "ended";
      if (!isGone(answer)) return noProof(answer);
      // Looker-shaped, but only Looker's own refusal of this very token proves that the token is dead.
      const check = await ask("GET", "/user", timeouts.userMs);
      const refused = check.kind === "answer" && check.status === 401 && isLookerError(jsonOf(check));
      return refused ? "ended" : noProof(check);
    },
  };
}

function loginOutcome(exchange: Exchange): LoginOutcome {
  const { kind } = exchange;
  if (kind === "unreached") return { kind, reason: exchange.reason };
  if (kind === "unanswered") return { kind: "unknown", reason: exchange.reason };
  if (kind === "not_http") return { kind: "failed", reason: "not_http" };
  const { status, headers, text } = exchange;
  const json = jsonOf(exchange);
  const answered = status === 200 ? tokenOf(json) : undefined;
  if (answered) return { kind: "token", ...answered };
  // Whatever else is wrong with the answer, a token that it names is alive and must be ended.
  const unusableToken = tokenNamedIn(json, text);
  if (unusableToken === undefined) {
    if (status === 429) return { kind: "throttled", retryAfterSeconds: retryAfter(headers) };
    if ([400, 401, 404].includes(status) && isLookerError(json)) return { kind: "rejected" };
    if (status === 504) return { kind: "unknown", reason: "status_504" };
  }
  return {
    kind: "failed",
    reason: problemOf(exchange, json),
    ...(unusableToken === undefined ? {} : { unusableToken }),
    ...(unusableToken === undefined && mayHideToken(exchange, json) ? { tokenLost: true } : {}),
  };
}

function tokenOf(json: unknown): { accessToken: string; expiresInSeconds: number } | undefined {
  const { access_token: accessToken, expires_in: life, token_type: type } = fieldsOf(json);
  if (!isToken(accessToken) || !isLife(life) || !isBearer(type)) return undefined;
  return { accessToken, expiresInSeconds: Math.floor(life) };
}

const isLife = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value > 0;
const isBearer = (type: unknown): boolean =>
  type === undefined || (typeof type === "string" && type.toLowerCase() === "bearer");

/** Found in the text too: an answer that is cut, too long or of another shape may name one all the same. */
function tokenNamedIn(json: unknown, text: string): string | undefined {
  const { access_token: field } = fieldsOf(json);
  return isToken(field) ? field : /"access_token"\s*:\s*"([\w.~+/-]{8,2048}=*)"/.exec(text)?.[1];
}

/** Looker made a token, as it seems, and the answer does not show it in a form that could be ended. */
function mayHideToken({ status, text, tooLarge }: Answer, json: unknown): boolean {
  if (status < 200 || status > 299) return false;
  return (
    tooLarge || text.includes("access_token") || (json === undefined && text.trimStart().startsWith("{"))
  );
}

function problemOf({ status, text, tooLarge }: Answer, json: unknown): string {
  if (status >= 300 && status <= 399) return `redirect_${status}`;
  if (status !== 200) return `status_${status}`;
  if (tooLarge) return "too_large";
  if (json === undefined) return text === "" ? "empty" : "not_json";
  const { access_token: token, token_type: type } = fieldsOf(json);
  if (!isToken(token)) return "no_token";
  return isBearer(type) ? "expires_in" : "token_type";
}

function noProof(exchange: Exchange): LogoutOutcome {
  switch (exchange.kind) {
    case "unreached":
      return "unreached";
    case "unanswered":
      return "timed_out";
    case "not_http":
      return "unconfirmed";
    case "answer":
      return exchange.status === 429 || exchange.status >= 500 ? "failed" : "unconfirmed";
  }
}

/** "Gone already" as Looker says it: 404 with its JSON body; for a token that expired, perhaps 401. */
function isGone(exchange: Exchange): boolean {
  if (exchange.kind !== "answer") return false;
  const { status } = exchange;
  return (status === 404 || status === 401) && isLookerError(jsonOf(exchange));
}

/** Seconds, from either form of RFC 9110 §10.2.3; a date is not trusted across clocks. */
function retryAfter({ "retry-after": value }: Answer["headers"]): number | undefined {
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}
