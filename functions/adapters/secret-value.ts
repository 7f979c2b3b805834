/** The value of a client secret, and Secrets Manager's reasons for giving none. */
import { UnusableSecret } from "../use-cases/ports.ts";

const reasons: Record<string, UnusableSecret["reason"]> = {
  ResourceNotFoundException: "not_found",
  AccessDeniedException: "access_denied",
  // The secret is scheduled for deletion: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
  InvalidRequestException: "deleted",
  DecryptionFailure: "access_denied",
};

/** The error with its reason, if it says that the secret cannot be used. */
export function asUnusable(error: unknown): UnusableSecret | undefined {
  if (error instanceof UnusableSecret) return error;
  const reason = error instanceof Error ? reasons[error.name] : undefined;
  return reason && new UnusableSecret(reason, { cause: error });
}

/**
 * Never quotes the value. JSON.parse's own message would.
 * @throws {UnusableSecret}
 */
export function parsePair(text: string | undefined): {
  clientId: string;
  clientSecret: string;
  others: Record<string, unknown>;
} {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    throw new UnusableSecret("malformed");
  }
  const {
    client_id: clientId,
    client_secret: clientSecret,
    ...others
  } = (value ?? {}) as Record<string, unknown>;
  if (!isPlain(clientId) || !isPlain(clientSecret)) throw new UnusableSecret("malformed");
  return { clientId, clientSecret, others };
}

/** Printable ASCII: a client id is part of an encryption context and of records. A pasted newline is a mistake. */
function isPlain(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value);
}
