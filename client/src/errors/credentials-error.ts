/** Why there are no AWS credentials. The provider's own message is not passed on: it may quote a command's output. */
import { connectionHint } from "./connection-hint.ts";
import { seconds } from "./duration.ts";
import { causeOf, codeOf, isLasting, readable, says } from "./network-error.ts";
import { TokenBrokerError } from "./token-broker-error.ts";

export function credentialsError(error: unknown): TokenBrokerError {
  if (error instanceof TokenBrokerError) return error;
  const read = error instanceof Error ? readable(error) : {};
  const name = typeof read.name === "string" ? read.name : "";
  const message = typeof read.message === "string" ? read.message : "";
  const profile = process.env.AWS_PROFILE;
  // Before all others: an identity or a role may have "sso" in its name.
  if (/AccessDenied|not authorized/i.test(`${name} ${message}`) && /\bsts:AssumeRole/.test(message))
    return notAssumable(message);
  if (says(error, /^Dynamic require of /)) return notBundled();
  const code = networkCode(error, message);
  if (code) return credentialsUnavailable(code, causeOf(error));
  if (isTransient(error, name, message)) return credentialsUnavailable(kindOf(name));
  if (/\bsso\b|\bUnauthorizedException\b/i.test(message) || name === "TokenProviderError")
    return new TokenBrokerError(
      "no_credentials",
      `The SSO session${profile ? ` of the AWS profile ${profile}` : ""} has expired or was never begun.`,
      { hint: `Run \`aws sso login${profile ? ` --profile ${profile}` : ""}\`.` },
    );
  const kind = kindOf(name);
  return new TokenBrokerError(
    "no_credentials",
    `${profile ? `The AWS profile ${profile} gives no credentials` : "No AWS credentials were found"}${kind ? ` (${kind})` : ""}.`,
  );
}

export function credentialsUnavailable(why?: string, cause?: Error): TokenBrokerError {
  return new TokenBrokerError(
    "credentials_unavailable",
    `The AWS credentials could not be fetched${why ? ` (${why})` : ""}.`,
    { retryable: !(why && isLasting(why)), cause, hint: cause && connectionHint(why) },
  );
}

/** esbuild takes the CommonJS files of AWS's SDK, whose `require` an ECMAScript module does not have. */
const notBundled = () =>
  new TokenBrokerError(
    "no_credentials",
    "This bundle of the program cannot load AWS's chain of credentials.",
    {
      hint: 'Bundle ECMAScript modules by esbuild with this banner: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`',
    },
  );

/** Too many requests wait already. */
export function credentialsUnanswered(count: number, pauseMs: number): TokenBrokerError {
  return new TokenBrokerError(
    "credentials_unavailable",
    `The source of the AWS credentials left ${count} requests unanswered. The next one may begin in ${seconds(pauseMs)}.`,
    { hint: sourceHint, retryAfterSeconds: Math.ceil(pauseMs / 1_000) },
  );
}

const sourceHint =
  "Look at the source of the AWS credentials. A container's agent or an instance's metadata may be down, or a `credential_process` may wait for input.";

/** A time-out before the broker was asked. */
export function credentialsLate(timeoutMs: number): TokenBrokerError {
  const profile = process.env.AWS_PROFILE;
  return new TokenBrokerError(
    "credentials_unavailable",
    `The AWS credentials${profile ? ` of the profile ${profile}` : ""} did not come within ${seconds(timeoutMs)}.`,
    { hint: sourceHint },
  );
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function notAssumable(message: string): TokenBrokerError {
  const role = /\barn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+/.exec(message)?.[0];
  return new TokenBrokerError(
    "no_credentials",
    `AWS does not let this identity assume the role${role ? ` ${role}` : ""}.`,
    {
      hint: "The role's trust policy must name the identity, and the identity's own policies must allow sts:AssumeRole on the role.",
    },
  );
}

const network =
  /\b(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND)\b/;

/** Providers that wrap the failure of a connection keep its code in the message only. */
function networkCode(error: unknown, message: string): string | undefined {
  const code = codeOf(error);
  return code && (network.test(code) || isLasting(code)) ? code : network.exec(message)?.[0];
}

/**
 * Time-outs, throttling and failures of the service, as AWS's SDKs know them:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
function isTransient(error: unknown, name: string, message: string): boolean {
  const { $metadata, $retryable, statusCode } = Object(error) as {
    $metadata?: { httpStatusCode?: unknown };
    $retryable?: unknown;
    statusCode?: unknown;
  };
  const status =
    Number($metadata?.httpStatusCode ?? statusCode) || Number(/status: (\d{3})\b/.exec(message)?.[1]);
  return (
    Boolean($retryable) ||
    status === 429 ||
    status >= 500 ||
    /TimeoutError|Throttl|TooManyRequests|SlowDown|RequestLimitExceeded|RequestTimeout|ServiceUnavailable|InternalFailure|IDPCommunicationError/.test(
      `${name} ${message}`,
    )
  );
}

/** Only the name of an error's class. Keys and signatures do not look like `TokenProviderError`. */
const kindOf = (name: string) =>
  /^(?:[A-Z]{1,4}[a-z]{2,}){1,8}$/.test(name) && name.length <= 60 && name !== "Error" ? name : undefined;
