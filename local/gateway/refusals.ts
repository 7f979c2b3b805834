/**
 * What API Gateway answers by itself.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html (status codes)
 * https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden (403: messages and x-amzn-ErrorType)
 * What neither page shows is listed in README.md, "Not verified".
 */
import type { SignatureFault } from "../sigv4/verify.ts";
import type { ResponseType } from "./response-types.ts";

export interface GatewayReply {
  status: number;
  headers: [string, string][];
  body: string;
}

/** An answer of the gateway's own, as it is before the API's gateway responses are applied to it. */
export interface Refusal extends GatewayReply {
  /** Undefined: answered before the API and its gateway responses are known, or by AWS's rule never customised. */
  responseType: ResponseType | undefined;
  /** `$context.error.message` */
  message: string;
}

const refusal = (
  responseType: ResponseType | undefined,
  status: number,
  errorType: string,
  message: string,
  body = JSON.stringify({ message }),
): Refusal => ({
  responseType,
  status,
  headers: [
    ["Content-Type", "application/json"],
    ["x-amzn-ErrorType", errorType],
  ],
  message,
  body,
});

/** "including the cases when the client attempts to invoke an unsupported API method or resource" */
export const missingAuthentication = refusal(
  "MISSING_AUTHENTICATION_TOKEN",
  403,
  "MissingAuthenticationTokenException",
  "Missing Authentication Token",
);

export const unknownStage = refusal(undefined, 403, "ForbiddenException", "Forbidden");
export const malformedQuery = refusal("DEFAULT_4XX", 400, "BadRequestException", "Bad Request");
/** https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html, "the API client receives a 414 Request URI too long response" */
export const uriTooLong = refusal(undefined, 414, "RequestTooLargeException", "Request URI too long");
/**
 * The answer comes from in front of the API, so it has no request id and no gateway response.
 * https://github.com/koki-develop/lgtm-generator/issues/10 (both answers of 413, as captured)
 */
export const bodyTooLarge: GatewayReply = {
  status: 413,
  headers: [["Content-Type", "text/plain; charset=utf-8"]],
  body: "HTTP content length exceeded 10485760 bytes.",
};
/** Lambda takes no event beyond 6 MB. */
export const eventTooLarge = refusal(
  "REQUEST_TOO_LARGE",
  413,
  "BadRequestException",
  "Request Too Long",
  '{"message": "Request Too Long"}',
);
export const throttled = refusal("THROTTLED", 429, "TooManyRequestsException", "Too Many Requests");

/** These have a space after the colon, unlike the others. */
const internal = (responseType: ResponseType, status: number, message: string) =>
  refusal(responseType, status, "InternalServerErrorException", message, `{"message": "${message}"}`);

/**
 * "If the Lambda API rejects the invocation request, API Gateway returns a 500 error code. If the function runs but
 * returns an error, or returns a response in the wrong format, API Gateway returns a 502."
 * https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html
 *
 * That the first is an INTEGRATION_FAILURE was seen by others:
 * https://repost.aws/questions/QUL-z6rJbmR4meafB7MzYXxw. The type of the second is nowhere said; whichever it is, it falls
 * under DEFAULT_5XX.
 */
export const invocationRejected = internal("INTEGRATION_FAILURE", 500, "Internal server error");
export const functionFailed = internal("DEFAULT_5XX", 502, "Internal server error");
export const integrationTimedOut = internal("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out");

const signatureRefusals: Record<SignatureFault, [ResponseType, string]> = {
  missing_authentication: ["MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException"],
  incomplete_signature: ["INVALID_SIGNATURE", "IncompleteSignatureException"],
  unknown_access_key: ["DEFAULT_4XX", "UnrecognizedClientException"],
  wrong_session_token: ["DEFAULT_4XX", "UnrecognizedClientException"],
  wrong_scope: ["INVALID_SIGNATURE", "InvalidSignatureException"],
  skewed: ["INVALID_SIGNATURE", "InvalidSignatureException"],
  mismatch: ["INVALID_SIGNATURE", "InvalidSignatureException"],
};

export function refuseSignature(fault: SignatureFault, text: string): Refusal {
  const [responseType, errorType] = signatureRefusals[fault];
  return refusal(responseType, 403, errorType, text);
}

/** This one alone spells `Message` with a capital, and hides all but the last four digits of account numbers. */
export function refuseInvoke(userArn: string, arn: string, explicit: boolean): Refusal {
  const reason = explicit
    ? "with an explicit deny in an identity-based policy"
    : "because no identity-based policy allows the execute-api:Invoke action";
  const text = `User: ${maskAccount(userArn)} is not authorized to perform: execute-api:Invoke on resource: ${maskAccount(arn)} ${reason}`;
  return refusal("ACCESS_DENIED", 403, "AccessDeniedException", text, JSON.stringify({ Message: text }));
}

const maskAccount = (arn: string) => arn.replace(/^((?:[^:]*:){4})\d{8}(\d{4}:)/, "$1********$2");
