/** The template's rotation schedules, as CloudFormation hands them to Secrets Manager. */
import type { Rotations } from "./aws/secrets-manager.ts";
import type { RunningFunctions } from "./lambda/functions.ts";
import { mayInvoke } from "./stack/invoke-permissions.ts";
import { functionNamed } from "./stack/rotations.ts";
import type { LocalStack } from "./stack/template.ts";

/** Returns when its rotations and tests are over. So a broker is at rest once it has started. */
export async function configureRotations(
  secretsManager: Rotations,
  { rotations, functions, invokePermissions }: LocalStack,
  invoke: RunningFunctions["invoke"],
): Promise<void> {
  secretsManager.connect({
    permits: (functionArn, sourceArn) =>
      mayInvoke(invokePermissions, {
        principal: "secretsmanager.amazonaws.com",
        functionArn,
        sourceArn,
      }),
    async invoke(functionArn, event) {
      const target = functionNamed(functions, functionArn);
      return target !== undefined && (await invoke(target.id, event)).kind === "answer";
    },
  });
  for (const { secretId, functionArn, rules, rotateImmediately } of rotations)
    secretsManager.configure({
      SecretId: secretId,
      RotationLambdaARN: functionArn,
      ...(rules && { RotationRules: rules }),
      RotateImmediately: rotateImmediately,
    });
  await secretsManager.settled();
}
