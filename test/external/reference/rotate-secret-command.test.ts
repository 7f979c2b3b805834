/** AWS's own command line rotates a secret of the local run. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { type RotationStand, rotatedSecret, startRotationStand } from "../../support/rotation-stand.ts";
import { tool } from "./tools.ts";

let stand: RotationStand;
beforeAll(async () => {
  stand = await startRotationStand({});
});
afterAll(() => stand?.close());
// The SDK writes a console.debug on each request that takes this for a problem with TLS.
beforeEach(() => void vi.spyOn(console, "debug").mockImplementation(() => {}));

async function aws(...args: string[]) {
  const { accessKeyId, secretAccessKey, sessionToken = "" } = stand.administrator;
  const { stdout } = await promisify(execFile)(tool("aws"), ["secretsmanager", ...args], {
    env: {
      PATH: process.env.PATH,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_REGION: stand.region,
      AWS_DEFAULT_REGION: stand.region,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: stand.awsProxy.url,
      AWS_MAX_ATTEMPTS: "1",
    },
  });
  return stdout === "" ? undefined : JSON.parse(stdout);
}
const onSecret = (operation: string, ...more: string[]) =>
  aws(operation, "--secret-id", rotatedSecret, ...more);

it("aws secretsmanager rotate-secret rotates, and describe-secret shows it", async () => {
  const { VersionId } = await onSecret("rotate-secret");
  await stand.manager.rotations.settled();
  expect(await onSecret("describe-secret")).toMatchObject({
    RotationEnabled: true,
    RotationRules: { AutomaticallyAfterDays: 30 },
    LastRotatedDate: expect.anything(),
    VersionIdsToStages: { [VersionId]: ["AWSCURRENT"] },
  });
  expect((await onSecret("get-secret-value")).SecretString).toBe(`of ${VersionId}`);
});

it("aws secretsmanager rotate-secret refuses in AWS's words while a version is pending", async () => {
  await onSecret("put-secret-value", "--secret-string", "by hand", "--version-stages", "AWSPENDING");
  await expect(onSecret("rotate-secret")).rejects.toMatchObject({
    stderr: expect.stringContaining(
      "(InvalidRequestException) when calling the RotateSecret operation: A previous rotation isn't complete. That rotation will be reattempted.",
    ),
  });
  const rules = JSON.stringify({ ScheduleExpression: "cron(0 3 1 * ? *)", Duration: "2h" });
  const { VersionIdsToStages } = await onSecret("describe-secret");
  const [pending = ""] =
    Object.entries<string[]>(VersionIdsToStages).find(([, [stage]]) => stage === "AWSPENDING") ?? [];
  await onSecret(
    "update-secret-version-stage",
    "--version-stage",
    "AWSPENDING",
    "--remove-from-version-id",
    pending,
  );
  await onSecret("rotate-secret", "--rotation-rules", rules, "--no-rotate-immediately");
  await stand.manager.rotations.settled();
  expect(stand.events().at(-1)?.Step).toBe("testSecret");
  expect((await onSecret("describe-secret")).RotationRules).toEqual(JSON.parse(rules));
  await onSecret("cancel-rotate-secret");
  expect((await onSecret("describe-secret")).RotationEnabled).toBe(false);
});
