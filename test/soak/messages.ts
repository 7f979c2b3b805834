/** Messages between the load and the broker's process. */
import type { Fault } from "../../local/looker/faults.ts";
import type { LocalPrincipal } from "../../local/principals.ts";

/** Where the broker is, once it has started. */
export interface Started {
  readonly endpoint: string;
  readonly region: string;
  readonly lookerUrl: string;
  readonly principals: readonly LocalPrincipal[];
}

/** The state of the broker's process at one moment. */
export interface Measured {
  readonly residentMb: number;
  readonly rows: number;
  /** Open sockets of the process, with those that listen. */
  readonly sockets: number;
  readonly instances: number;
  /** Tokens that work at Looker. */
  readonly liveTokens: number;
}

export interface Requests {
  measure: { with: undefined; gives: Measured };
  /** Replaces the faults of Looker. */
  weather: { with: readonly Fault[]; gives: undefined };
  /** Kills one instance, chosen by `pick` in [0, 1). */
  kill: { with: number; gives: boolean };
  runSchedules: { with: undefined; gives: undefined };
}

export type Asked = {
  [Name in keyof Requests]: { id: number; name: Name; with: Requests[Name]["with"] };
}[keyof Requests];

export interface Replied {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
