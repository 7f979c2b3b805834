/** Starts rotations: at once, by a schedule, or once more after a failure. */
import { randomUUID } from "node:crypto";
import { windowAfter } from "./rotation-rules.ts";
import { type Delivery, type RotationEvent, type RotationFunctions, runSteps } from "./rotation-steps.ts";
import {
  pendingVersionOf,
  type RotationAttempt,
  type SecretContent,
  type SecretRotation,
  type SecretStore,
  type StoredSecret,
  scheduleNext,
} from "./secret-store.ts";

/**
 * "If any rotation step fails, Secrets Manager retries the entire rotation process multiple times." AWS publishes neither their number
 * nor the pauses.
 */
const RETRY_AFTER_SECONDS = [60, 300, 900, 3_600];
const LOOKS_EVERY_MS = 5_000;

export type RotationRunner = ReturnType<typeof createRotationRunner>;

export function createRotationRunner(store: SecretStore, nowSeconds: () => number) {
  const running = new Set<Promise<void>>();
  const tested = new Set<StoredSecret>();
  let functions: RotationFunctions | undefined;
  let deliveryOf: (event: RotationEvent) => Delivery = () => "once";
  const timer = setInterval(() => void runDue(), LOOKS_EVERY_MS).unref();

  const permits = (functionArn: string, secretArn: string) =>
    functions?.permits(functionArn, secretArn) ?? false;

  /** A retry has the same version. */
  function begin(secret: StoredSecret, rotation: SecretRotation, versionId: string): Promise<void> {
    if (!isStaged(secret, versionId)) store.addPending(secret, versionId);
    const attempt: RotationAttempt = { versionId, failures: rotation.attempt?.failures ?? 0 };
    rotation.attempt = attempt;
    const goesOn = () =>
      rotation.enabled &&
      rotation.attempt === attempt &&
      secret.deletedAt === undefined &&
      isStaged(secret, versionId);
    return inBackground(async () => {
      const outcome = await run(secret, rotation, versionId, goesOn, false);
      if (rotation.attempt !== attempt) return;
      if (outcome === "done" && pendingVersionOf(secret) === undefined) return succeeded(secret, rotation);
      failed(secret, rotation, attempt);
    });
  }

  /** "This test creates an AWSPENDING version of the secret and then removes it." */
  function test(
    secret: StoredSecret,
    rotation: SecretRotation,
    versionId: string,
    content?: SecretContent,
  ): Promise<void> {
    store.addPending(secret, versionId, content);
    tested.add(secret);
    return inBackground(async () => {
      await run(secret, rotation, versionId, () => true, true);
      tested.delete(secret);
      if (secret.labels.get("AWSPENDING") !== versionId) return;
      store.moveLabel(secret, "AWSPENDING", undefined);
      secret.versions.delete(versionId);
    });
  }

  async function run(
    secret: StoredSecret,
    { functionArn }: SecretRotation,
    versionId: string,
    goesOn: () => boolean,
    testOnly: boolean,
  ) {
    // Lambda asks its policy at each invocation.
    const invoke: RotationFunctions["invoke"] = async (arn, event) =>
      permits(arn, secret.arn) && (await functions?.invoke(arn, event)) === true;
    return runSteps(
      { functionArn, secretArn: secret.arn, versionId, invoke, deliveryOf, goesOn },
      { testOnly },
    );
  }

  /**
   * "Our backend cleans up the pending label on rotation completion, outside the rotation lambda."
   * https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas/pull/145
   */
  function succeeded(secret: StoredSecret, rotation: SecretRotation): void {
    store.moveLabel(secret, "AWSPENDING", undefined);
    rotation.lastRotatedAt = nowSeconds();
    scheduleNext(rotation, nowSeconds());
    delete rotation.attempt;
  }

  /**
   * After the last retry the rotation waits for the next window. Its old window stays, because "this date may be in the past". A
   * version without AWSPENDING is not tried again, but another one. AWS does not document this case.
   */
  function failed(
    secret: StoredSecret,
    rotation: SecretRotation,
    { versionId, failures }: RotationAttempt,
  ): void {
    const pause = RETRY_AFTER_SECONDS[failures];
    const next = rotation.rules && windowAfter(rotation.rules, nowSeconds())?.opensAt;
    rotation.attempt = {
      versionId: isStaged(secret, versionId) ? versionId : randomUUID(),
      failures: pause === undefined ? 0 : failures + 1,
      retryAt: pause === undefined ? (next ?? Number.POSITIVE_INFINITY) : nowSeconds() + pause,
    };
  }

  function inBackground(work: () => Promise<void>): Promise<void> {
    const done = work().finally(() => running.delete(done));
    running.add(done);
    return done;
  }

  async function runDue(): Promise<void> {
    const now = nowSeconds();
    const begun = store.all().map((secret) => {
      const { rotation } = secret;
      if (!rotation?.enabled || tested.has(secret) || secret.deletedAt !== undefined) return undefined;
      const { attempt, window } = rotation;
      const at = attempt ? attempt.retryAt : window?.opensAt;
      if (at === undefined || at > now) return undefined;
      return begin(secret, rotation, attempt?.versionId ?? pendingVersionOf(secret) ?? randomUUID());
    });
    await Promise.all(begun);
  }

  return {
    begin,
    test,
    permits,
    connect: (lambda: RotationFunctions) => {
      functions = lambda;
    },
    setDelivery: (chosen: (event: RotationEvent) => Delivery) => {
      deliveryOf = chosen;
    },
    runDue,
    async settled(): Promise<void> {
      while (running.size > 0) await Promise.all(running);
    },
    stop: () => clearInterval(timer),
  };
}

/** A version is current already if its last step moved the label and failed later. */
const isStaged = ({ labels }: StoredSecret, versionId: string) =>
  labels.get("AWSPENDING") === versionId || labels.get("AWSCURRENT") === versionId;
