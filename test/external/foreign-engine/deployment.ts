/** A deployed broker, as tests use it. */
import type { RunningLooker } from "../../../local/looker/server.ts";
import type { Credentials, SignedAnswer } from "./botocore.ts";
import type { Engine } from "./engine.ts";

export interface Deployment {
  readonly engine: Engine;
  readonly looker: RunningLooker;
  readonly workDir: string;
  readonly region: string;
  readonly apiId: string;
  /** With the stage, without a trailing slash. */
  readonly endpoint: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** `TimeToLiveSpecification` of the table in the template. */
  readonly timeToLive: object;
  /** Client secrets and keys, and tokens once a test adds them. */
  readonly secrets: Set<string>;
  /** A call of AWS, by the account's root user unless told. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is missing.
  aws(service: string, operation: string, parameters?: object, credentials?: Credentials): Promise<any>;
  /** Makes a role with this policy, or none, and begins a session of it. In the broker's account unless told. */
  assumed(roleName: string, policy?: string, accountId?: string): Promise<Credentials>;
  /** The policies that the stack gives the teams of a scope. */
  policiesOf(scope: string): Promise<Record<"caller" | "operator", string>>;
  /** A signed request. `path` begins after the stage. */
  send(credentials: Credentials, method: string, path: string, body?: object): Promise<SignedAnswer>;
  close(): Promise<void>;
}
