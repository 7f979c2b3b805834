/**
 * A rotation function for tests, with the steps of AWS's template:
 * https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas/blob/master/SecretsManagerRotationTemplate/lambda_function.py
 */
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { RotationEvent, RotationStep } from "../../../local/aws/rotation-steps.ts";

/** @throws what a step meets, as a function does. */
export async function rotateAsTemplate(client: SecretsManagerClient, event: RotationEvent): Promise<void> {
  const { SecretId, ClientRequestToken: VersionId } = event;
  const { RotationEnabled, VersionIdsToStages = {} } = await client.send(
    new DescribeSecretCommand({ SecretId }),
  );
  if (!RotationEnabled) throw new Error("not enabled for rotation");
  if (VersionIdsToStages[VersionId]?.includes("AWSCURRENT")) return;
  if (!VersionIdsToStages[VersionId]?.includes("AWSPENDING")) throw new Error("not pending");
  const current = Object.keys(VersionIdsToStages).find((id) =>
    VersionIdsToStages[id]?.includes("AWSCURRENT"),
  );
  const steps: Record<RotationStep, () => Promise<unknown>> = {
    async createSecret() {
      const pending = new GetSecretValueCommand({ SecretId, VersionId, VersionStage: "AWSPENDING" });
      const found = await client.send(pending).catch((error: Error) => {
        if (error.name !== "ResourceNotFoundException") throw error;
      });
      if (found) return;
      const value = { SecretString: `of ${VersionId}`, VersionStages: ["AWSPENDING"] };
      await client.send(new PutSecretValueCommand({ SecretId, ClientRequestToken: VersionId, ...value }));
    },
    setSecret: async () => undefined,
    testSecret: () =>
      client.send(new GetSecretValueCommand({ SecretId, VersionId, VersionStage: "AWSPENDING" })),
    finishSecret: () =>
      client.send(
        new UpdateSecretVersionStageCommand({
          SecretId,
          VersionStage: "AWSCURRENT",
          MoveToVersionId: VersionId,
          ...(current !== undefined && { RemoveFromVersionId: current }),
        }),
      ),
  };
  await steps[event.Step]();
}
