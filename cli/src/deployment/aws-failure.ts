/** A refusal or a failure of AWS, as the user has to act on it. */
import { exitCodes } from "../exit-codes.ts";
import type { Place } from "./place.ts";

interface ToldFailure {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export class AwsFailure extends Error {
  override readonly name = "AwsFailure";
  readonly failure: ToldFailure;

  constructor(failure: ToldFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

interface AwsError {
  readonly name: string;
  readonly message: string;
  /** Of a connection that failed. */
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export function throwAwsFailure(error: unknown, place: Place): never {
  if (error instanceof AwsFailure || !(error instanceof Error)) throw error;
  throw new AwsFailure(failureOf(error, place));
}

function failureOf(error: AwsError, { stack, region, isLocal }: Place): ToldFailure {
  const { name, message, code } = error;
  const { refused, unavailable, usage, stopped } = exitCodes;
  if (name === "AbortError") return { exitCode: stopped, code: "aborted", message: "Stopped." };
  if (/^Stack with id .* does not exist/.test(message))
    return {
      exitCode: usage,
      code: "no_stack",
      message: `There is no stack ${stack} in ${region ?? "this region"} of this account.`,
      hint: "Pass --stack, or set LOOKER_BROKER_STACK. The region comes from --region or AWS_REGION.",
    };
  if (/^AccessDenied/.test(name))
    return {
      exitCode: refused,
      code: "access_denied",
      message: `AWS refused it: ${message.replace(/\.?$/, ".")}`,
      hint: isLocal
        ? "Only operators may ask the local run."
        : "The stack hands out a policy for this, in the parameter that ends in /auditor.",
    };
  if (/^ExpiredToken|^RequestExpired/.test(name))
    return { exitCode: refused, code: "expired_credentials", message: "The AWS credentials have expired." };
  if (
    /^(?:InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|MissingAuthentication)/.test(
      name,
    )
  )
    return { exitCode: refused, code: "bad_credentials", message: "AWS does not know these credentials." };
  // Its message may quote a command's output.
  if (/^(?:CredentialsProviderError|TokenProviderError)$/.test(name))
    return {
      exitCode: refused,
      code: "no_credentials",
      message: "No AWS credentials were found.",
      hint: "`looker-token doctor` looks for them step by step.",
    };
  if (/^Region is missing/.test(message))
    return {
      exitCode: usage,
      code: "no_region",
      message: "The region of the stack is not known.",
      hint: "Pass --region, or set AWS_REGION.",
    };
  if (/^(?:Throttling|LimitExceeded|TooManyRequests)/.test(name))
    return {
      exitCode: unavailable,
      code: "throttled",
      message: "AWS has too many of these requests now.",
      hint: "Try again.",
    };
  return {
    exitCode: unavailable,
    code: "aws_unavailable",
    message: `AWS did not answer as expected (${code ?? name}).`,
    hint: "Try again. AWS's health page tells of outages.",
  };
}
