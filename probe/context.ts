/** Who runs the probe, on which scope, and how far the probe may go. */
import type { Send } from "./send.ts";

export interface Caller {
  readonly arn: string;
  readonly account: string;
  readonly unique_id: string;
}

export interface GrantedScope {
  readonly scope: string;
  readonly base_url: string;
  readonly lease_seconds: number;
  readonly may: readonly string[];
}

export interface ProbeContext {
  readonly send: Send;
  readonly region: string;
  /** As `GET /scopes` told it. */
  readonly caller: Caller;
  readonly scope: GrantedScope;
  /** A scope of which the runner is no caller. */
  readonly otherScope?: string;
  /** There are credentials of a principal without a policy. */
  readonly bystander: boolean;
  /** Try tokens at Looker. */
  readonly looker: boolean;
  /** End the runner's lease. */
  readonly logout: boolean;
}

/** A name that a scope may have and none has. */
export const noSuchScope = "no-such-scope-as-this";
