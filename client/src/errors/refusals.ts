/**
 * What an answer that is not a success means. The broker's own answers are problem+json with a `code`; the rest is API
 * Gateway's, which names its kind in `x-amzn-ErrorType`, or comes from something that is no broker at all.
 * https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden (403: messages and x-amzn-ErrorType)
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html (the messages about signatures)
 */
import { duration } from "./duration.ts";
import type { BrokerErrorCode, TokenBrokerErrorCode } from "./error-codes.ts";
import { TokenBrokerError } from "./token-broker-error.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** Undefined: no JSON. */
  readonly json: unknown;
}

/** The request that was answered. */
export interface AnsweredRequest {
  readonly host: string;
  readonly region: string;
  /** Wall clock, milliseconds since 1970. */
  readonly now: number;
  readonly retryAfterSeconds: number | undefined;
}

export function refusalOf(answer: HttpAnswer, request: AnsweredRequest): TokenBrokerError {
  const body = Object(answer.json) as Record<string, unknown>;
  const details = {
    status: answer.status,
    requestId: idOf(body.request_id ?? answer.headers.get("x-amzn-requestid")),
    retryAfterSeconds: request.retryAfterSeconds,
  };
  const [code, message, more] =
    byBroker(body) ?? byGateway(answer, body, request) ?? byAnother(answer, request);
  return new TokenBrokerError(code, message, { ...details, ...more });
}

type Meaning = [TokenBrokerErrorCode, string, { retryable?: boolean; hint?: string }?];

const brokerCodes: Readonly<Record<BrokerErrorCode, true>> = {
  bad_request: true,
  payload_too_large: true,
  not_allowed: true,
  scope_frozen: true,
  too_many_mints: true,
  looker_rejected_credentials: true,
  looker_unavailable: true,
  busy: true,
  internal: true,
};

function byBroker({ code, title, detail }: Record<string, unknown>): Meaning | undefined {
  if (typeof code !== "string" || !Object.hasOwn(brokerCodes, code)) return undefined;
  // It has a detail where the scope does list the caller, and that is not enough.
  if (code === "not_allowed" && typeof detail !== "string")
    return [code, "The broker has no such scope, or the scope does not list this caller for it."];
  // Title, detail and hint would say it three times.
  if (code === "scope_frozen") return [code, "An operator has frozen the scope."];
  const text = [title, detail]
    .filter((each) => typeof each === "string")
    .map(sentence)
    .filter(Boolean);
  return [code as BrokerErrorCode, text.join(" ") || `The broker answered ${code}.`];
}

function byGateway(
  { status, headers, json }: HttpAnswer,
  body: Record<string, unknown>,
  request: AnsweredRequest,
): Meaning | undefined {
  const type = headers.get("x-amzn-errortype")?.replace(/:.*$/, "");
  const message = body.message ?? body.Message;
  // Without its mark, only what has its form: another site's JSON must not be taken for the broker's answer.
  if (!type && !(typeof message === "string" && headers.get("x-amzn-requestid"))) return undefined;
  if (json === undefined && status < 500) return undefined;
  const text = typeof message === "string" ? message : "";
  if (status === 403) return forbidden(type, text, headers, request);
  if (status === 429) return ["throttled", "API Gateway takes no more requests at the moment."];
  if (status === 413) return ["payload_too_large", "The request is too large for API Gateway."];
  if (status >= 500)
    return ["unavailable", reasoned("The broker's function could not answer", text || `${status}`)];
  if (status === 404) return undefined;
  return ["bad_request", reasoned("API Gateway refused the request", text || `${status}`)];
}

function forbidden(
  type: string | undefined,
  text: string,
  headers: HttpAnswer["headers"],
  request: AnsweredRequest,
): Meaning {
  if (/^Signature (expired|not yet current)/.test(text)) return skewed(headers, request);
  if (/Credential should be scoped to a valid region/i.test(text))
    return ["wrong_region", `The API at ${request.host} is not in the region ${request.region}.`];
  if (/security token included in the request is expired/i.test(text) || type === "ExpiredTokenException")
    return ["expired_credentials", "The AWS credentials have expired."];
  if (
    /security token included in the request is invalid/i.test(text) ||
    type === "UnrecognizedClientException"
  )
    return ["bad_credentials", "AWS does not know these credentials."];
  if (type === "AccessDeniedException" || /not authorized to (perform|access)/.test(text))
    return ["access_denied", reasoned("IAM does not allow the call", text)];
  if (
    type === "InvalidSignatureException" ||
    type === "IncompleteSignatureException" ||
    /signature/i.test(text)
  )
    return ["bad_signature", "AWS does not accept the request's signature."];
  const nothingHere = `There is no broker at this path of ${request.host}`;
  if (type !== "ForbiddenException" && text !== "Forbidden")
    return ["no_such_route", reasoned(nothingHere, text)];
  return [
    "no_such_route",
    reasoned(`${nothingHere}, or the API is closed to this way in`, text),
    {
      hint: "Check the endpoint's stage first. Otherwise ask the operators for the cause. It may be a rule of AWS WAF, another VPC endpoint than the private API's, a domain name without a mapping, or a switched off execute-api endpoint.",
    },
  ];
}

/** AWS allows five minutes: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
const allowedSkewMs = 5 * 60_000;

function skewed(headers: HttpAnswer["headers"], { now }: AnsweredRequest): Meaning {
  const theirs = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(theirs)) return ["clock_skew", "This machine's clock is more than five minutes wrong."];
  const aheadMs = now - theirs;
  // The request was long under way, for instance while a laptop slept: signed anew it passes.
  if (Math.abs(aheadMs) < allowedSkewMs - 1_000)
    return ["unavailable", "The request reached the broker too late after it was signed."];
  return [
    "clock_skew",
    `This machine's clock is ${duration(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead" : "behind"}.`,
  ];
}

function byAnother({ status, headers }: HttpAnswer, { host }: AnsweredRequest): Meaning {
  if (status >= 300 && status < 400)
    return ["not_a_broker", `${host} answered with a redirect (${status}), which is not followed.`];
  const type = headers.get("content-type")?.replace(/;.*$/, "").trim();
  const kind = type && /^[\w.+/-]{3,60}$/.test(type) ? `, ${type}` : "";
  const message = `What ${host} answered does not come from a token broker (${status}${kind}).`;
  // A load balancer or a proxy on the way says these for a moment.
  return ["not_a_broker", message, { retryable: [502, 503, 504].includes(status) }];
}

const reasoned = (what: string, why: string) => sentence([what, sentence(why)].filter(Boolean).join(": "));

/** One line, of bearable length; nothing of nothing. */
function sentence(text: unknown): string {
  const line = String(text).replace(/\s+/g, " ").trim().slice(0, 400);
  return line === "" || /[.!?)]$/.test(line) ? line : `${line}.`;
}

const idOf = (value: unknown) =>
  typeof value === "string" && /^[\w-]{1,100}$/.test(value) ? value : undefined;
