/** A request that could not be done, as an answer in Looker's form and as one line for people. Neither holds a token. */
import { TokenBrokerError, type TokenBrokerErrorCode } from "@looker-token-broker/client/broker";
import { failureOf } from "../failure.ts";
import { LookerUnreachable } from "./looker.ts";
import { type LookerReply, lookerError } from "./looker-reply.ts";
import { NotSentAgain, WorkspaceRefused } from "./workspaces.ts";

export interface ProxyFailure {
  readonly reply: LookerReply;
  /** Undefined: the answer says it all. */
  readonly note?: string;
}

/** The broker has decided, and the same request would be answered the same. */
const refused: ReadonlySet<TokenBrokerErrorCode> = new Set([
  "not_allowed",
  "scope_frozen",
  "access_denied",
  "bad_request",
]);

export function proxyFailureOf(error: unknown): ProxyFailure {
  // The tool logs in again, as it would at Looker.
  if (error instanceof NotSentAgain) return { reply: lookerError(401) };
  if (error instanceof LookerUnreachable || error instanceof WorkspaceRefused)
    return { reply: lookerError(502, error.message), note: error.message };
  const { message, hint } = failureOf(error);
  const note = [message, hint].filter(Boolean).join(" ");
  if (!(error instanceof TokenBrokerError)) return { reply: lookerError(500, "The proxy failed."), note };
  if (refused.has(error.code)) return { reply: lookerError(403, note), note };
  const headers = { "Retry-After": String(error.retryAfterSeconds ?? 5) };
  return { reply: lookerError(503, note, headers), note };
}
