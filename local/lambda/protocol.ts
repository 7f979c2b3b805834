/** What a function instance and its pool say to each other, over a worker's port or a child's IPC channel. */

/** As Lambda reports a failure to the one who invoked: also the body of a function error. */
export interface ReportedError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

export interface Invocation {
  requestId: string;
  /** JSON text, as Lambda hands it over: an instance never shares an object with anyone. */
  eventJson: string;
  /** Epoch milliseconds at which the function times out. */
  deadline: number;
  functionArn: string;
  traceId: string;
}

export type ToInstance = { kind: "invoke" } & Invocation;

export type FromInstance =
  | { kind: "ready" }
  | { kind: "init_failed"; error: ReportedError }
  | { kind: "answered"; requestId: string; json: string }
  | { kind: "failed"; requestId: string; error: ReportedError }
  /** The runtime is about to exit: an error that no handler saw. */
  | { kind: "crashed"; error: ReportedError };
