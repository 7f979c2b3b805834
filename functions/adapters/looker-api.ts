/**
 * Looker's `/login`, `/logout` and `/user`, over `fetch`. What counts as an answer *of Looker* is decided here, strictly:
 * a proxy's page or a wrong URL proves nothing.
 * https://cloud.google.com/looker/docs/reference/looker-api/latest/methods/ApiAuth
 */

import { isLoopback } from "../domain/scope.ts";
import type { Clock, LoginOutcome, Looker } from "../use-cases/ports.ts";

export interface LookerTimeouts {
  loginMs: number;
  logoutMs: number;
  userMs: number;
}

/** Real answers are under 1 KB. */
const maxAnswerBytes = 65_536;

/** No connection was ever made, so no request was sent. */
const unreached = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON, or undefined where the body is none or is too large. */
  json: unknown;
}

export function lookerApi(timeouts: LookerTimeouts, clock: Pick<Clock, "sleep">): Looker {
  async function call(
    baseUrl: string,
    method: string,
    path: string,
    signal: AbortSignal,
    init: RequestInit,
  ): Promise<Answer> {
    const url = new URL(`/api/4.0${path}`, baseUrl);
    // A redirect would carry the secret or the token to a host that nobody reviewed.
    const response = await fetch(url, {
      ...init,
      method,
      redirect: "error",
      signal,
    });
    const body = await readCapped(response);
    return {
      status: response.status,
      headers: response.headers,
      json: body && parseJson(body),
    };
  }
  const authorized = (token: string): RequestInit => ({
    headers: { authorization: `Bearer ${token}`, accept: "application/json" },
  });

  return {
    async login(baseUrl, { clientId, clientSecret }) {
      if (!maySendSecretsTo(baseUrl)) return { kind: "unreached", reason: "not_https" };
      // One time-out for both tries: the lock above was measured for it.
      const signal = AbortSignal.timeout(timeouts.loginMs);
      const attempt = () =>
        call(baseUrl, "POST", "/login", signal, {
          headers: { accept: "application/json" },
          body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret }),
        });
      try {
        return loginOutcome(await attempt());
      } catch (error) {
        if (!unreached.has(errorCode(error))) return { kind: "unknown", reason: errorCode(error) };
      }
      // It did not reach Looker, so a second try cannot be a second login. A deploying Looker is back in a moment.
      await clock.sleep(250);
      try {
        return loginOutcome(await attempt());
      } catch (error) {
        const reason = errorCode(error);
        return unreached.has(reason) ? { kind: "unreached", reason } : { kind: "unknown", reason };
      }
    },

    async logout(baseUrl, token) {
      if (!maySendSecretsTo(baseUrl)) return "not_tried";
      try {
        const answer = await call(
          baseUrl,
          "DELETE",
          "/logout",
          AbortSignal.timeout(timeouts.logoutMs),
          authorized(token),
        );
        if (answer.status === 204) return "ended";
        if (!isGone(answer)) return "unconfirmed";
        // Looker-shaped, but only Looker's own refusal of this very token proves that the token is dead.
        const check = await call(
          baseUrl,
          "GET",
          "/user",
          AbortSignal.timeout(timeouts.userMs),
          authorized(token),
        );
        return check.status === 401 && isLookerError(check.json) ? "ended" : "unconfirmed";
      } catch {
        return "unconfirmed";
      }
    },
  };
}

/** The scope's definition was checked; a row's base_url was not, and both come this way. */
function maySendSecretsTo(baseUrl: string): boolean {
  if (!URL.canParse(baseUrl)) return false;
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

function loginOutcome({ status, headers, json }: Answer): LoginOutcome {
  if (status === 200) {
    const {
      access_token: accessToken,
      expires_in: expiresInSeconds,
      token_type: type,
    } = (json ?? {}) as Record<string, unknown>;
    const usable =
      typeof accessToken === "string" &&
      // RFC 6750 §2.1, b64token; what cannot be a header value cannot be a token.
      /^[\w.~+/-]{8,2048}=*$/.test(accessToken) &&
      typeof expiresInSeconds === "number" &&
      Number.isFinite(expiresInSeconds) &&
      expiresInSeconds > 0 &&
      (type === undefined || (typeof type === "string" && type.toLowerCase() === "bearer"));
    // A token may have been made all the same.
    return usable
      ? { kind: "token", accessToken, expiresInSeconds: Math.floor(expiresInSeconds) }
      : { kind: "unknown", reason: "malformed" };
  }
  if (status === 429) return { kind: "throttled", retryAfterSeconds: retryAfter(headers) };
  if ([400, 401, 403, 404].includes(status) && isLookerError(json)) return { kind: "rejected" };
  return status === 504
    ? { kind: "unknown", reason: "status_504" }
    : { kind: "failed", reason: `status_${status}` };
}

/** "Gone already" as Looker says it: 404 with its JSON body; for a token that expired, perhaps 401. */
function isGone({ status, json }: Answer): boolean {
  return (status === 404 || status === 401) && isLookerError(json);
}

/** Looker's error shape: `{"message": string|null, "documentation_url": string|null}`. */
function isLookerError(json: unknown): boolean {
  if (typeof json !== "object" || json === null) return false;
  const { message, documentation_url: url } = json as Record<string, unknown>;
  const isTextOrNull = (value: unknown) => typeof value === "string" || value === null;
  return isTextOrNull(message) && isTextOrNull(url);
}

/** Seconds, from either form of RFC 9110 §10.2.3; a date is not trusted across clocks. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

/** The body as text, or undefined where it is larger than any answer of Looker's to these calls. */
async function readCapped(response: Response): Promise<string | undefined> {
  if (!response.body) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > maxAnswerBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Swallows JSON.parse's message: it quotes what it could not parse. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A code from a fixed vocabulary; never a message, which may name hosts or quote content. */
function errorCode(error: unknown): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,40}$/.test(code)) return code;
    if (cause.name === "TimeoutError") return "timeout";
  }
  return "error";
}
