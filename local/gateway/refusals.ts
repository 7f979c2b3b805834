/**
 * What API Gateway answers by itself.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html (status codes)
 * https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden (403: messages and x-amzn-ErrorType)
 * What neither page shows is listed in README.md, "Not verified".
 */
import type { SignatureFault } from "../sigv4.ts";

export interface GatewayReply {
  status: number;
  headers: [string, string][];
  body: string;
}

const refusal = (status: number, errorType: string, body: string): GatewayReply => ({
  status,
  headers: [
    ["Content-Type", "application/json"],
    ["x-amzn-ErrorType", errorType],
  ],
  body,
});

const message = (text: string) => JSON.stringify({ message: text });

/** "including the cases when the client attempts to invoke an unsupported API method or resource" */
export const missingAuthentication = refusal(
  403,
  "MissingAuthenticationTokenException",
  message("Missing Authentication Token"),
);

export const unknownStage = refusal(403, "ForbiddenException", message("Forbidden"));
export const malformedRequest = refusal(400, "BadRequestException", message("Bad Request"));
export const uriTooLong = refusal(414, "RequestTooLargeException", message("Request-URI Too Long"));
/** REQUEST_TOO_LARGE */
export const bodyTooLarge = refusal(413, "RequestTooLargeException", message("Request Too Long"));
/** THROTTLED */
export const throttled = refusal(429, "TooManyRequestsException", message("Too Many Requests"));

/** These two have a space after the colon, unlike the others. */
const internalBody = '{"message": "Internal server error"}';
const timedOutBody = '{"message": "Endpoint request timed out"}';

/**
 * "If the Lambda API rejects the invocation request, API Gateway returns a 500 error code. If the function runs but
 * returns an error, or returns a response in the wrong format, API Gateway returns a 502."
 * https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html
 */
export const invocationRejected = refusal(500, "InternalServerErrorException", internalBody);
export const functionFailed = refusal(502, "InternalServerErrorException", internalBody);
/** INTEGRATION_TIMEOUT */
export const integrationTimedOut = refusal(504, "InternalServerErrorException", timedOutBody);

const errorTypes: Record<SignatureFault, string> = {
  missing_authentication: "MissingAuthenticationTokenException",
  incomplete_signature: "IncompleteSignatureException",
  unknown_access_key: "UnrecognizedClientException",
  wrong_session_token: "UnrecognizedClientException",
  wrong_scope: "InvalidSignatureException",
  skewed: "InvalidSignatureException",
  mismatch: "InvalidSignatureException",
};

export function refuseSignature(fault: SignatureFault, text: string): GatewayReply {
  return refusal(403, errorTypes[fault], message(text));
}

/** This one alone spells `Message` with a capital, and hides all but the last four digits of account numbers. */
export function refuseInvoke(userArn: string, arn: string, explicit: boolean): GatewayReply {
  const text = `User: ${maskAccount(userArn)} is not authorized to perform: execute-api:Invoke on resource: ${maskAccount(arn)}`;
  return refusal(
    403,
    "AccessDeniedException",
    JSON.stringify({ Message: explicit ? `${text} with an explicit deny` : text }),
  );
}

const maskAccount = (arn: string) => arn.replace(/^((?:[^:]*:){4})\d{8}(\d{4}:)/, "$1********$2");
