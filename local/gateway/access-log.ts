/**
 * The access log of a stage: one line for each request, in the format that the template gives.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 */
import { rootOf } from "../trace-header.ts";
import { formatRequestTime } from "./event.ts";

export interface AccessLog {
  /** Text with `$context` variables. */
  readonly format: string;
  write(line: string): void;
}

export interface LoggedRequest {
  readonly at: Date;
  readonly requestId: string;
  /** X-Ray's tracing header. */
  readonly trace: string;
  readonly method: string;
  /** As sent, with the stage and without the query string. */
  readonly path: string;
  readonly sourceIp: string;
  readonly status: number;
  readonly latencyMs: number;
  /** Undefined when no route matched. */
  readonly resource?: string | undefined;
  /** Undefined unless the signature was verified. */
  readonly principal?: { readonly caller: string; readonly userArn: string } | undefined;
  /** Undefined when no function was invoked. */
  readonly integration?: {
    readonly latencyMs?: number;
    /** Of the function's answer. */
    readonly status?: number | undefined;
    /** A defect, or an invocation that could not be made: the client gets a bare 500. */
    readonly error?: string;
  };
  /** Of the gateway's own answers. */
  readonly responseType?: string | undefined;
}

const variables: Record<string, (request: LoggedRequest) => string | number | undefined> = {
  "$context.requestTime": ({ at }) => formatRequestTime(at),
  "$context.requestId": ({ requestId }) => requestId,
  "$context.xrayTraceId": ({ trace }) => rootOf(trace).replace("Root=", ""),
  "$context.httpMethod": ({ method }) => method,
  "$context.resourcePath": ({ resource }) => resource,
  "$context.path": ({ path }) => path,
  "$context.status": ({ status }) => status,
  "$context.identity.caller": ({ principal }) => principal?.caller,
  "$context.identity.userArn": ({ principal }) => principal?.userArn,
  "$context.identity.sourceIp": ({ sourceIp }) => sourceIp,
  "$context.identity.vpceId": () => undefined,
  "$context.responseLatency": ({ latencyMs }) => latencyMs,
  "$context.integration.latency": ({ integration }) => integration?.latencyMs,
  "$context.integration.status": ({ integration }) => integration?.status,
  "$context.integration.error": ({ integration }) => integration?.error,
  "$context.error.responseType": ({ responseType }) => responseType,
};

/** Every use of a variable, known here or not. */
const variable = /\$\w+(?:\.\w+)*/g;

/** At the start, because a field that stays empty would not be noticed. */
export function checkAccessLogFormat(format: string): void {
  for (const [used] of format.matchAll(variable))
    if (!Object.hasOwn(variables, used)) throw new Error(`The access log's ${used} is not supported here`);
}

/** A variable without a value is a hyphen. */
export const accessLogLine = (format: string, request: LoggedRequest): string =>
  format.replaceAll(variable, (used) =>
    JSON.stringify(String(variables[used]?.(request) ?? "-")).slice(1, -1),
  );
