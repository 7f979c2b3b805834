/** The result of an invocation, for API Gateway. */
export type InvokeResult =
  | { kind: "answer"; payload: unknown }
  | { kind: "function_error"; payload: unknown }
  | { kind: "throttled" }
  /** No instance was free, or none answered, in the time that API Gateway waits. */
  | { kind: "timed_out" };
