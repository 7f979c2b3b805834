/**
 * The events of the rotation's function: a step, as Secrets Manager sends it, or the schedule's.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
import type { RotationStep } from "../use-cases/record.ts";
import type { StepRequest } from "../use-cases/rotate-secret.ts";
import { RotationFailure } from "../use-cases/rotation-job.ts";

export interface RotationInvocation {
  readonly invokedFunctionArn: string;
  getRemainingTimeInMillis(): number;
}

const steps: readonly RotationStep[] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/**
 * Undefined for the schedule's event, because it names no step.
 * @throws {RotationFailure} `bad_event`
 */
export function readRotationEvent(event: object): StepRequest | undefined {
  if (!("Step" in event)) return undefined;
  const { Step, SecretId, ClientRequestToken, RotationToken } = event as Record<string, unknown>;
  const step = steps.find((each) => each === Step);
  if (!step || !isText(SecretId, 2_048) || !isVersion(ClientRequestToken))
    throw new RotationFailure("bad_event");
  const rotationToken = isText(RotationToken, 4_096) ? RotationToken : undefined;
  return { step, secretId: SecretId, versionId: ClientRequestToken, rotationToken };
}

const isText = (value: unknown, longest: number): value is string =>
  typeof value === "string" && value !== "" && value.length <= longest;
/** Records and Looker's free text show the version. */
const isVersion = (value: unknown): value is string =>
  typeof value === "string" && /^[\w-]{32,64}$/.test(value);

/** Secrets Manager names the function without a version or an alias. */
export const unqualifiedArn = (functionArn: string): string => functionArn.split(":").slice(0, 7).join(":");
