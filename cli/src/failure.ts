/** Any failure as one line that says what is wrong and what to try, or as JSON; never a stack. */
import { TokenBrokerError, type TokenBrokerErrorCode } from "@looker-token-broker/client/broker";
import type { Paint } from "./colour.ts";
import { AwsFailure } from "./deployment/aws-failure.ts";
import { exitCodeOfError, exitCodes } from "./exit-codes.ts";
import { LostAnswer } from "./lost-answer.ts";
import type { OptionValues } from "./options.ts";
import { safeText } from "./safe-text.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export interface Failure {
  readonly exitCode: number;
  /** In which scope, where a command is for several. */
  readonly scope?: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly status?: number;
  readonly request_id?: string;
}

/** The client's own hints name its options; here they are flags. */
const hints: Partial<Record<TokenBrokerErrorCode, string>> = {
  no_endpoint:
    "Pass --endpoint, or set LOOKER_BROKER_ENDPOINT, to the https URL that the deployment printed; --local finds the broker of `npm start`.",
  no_region: "Pass --region, or set AWS_REGION, to the API's region.",
  wrong_region: "Pass the API's region as --region, or set AWS_REGION to it.",
  timed_out: "Try again.",
  bad_request: "",
  // IAM answers before the broker can, also for a scope that does not exist.
  access_denied:
    "Check the scope's name; then your role's IAM policy must allow execute-api:Invoke on this route of the scope, and no policy may deny it.",
  scope_frozen: "Ask the scope's operators: `looker-token leases` shows them why.",
};

export function failureOf(error: unknown): Failure {
  if (error instanceof UsageError) {
    const { exitCode, message, hint = "" } = error;
    return { exitCode, code: "usage", message, ...hintOf(hint) };
  }
  if (error instanceof LostAnswer) return lost(error);
  if (error instanceof AwsFailure) return error.failure;
  if (error instanceof TokenBrokerError) {
    const { code, summary, hint, status, requestId } = error;
    return {
      // A code of another version of the library is none of these.
      exitCode: exitCodeOfError[code] ?? exitCodes.unavailable,
      code,
      message: summary,
      ...hintOf(hints[code] ?? hint),
      ...(status === undefined ? {} : { status }),
      ...(requestId === undefined ? {} : { request_id: requestId }),
    };
  }
  return {
    exitCode: exitCodes.notDone,
    code: "defect",
    message: error instanceof Error ? error.message : String(error),
  };
}

function lost({ reason, message }: LostAnswer): Failure {
  if (reason.code !== "aborted")
    return { ...failureOf(reason), exitCode: exitCodes.pending, message, hint: "Ask again to be certain." };
  return {
    exitCode: exitCodes.stopped,
    code: reason.code,
    message: "Stopped before the broker had answered: it may have been done all the same.",
    hint: "`looker-token leases` shows what there is.",
  };
}

/** "" where the message says it all. */
const hintOf = (hint: string) => (hint === "" ? {} : { hint });

/** As the user wants to read it. */
export function noteFailure(io: Terminal, { json }: OptionValues, failure: Failure): void {
  io.note(json ? failureJson(failure) : failureLine(failure, io.paintNote));
}

export function failureLine({ scope, message, hint, code, request_id }: Failure, paint: Paint): string {
  const id = code === "internal" && request_id ? ` Request id: ${request_id}.` : "";
  const text = safeText([scope && `${scope}:`, message, hint].filter(Boolean).join(" ").replace(/\s+/g, " "));
  return `${paint("red", "looker-token:")} ${text}${id}\n`;
}

export function failureJson(failure: Failure): string {
  return `${JSON.stringify({ error: errorOf(failure) })}\n`;
}

/** As it stands in JSON, wherever that is. */
export function errorOf({ exitCode: _, ...error }: Failure): object {
  return error;
}
