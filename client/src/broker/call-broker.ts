/** One signed request to the broker, and its answer or error. */

import { credentialsError, credentialsLate } from "../errors/credentials-error.ts";
import { seconds } from "../errors/duration.ts";
import { checkCredentials } from "../errors/header-values.ts";
import { checkOptions, type OptionKinds } from "../errors/options.ts";
import { type HttpAnswer, refusalOf } from "../errors/refusals.ts";
import { TokenBrokerError } from "../errors/token-broker-error.ts";
import { unreachableError } from "../errors/unreachable.ts";
import { namingProfile } from "../errors/which-credentials.ts";
import { throwIfAborted, within } from "../waiting/abort.ts";
import type { AwsCredentials } from "./aws-credentials.ts";
import type { BrokerFetch, Connection } from "./connection.ts";
import { isDefaultChain } from "./default-chain.ts";
import { type SignedRequest, sign, type UnsignedRequest } from "./sign.ts";

export interface BrokerRequest extends UnsignedRequest {
  readonly signal?: AbortSignal | undefined;
  /** Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

export interface BrokerAnswer {
  readonly status: number;
  /** JSON: an object or a list, whose shape is for the caller of each route to check. */
  readonly body: unknown;
  readonly retryAfterSeconds?: number | undefined;
  /** The broker's clock, milliseconds since 1970: the Date header, which is cut to whole seconds. */
  readonly date?: number | undefined;
  /** Of the credentials that signed the request. */
  readonly accessKeyId: string;
}

const kinds = {
  method: "string",
  path: "string",
  query: "object",
  body: "object",
  signal: "AbortSignal",
  timeoutMs: "number",
} satisfies OptionKinds<BrokerRequest>;

const defaultTimeoutMs = 30_000;

/**
 * Throws {@link TokenBrokerError} for anything but a 2xx in JSON. Waits for nothing and repeats nothing, but for fresh credentials.
 *
 * @example
 * ```ts
 * import { callBroker, connect } from "@looker-token-broker/client/broker";
 *
 * const { status, body } = await callBroker(connect(), { method: "GET", path: "/scopes" });
 * console.log(status, body);
 * ```
 */
export async function callBroker(connection: Connection, request: BrokerRequest): Promise<BrokerAnswer> {
  checkOptions("callBroker", request, kinds);
  return callAt(Date.now, connection, request);
}

/** `now`: the wall clock, for signatures. */
export async function callAt(
  now: () => number,
  connection: Connection,
  request: BrokerRequest,
): Promise<BrokerAnswer> {
  throwIfAborted(request.signal);
  const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
  let hasCredentials = false;
  const late = () => {
    if (!hasCredentials) return credentialsLate(timeoutMs);
    const message = `${connection.endpoint.host} gave no answer within ${seconds(timeoutMs)}.`;
    return new TokenBrokerError("timed_out", message, { retryable: true });
  };
  const done = within(timeoutMs, request.signal, late, async (signal) => {
    const credentials = await credentialsOf(connection, { signal });
    hasCredentials = true;
    try {
      return await attempt(now, connection, request, credentials, signal);
    } catch (error) {
      if (!isAboutCredentials(error)) throw error;
      // The credentials may have been renewed since the provider looked, by `aws sso login`, by a rotation, in the environment.
      hasCredentials = false;
      const renewed = await credentialsOf(connection, { signal, forceRefresh: true });
      hasCredentials = true;
      if (isSame(credentials, renewed)) throw error;
      return await attempt(now, connection, request, renewed, signal);
    }
  });
  return done.catch((error) => {
    throw isDefaultChain(connection.credentials) ? namingProfile(error) : error;
  });
}

const isAboutCredentials = (error: unknown) =>
  error instanceof TokenBrokerError &&
  (error.code === "expired_credentials" || error.code === "bad_credentials");

const isSame = (some: AwsCredentials, others: AwsCredentials) =>
  some.accessKeyId === others.accessKeyId &&
  some.secretAccessKey === others.secretAccessKey &&
  some.sessionToken === others.sessionToken;

async function attempt(
  now: () => number,
  connection: Connection,
  request: BrokerRequest,
  credentials: AwsCredentials,
  signal: AbortSignal,
): Promise<BrokerAnswer> {
  const signed = await sign(connection, request, credentials, new Date(now()));
  signal.throwIfAborted();
  const answer = await send(connection.fetch, signed, signal);
  const retryAfterSeconds = retryAfterOf(answer, now());
  if (answer.status >= 200 && answer.status < 300 && typeof answer.json === "object" && answer.json !== null)
    return {
      ...{ status: answer.status, body: answer.json, retryAfterSeconds, date: dateOf(answer) },
      accessKeyId: credentials.accessKeyId,
    };
  const secrets = [
    credentials.sessionToken,
    /Signature=(\w+)/.exec(signed.init.headers.authorization ?? "")?.[1],
  ];
  throw refusalOf(
    { ...answer, json: withoutSecrets(answer.json, secrets) },
    {
      host: connection.endpoint.host,
      region: connection.region,
      now: now(),
      retryAfterSeconds,
    },
  );
}

/** A refusal may quote the headers that it does not like, and its texts go into the error. */
function withoutSecrets(json: unknown, secrets: readonly (string | undefined)[]): unknown {
  if (typeof json !== "object" || json === null) return json;
  const conceal = (value: unknown) =>
    typeof value !== "string"
      ? value
      : secrets.reduce<string>(
          (text, secret) => (secret ? text.replaceAll(secret, "[redacted]") : text),
          value,
        );
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, conceal(value)]));
}

async function credentialsOf(
  { credentials }: Connection,
  options: { signal: AbortSignal; forceRefresh?: true },
): Promise<AwsCredentials> {
  try {
    // A copy, because the service may write new keys into its own object.
    const copy = { ...(await credentials(options)) };
    checkCredentials(copy);
    return copy;
  } catch (error) {
    throw credentialsError(error);
  }
}

async function send(
  own: BrokerFetch | undefined,
  { url, init }: SignedRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  try {
    const response = await (own ?? fetch)(url.href, { ...init, signal, redirect: "manual" });
    if (isResponse(response)) {
      const text = await response.text();
      return { status: response.status, headers: textsOf(response.headers), json: jsonOf(text) };
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw unreachableError(error, url.host, own !== undefined);
  }
  throw new TokenBrokerError(
    "bad_request",
    "`fetch` gave no Response: `status`, `headers.get()` and `text()`.",
  );
}

/** A `fetch` of the service's own may give anything. */
function isResponse(value: unknown): boolean {
  const { status, headers, text } = Object(value);
  return (
    typeof status === "number" && typeof Object(headers).get === "function" && typeof text === "function"
  );
}

const textsOf = (headers: HttpAnswer["headers"]): HttpAnswer["headers"] => ({
  get(name) {
    try {
      const value: unknown = headers.get(name);
      return typeof value === "string" ? value : null;
    } catch {
      return null;
    }
  },
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function dateOf({ headers }: HttpAnswer): number | undefined {
  const at = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(at) ? undefined : at;
}

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterOf({ headers }: HttpAnswer, now: number): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1_000));
}
