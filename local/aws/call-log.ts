/** The calls that arrived, for tests. */
import type { ArrivedCall, AwsCall } from "./call.ts";

/** The local run may stand for days; a test looks at its latest calls. */
const MAX_CALLS = 10_000;

export interface CallLog {
  /** Recorded on arrival, so that a call that hangs is seen too. */
  arrived(call: ArrivedCall): (status: number, errorType?: string) => void;
  list(): AwsCall[];
  clear(): void;
}

export function createCallLog(): CallLog {
  let calls: AwsCall[] = [];
  return {
    arrived(call) {
      const entry: AwsCall = { ...call, status: 0 };
      // Cut in halves, not one by one: shifting ten thousand entries at each call would show in the benchmark.
      if (calls.length >= 2 * MAX_CALLS) calls = calls.slice(-MAX_CALLS);
      calls.push(entry);
      return (status, errorType) => {
        entry.status = status;
        if (errorType !== undefined) entry.errorType = errorType;
      };
    },
    list: () => structuredClone(calls.slice(-MAX_CALLS)),
    clear: () => {
      calls = [];
    },
  };
}
