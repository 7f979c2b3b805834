/** What the AWS proxy answers itself, in the words of the service it stands before. */
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { crc32 } from "node:zlib";
import type { SignatureFault } from "../sigv4/verify.ts";
import type { ArrivedCall, AwsService, Denial, FaultAnswer } from "./call.ts";
import { cloudFormationNamespace } from "./cloudformation.ts";
import { sendQueryError } from "./query-protocol.ts";

export interface Answer {
  status: number;
  type: string;
  /** Null: AWS sends the type alone. */
  message: string | null;
  messageKey?: "message" | "Message";
}

type JsonService = Exclude<AwsService, "cloudformation">;

const JSON_VERSION: Record<JsonService, string> = {
  dynamodb: "application/x-amz-json-1.0",
  secretsmanager: "application/x-amz-json-1.1",
  kms: "application/x-amz-json-1.1",
  logs: "application/x-amz-json-1.1",
};

const DYNAMODB = "com.amazonaws.dynamodb.v20120810#";

/** What fails before an operation is reached carries DynamoDB's framework namespace; the others send the bare name. */
function frameworkType(service: AwsService, name: string): string {
  return service === "dynamodb" ? `com.amazon.coral.service#${name}` : name;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html: all of them are 400. */
const SIGNATURE_TYPES: Record<SignatureFault, string> = {
  missing_authentication: "MissingAuthenticationTokenException",
  incomplete_signature: "IncompleteSignatureException",
  unknown_access_key: "UnrecognizedClientException",
  wrong_session_token: "UnrecognizedClientException",
  wrong_scope: "InvalidSignatureException",
  skewed: "InvalidSignatureException",
  mismatch: "InvalidSignatureException",
};

/**
 * The same in AWS Query. Codes and statuses as AWS's answers have them; the page of CloudFormation's common errors names some of
 * them otherwise: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
 */
const QUERY_SIGNATURE_CODES: Record<SignatureFault, string> = {
  missing_authentication: "MissingAuthenticationToken",
  incomplete_signature: "IncompleteSignature",
  unknown_access_key: "InvalidClientTokenId",
  wrong_session_token: "InvalidClientTokenId",
  wrong_scope: "SignatureDoesNotMatch",
  skewed: "SignatureDoesNotMatch",
  mismatch: "SignatureDoesNotMatch",
};

/** Where these services have other words than those of verify.ts. */
const SIGNATURE_MESSAGES: Partial<Record<SignatureFault, string>> = {
  missing_authentication: "Request is missing Authentication Token",
  wrong_session_token: "The security token included in the request is invalid",
};

export function badSignature(service: AwsService, fault: SignatureFault, detail: string): Answer {
  const message = SIGNATURE_MESSAGES[fault] ?? detail;
  if (service === "cloudformation")
    return {
      status: fault === "incomplete_signature" ? 400 : 403,
      type: QUERY_SIGNATURE_CODES[fault],
      message,
    };
  return { status: 400, type: frameworkType(service, SIGNATURE_TYPES[fault]), message };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
export function accessDenied(
  call: ArrivedCall,
  region: string,
  { kind, policy }: Denial = { kind: "implicit", policy: "identity" },
): Answer {
  const action = `${call.service}:${call.operation}`;
  const user = `User: ${call.sessionArn ?? call.principalArn}`;
  const on =
    call.service === "kms" && call.resource === undefined
      ? "the resource associated with this ciphertext"
      : `resource: ${resourceArn(call, region)}`;
  const cause =
    kind === "implicit"
      ? `because no ${policy}-based policy allows the ${action} action`
      : `with an explicit deny in ${policy === "identity" ? "an identity" : "a resource"}-based policy`;
  const isQuery = call.service === "cloudformation";
  return {
    status: isQuery ? 403 : 400,
    type: isQuery ? "AccessDenied" : frameworkType(call.service, "AccessDeniedException"),
    // AWS says no more than this; the port's own reason may name policies and stays out of the answer.
    message: `${user} is not authorized to perform: ${action} on ${on} ${cause}`,
    messageKey: "Message",
  };
}

function resourceArn(call: ArrivedCall, region: string): string {
  const named = call.resource ?? "*";
  const [, partition = "aws", , , account = ""] = call.principalArn.split(":");
  if (named === "*" || named.startsWith("arn:")) return named;
  const arn = (path: string) => `arn:${partition}:${call.service}:${region}:${account}:${path}`;
  // Secrets Manager repeats a name as it was sent: the six characters of its ARN are unknown until it is found.
  if (call.service === "secretsmanager") return named;
  if (call.service === "kms") return arn(named.startsWith("alias/") ? named : `key/${named}`);
  if (call.service === "logs") return arn(`log-group:${named}:log-stream:`);
  if (call.service === "cloudformation") return arn(`stack/${named}/*`);
  return arn(`table/${named}${call.indexName === undefined ? "" : `/index/${call.indexName}`}`);
}

/**
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html,
 * https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html,
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html,
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html
 */
const FAULTS: Record<FaultAnswer, Record<AwsService, Answer>> = {
  throttle: {
    dynamodb: {
      status: 400,
      type: `${DYNAMODB}ProvisionedThroughputExceededException`,
      message:
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
    },
    secretsmanager: { status: 400, type: "ThrottlingException", message: "Rate exceeded" },
    kms: {
      status: 400,
      type: "ThrottlingException",
      message: "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    },
    logs: { status: 400, type: "ThrottlingException", message: "Rate exceeded" },
    cloudformation: { status: 400, type: "Throttling", message: "Rate exceeded" },
  },
  unavailable: {
    dynamodb: {
      status: 503,
      type: "com.amazon.coral.availability#ServiceUnavailable",
      message: "The service is currently unavailable or busy.",
    },
    secretsmanager: { status: 503, type: "ServiceUnavailable", message: null },
    kms: { status: 503, type: "ServiceUnavailableException", message: null },
    logs: { status: 503, type: "ServiceUnavailableException", message: null },
    cloudformation: { status: 503, type: "ServiceUnavailable", message: null },
  },
  internal: {
    dynamodb: {
      status: 500,
      type: `${DYNAMODB}InternalServerError`,
      message: "The request processing has failed because of an unknown error, exception or failure.",
    },
    secretsmanager: {
      status: 500,
      type: "InternalServiceError",
      message: "An error occurred on the server side.",
    },
    kms: { status: 500, type: "KMSInternalException", message: null },
    logs: { status: 500, type: "InternalFailure", message: null },
    cloudformation: { status: 500, type: "InternalFailure", message: null },
  },
};

export function faultAnswer(service: AwsService, kind: FaultAnswer): Answer {
  return FAULTS[kind][service];
}

export function notJson(service: AwsService): Answer {
  return { status: 400, type: frameworkType(service, "SerializationException"), message: null };
}

/** Not AWS's words: the engine behind the AWS proxy is not there, or one of the AWS proxy's ports threw. */
export function localFailure(error: unknown): Answer {
  const reason = error instanceof Error ? error.message : "failed";
  return { status: 500, type: "InternalFailure", message: `The local run's own failure: ${reason}` };
}

export const UNKNOWN_OPERATION: Answer = {
  status: 400,
  type: "com.amazon.coral.service#UnknownOperationException",
  message: null,
};

export function sendAnswer(response: ServerResponse, answer: Answer, service: AwsService = "dynamodb"): void {
  if (service === "cloudformation") {
    const { status, type: code, message } = answer;
    sendQueryError(response, { status, code, message, namespace: cloudFormationNamespace });
    return;
  }
  const body = JSON.stringify({
    __type: answer.type,
    ...(answer.message !== null && { [answer.messageKey ?? "message"]: answer.message }),
  });
  response.writeHead(answer.status, {
    "content-type": JSON_VERSION[service],
    "content-length": Buffer.byteLength(body),
    "x-amzn-requestid": randomUUID(),
    ...(service === "dynamodb" && { "x-amz-crc32": String(crc32(body)) }),
  });
  response.end(body);
}

/** The name as SDKs show it: com.amazonaws.dynamodb.v20120810#InternalServerError → InternalServerError. */
export function errorName(type: string): string {
  return type.slice(type.lastIndexOf("#") + 1);
}
