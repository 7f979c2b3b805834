/** There are no AWS credentials. The provider's own message is not passed on: it may quote a command's output. */
import { TokenBrokerError } from "./errors.ts";

export function credentialsError(error: unknown): TokenBrokerError {
  if (error instanceof TokenBrokerError) return error;
  const { name, message } = error instanceof Error ? error : { name: "", message: "" };
  const profile = process.env.AWS_PROFILE;
  if (/\bsso\b/i.test(message) || name === "TokenProviderError")
    return new TokenBrokerError(
      "no_credentials",
      `The SSO session${profile ? ` of the AWS profile ${profile}` : ""} has expired or was never begun.`,
      { hint: `Run \`aws sso login${profile ? ` --profile ${profile}` : ""}\`.` },
    );
  const kind = /^[A-Za-z0-9]{3,60}$/.test(name) && name !== "Error" ? ` (${name})` : "";
  return new TokenBrokerError(
    "no_credentials",
    profile
      ? `The AWS profile ${profile} gives no credentials${kind}.`
      : `No AWS credentials were found${kind}.`,
  );
}
