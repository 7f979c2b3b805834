/** Any failure as one line that says what is wrong and what to try, or as JSON; never a stack. */
import { TokenBrokerError, type TokenBrokerErrorCode } from "../errors.ts";
import type { Paint } from "./colour.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { UsageError } from "./usage-error.ts";

export interface Failure {
  readonly exitCode: number;
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
  scope_frozen: "Ask the scope's operators: `looker-token leases` shows them why.",
};

export function failureOf(error: unknown): Failure {
  if (error instanceof UsageError) return { exitCode: error.exitCode, code: "usage", message: error.message };
  if (error instanceof TokenBrokerError) {
    const { code, message, hint, status, requestId } = error;
    return {
      exitCode: exitCodeOf(code),
      code,
      message,
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

/** "" where the message says it all. */
const hintOf = (hint: string) => (hint === "" ? {} : { hint });

export function failureLine({ message, hint, code, request_id }: Failure, paint: Paint): string {
  const id = code === "internal" && request_id ? ` Request id: ${request_id}.` : "";
  const text = [message, hint].filter(Boolean).join(" ").replace(/\s+/g, " ");
  return `${paint("red", "looker-token:")} ${text}${id}\n`;
}

export function failureJson({ exitCode: _, ...error }: Failure): string {
  return `${JSON.stringify({ error })}\n`;
}
