import { expect, it } from "vitest";
import { asUnavailable } from "../../../../functions/adapters/aws-client.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { canary, findLeaks } from "../../../support/canary.ts";

const awsError = (name: string, httpStatusCode?: number) =>
  Object.assign(new Error("said by AWS"), { name, $metadata: { httpStatusCode } });

it.each<[name: string, status: number | undefined]>([
  // DynamoDB
  ["ProvisionedThroughputExceededException", 400],
  ["ThrottlingException", 400],
  ["RequestLimitExceeded", 400],
  ["LimitExceededException", 400],
  ["TransactionInProgressException", 400],
  ["InternalServerError", 500],
  ["ServiceUnavailable", 503],
  // KMS
  ["DependencyTimeoutException", 500],
  ["KMSInternalException", 500],
  ["ServiceUnavailableException", 503],
  // Secrets Manager
  ["InternalServiceError", 500],
  ["InternalFailure", 500],
  ["TooManyRequestsException", 429],
  ["RequestTimeoutException", 400],
  // An answer that is nobody's
  ["SyntaxError", 502],
  ["UnknownError", 504],
  // No answer
  ["TimeoutError", undefined],
  ["ECONNREFUSED", undefined],
  ["AbortError", undefined],
])("%s with status %o means not now", (name, status) => {
  const error = awsError(name, status);
  const unavailable = asUnavailable(error, "kms");
  expect(unavailable).toBeInstanceOf(Unavailable);
  expect(unavailable).toMatchObject({ dependency: "kms", cause: error });
});

it.each([
  ["AccessDeniedException", 400],
  ["UnrecognizedClientException", 400],
  ["InvalidSignatureException", 400],
  ["ExpiredTokenException", 400],
  ["ResourceNotFoundException", 400],
  ["NotFoundException", 400],
  ["ValidationException", 400],
  ["ConditionalCheckFailedException", 400],
  ["InvalidCiphertextException", 400],
  ["DisabledException", 400],
  ["KMSInvalidStateException", 400],
  ["SerializationException", 400],
])("%s is the deployment's own matter, and stays itself", (name, status) => {
  const error = awsError(name, status);
  expect(asUnavailable(error, "dynamodb")).toBe(error);
});

it("an error without metadata is no answer", () => {
  expect(asUnavailable(new Error("socket hang up"), "dynamodb")).toBeInstanceOf(Unavailable);
});

it.each([undefined, null, "text", 7, {}])("%o, which is no error, stays what it is", (thrown) => {
  expect(asUnavailable(thrown, "dynamodb")).toBe(thrown);
});

it("the message names the dependency and nothing of what AWS said", () => {
  const error = awsError("ThrottlingException", 400);
  error.message = canary.token;
  const { message } = asUnavailable(error, "secretsmanager") as Error;
  expect(message).toBe("secretsmanager is not available");
  expect(findLeaks(message)).toEqual([]);
});
