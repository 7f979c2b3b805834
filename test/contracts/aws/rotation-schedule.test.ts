/** A template's rotation schedule in the local run: through Secrets Manager, Lambda and the AWS proxy. */
import {
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type RotationStand, rotatedSecret, startRotationStand } from "../../support/rotation-stand.ts";

const ALL_STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"];

let stand: RotationStand | undefined;
// The SDK writes a console.debug on each request that takes this for a problem with TLS.
beforeEach(() => void vi.spyOn(console, "debug").mockImplementation(() => {}));
afterEach(async () => {
  vi.restoreAllMocks();
  await stand?.close();
  stand = undefined;
});
const start = async (changes: Parameters<typeof startRotationStand>[0] = {}) => {
  stand = await startRotationStand(changes);
  return stand;
};

async function asAdministrator<T>(
  { awsProxy, region, administrator }: RotationStand,
  call: (client: SecretsManagerClient) => Promise<T>,
): Promise<T> {
  const client = new SecretsManagerClient({ endpoint: awsProxy.url, region, credentials: administrator });
  try {
    return await call(client);
  } finally {
    client.destroy();
  }
}
const current = (of: RotationStand) =>
  asAdministrator(of, (client) => client.send(new GetSecretValueCommand({ SecretId: rotatedSecret })));
const steps = ({ events }: RotationStand) => events().map(({ Step }) => Step);

it("tests the function when it is deployed, and rotates when its day comes", async () => {
  const running = await start();
  expect(steps(running)).toEqual(["testSecret"]);
  expect((await current(running)).SecretString).toBe("first");
  running.manager.rotations.moveClock(31 * 86_400);
  await running.manager.rotations.runDue();
  expect(steps(running).slice(1)).toEqual(ALL_STEPS);
  expect((await current(running)).SecretString).toBe(`of ${running.events()[1].ClientRequestToken}`);
  const called = new Set(running.awsProxy.calls().map(({ operation }) => operation));
  expect([...called].sort()).toEqual([
    "DescribeSecret",
    "GetSecretValue",
    "PutSecretValue",
    "UpdateSecretVersionStage",
  ]);
});

it("rotates at once if its template does not say otherwise", async () => {
  const running = await start({ schedule: { RotateImmediatelyOnUpdate: { Ref: "AWS::NoValue" } } });
  expect(steps(running)).toEqual(ALL_STEPS);
});

it("is refused as RotateSecret is, when no permission lets Secrets Manager invoke the function", async () => {
  for (const permission of [
    { Principal: "scheduler.amazonaws.com" },
    { SourceAccount: "444455556666" },
    { SourceArn: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:looker/finance-??????" },
    { Action: "lambda:GetFunction" },
  ])
    await expect(start({ permission })).rejects.toThrow(
      "Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
    );
});

it("rotates by hand for a role that may rotate and invoke the function, and for no other", async () => {
  const running = await start({ actions: ["DescribeSecret", "RotateSecret"] });
  const [role] = running.stack.roles;
  const { environmentOf } = running.functions;
  const {
    AWS_ACCESS_KEY_ID = "",
    AWS_SECRET_ACCESS_KEY = "",
    AWS_SESSION_TOKEN = "",
  } = environmentOf("rotate-secret");
  const client = new SecretsManagerClient({
    endpoint: running.awsProxy.url,
    region: running.region,
    credentials: {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      sessionToken: AWS_SESSION_TOKEN,
    },
  });
  const rotate = client.send(new RotateSecretCommand({ SecretId: rotatedSecret }));
  await expect(rotate).rejects.toMatchObject({ name: "AccessDeniedException" });
  client.destroy();
  expect(role?.statements[0]?.Action).toContain("secretsmanager:RotateSecret");
  await asAdministrator(running, (administrator) =>
    administrator.send(new RotateSecretCommand({ SecretId: rotatedSecret })),
  );
  await running.manager.rotations.settled();
  expect(steps(running)).toContain("createSecret");
});
