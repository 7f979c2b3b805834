/**
 * A rotation as Secrets Manager runs it: four synchronous invocations, one after the other, in the background of RotateSecret.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
 */
import { randomUUID } from "node:crypto";

export interface RotationEvent {
  readonly Step: RotationStep;
  /** The secret's ARN. */
  readonly SecretId: string;
  /** The id of the pending version. */
  readonly ClientRequestToken: string;
  readonly RotationToken: string;
}

const ROTATION_STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
export type RotationStep = (typeof ROTATION_STEPS)[number];

/** Lambda, as Secrets Manager sees it. */
export interface RotationFunctions {
  /** Whether the function's own policy lets `secretsmanager.amazonaws.com` invoke it for this secret. */
  permits(functionArn: string, secretArn: string): boolean;
  /** Whether the function answered. It has not if it threw, took too long or was throttled. */
  invoke(functionArn: string, event: RotationEvent): Promise<boolean>;
}

/** A step may come twice, because Secrets Manager repeats an invocation whose answer it has not received. */
export type Delivery = "once" | "twice" | "twice at once";

interface Invocation {
  readonly functionArn: string;
  readonly secretArn: string;
  readonly versionId: string;
  invoke: RotationFunctions["invoke"];
  deliveryOf(event: RotationEvent): Delivery;
  /** Asked before each step. */
  goesOn(): boolean;
}

/** Ends with the first step that fails. `testOnly`: AWS tests a new schedule so. */
export async function runSteps(
  invocation: Invocation,
  { testOnly }: { testOnly: boolean },
): Promise<"done" | "failed" | "stopped"> {
  const { secretArn, versionId, goesOn } = invocation;
  const RotationToken = randomUUID();
  for (const Step of testOnly ? (["testSecret"] as const) : ROTATION_STEPS) {
    if (!goesOn()) return "stopped";
    const event = { Step, SecretId: secretArn, ClientRequestToken: versionId, RotationToken };
    if (!(await succeeds(invocation, event))) return "failed";
  }
  return "done";
}

async function succeeds(
  { functionArn, invoke, deliveryOf }: Invocation,
  event: RotationEvent,
): Promise<boolean> {
  // A port that rejects must not leave the rotation hanging.
  const once = () => invoke(functionArn, event).catch(() => false);
  const delivery = deliveryOf(event);
  if (delivery === "twice at once") {
    const [first] = await Promise.all([once(), once()]);
    return first;
  }
  if (delivery === "twice") await once();
  return once();
}
