/** The runbook's entries about rotation: a leaked secret, failed steps, a rotation switched off, and a pair left at Looker. */
import { fileURLToPath } from "node:url";
import {
  CancelRotateSecretCommand,
  DescribeSecretCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { beforeAll, expect, test } from "vitest";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import { clientSecretOf, records, statusAtLooker, untilSeen } from "../support/broker-stand.ts";
import { type Flags, resourcesOf } from "./runbook-aws.ts";
import { onRunbook } from "./runbook-stage.ts";

const secretName = "looker/sales";
const minute = 60_000;
const day = 24 * 60 * minute;
const book = onRunbook(import.meta.filename, {
  scopesFile: fileURLToPath(new URL("rotating-scopes.ts", import.meta.url)),
  rotates: true,
});

/** At the stand-in itself, past the AWS proxy. */
async function atSecrets<Output>(work: (manager: SecretsManagerClient) => Promise<Output>): Promise<Output> {
  const { engines, region } = book.stand.broker;
  const manager = new SecretsManagerClient({
    endpoint: engines.urls.secretsmanager,
    region,
    credentials: ENGINE_CREDENTIAL,
    maxAttempts: 1,
  });
  try {
    return await work(manager);
  } finally {
    manager.destroy();
  }
}

const rotations = () => {
  const { engines } = book.stand.broker;
  if (!engines.rotations) throw new Error("This broker has another Secrets Manager than the stand-in.");
  return engines.rotations;
};

beforeAll(() => {
  const { aws } = book;
  aws.answer("secretsmanager rotate-secret", (flags) => atSecrets((manager) => rotate(manager, flags)));
  aws.answer("secretsmanager describe-secret", (flags) =>
    atSecrets(async (manager) => {
      const described = await manager.send(new DescribeSecretCommand({ SecretId: flags["secret-id"] }));
      const { RotationEnabled, RotationLambdaARN, RotationRules, LastRotatedDate } = described;
      const days = RotationRules?.AutomaticallyAfterDays;
      return [RotationEnabled ? "True" : "False", RotationLambdaARN, days, LastRotatedDate].join("\t");
    }),
  );
  aws.answer("secretsmanager update-secret-version-stage", (flags) =>
    atSecrets(async (manager) => {
      const { Name } = await manager.send(
        new UpdateSecretVersionStageCommand({
          SecretId: flags["secret-id"],
          VersionStage: flags["version-stage"],
          RemoveFromVersionId: flags["remove-from-version-id"],
        }),
      );
      return Name;
    }),
  );
  aws.answer("lambda get-function-configuration", (flags) => {
    const named = resourcesOf(book.stand)[flags["function-name"] ?? ""];
    const id = named?.Metadata?.["broker:function"];
    const rotates = book.stand.broker.stack.functions.find((each) => each.id === id);
    if (rotates?.id !== "rotate-secret") throw new Error(`${flags["function-name"]} rotates nothing`);
    return rotates.arn;
  });
});

async function rotate(manager: SecretsManagerClient, flags: Flags) {
  const days = /^AutomaticallyAfterDays=(\d+)$/.exec(flags["rotation-rules"] ?? "")?.[1];
  const { VersionId } = await manager.send(
    new RotateSecretCommand({
      SecretId: flags["secret-id"],
      ...(flags["rotation-lambda-arn"] && { RotationLambdaARN: flags["rotation-lambda-arn"] }),
      ...(days && { RotationRules: { AutomaticallyAfterDays: Number(days) } }),
    }),
  );
  return VersionId;
}

/** From now on no shell may print its secret. */
async function currentClientId(): Promise<string> {
  const { client_id, client_secret } = await clientSecretOf(book.stand.broker, secretName);
  book.stand.secrets.add(client_secret);
  return client_id;
}
const clientIdsAtLooker = () =>
  book.looker
    .pairs()
    .filter(({ userId }) => userId === "101")
    .map(({ clientId }) => clientId);

const steps = () => records(book.stand.broker).filter(({ kind }) => kind === "rotation");
const failures = (reason: string) => steps().filter((each) => each.reason === reason);

/** The rotation in the control item of the secret, as it was `ms` earlier. */
async function rotationBegan(ms: number): Promise<void> {
  const row = (await book.rows()).find(({ pk, sk }) => pk === `secret#${secretName}` && sk === "#control");
  if (!row) throw new Error("There is no control item of the secret.");
  for (const pair of row.rotation.retiring) {
    pair.queued_at -= ms;
    if (pair.moved_at !== undefined) pair.moved_at -= ms;
    if (pair.denied !== undefined) pair.denied.at -= ms;
  }
  await book.put(row);
}

test("#rotate-now: a leaked secret is rotated and denied, and its pair and tokens are gone", async () => {
  const old = await currentClientId();
  const reports = book.caller("report-service");
  const { json: before } = await reports.token("sales");
  const shell = await book.at("rotate-now");
  shell.set({ SCOPE: "sales", CLIENT_ID: old });

  const started = await shell.type("SECRET=");
  expect([started.exitCode, started.out]).toEqual([0, expect.stringMatching(/^[\w-]{32,}\n$/)]);
  await rotations().settled();
  const fresh = await currentClientId();
  expect(fresh).not.toBe(old);
  expect((await shell.type("looker-token ask")).out).toMatch(
    new RegExp(`step: finishSecret\\noutcome: done\\nclient_id: ${fresh}`),
  );
  // Until it is denied the old pair's token is served, and works.
  expect((await reports.token("sales")).json.lease_id).toBe(before.lease_id);
  expect(await statusAtLooker(book.stand.broker.lookerUrl, before.access_token)).toBe(200);

  const revoked = await shell.type("looker-token revoke");
  expect([revoked.exitCode, revoked.out]).toEqual([0, expect.stringContaining("revoked  1 lease")]);
  expect(await statusAtLooker(book.stand.broker.lookerUrl, before.access_token)).toBe(401);
  // Nobody waited here: an instance that read the secret within the last ten seconds does not read it again yet.
  await untilSeen(
    async () => (await reports.token("sales")).status === 200,
    "a token by the new pair",
    30_000,
  );
  expect((await shell.type("looker-token leases")).out).toContain(fresh);

  await book.stand.broker.runSchedules();
  expect(clientIdsAtLooker(), "callers have five minutes").toEqual([old, fresh]);
  await rotationBegan(5 * minute);
  await book.stand.broker.runSchedules();
  expect(clientIdsAtLooker()).toEqual([fresh]);
  expect((await shell.type("looker-token ask")).out).toMatch(
    new RegExp(`step: retire\\noutcome: deleted\\nclient_id: ${old}`),
  );
}, 120_000);

test("#rotation-failed: an administrator without rights is seen, put right, and the rotation comes to its end", async () => {
  const old = await currentClientId();
  book.looker.changeUser("1", { admin: false });
  await atSecrets((manager) => rotate(manager, { "secret-id": secretName }));
  await rotations().settled();
  await untilSeen(() => book.alarm("RotationFailures") === "ALARM", "the alarm");
  const shell = await book.at("rotation-failed");
  expect((await shell.type("looker-token ask")).out).toMatch(
    /secret: looker\/sales\nstep: createSecret\noutcome: failed\nreason: needs_administrator/,
  );
  expect(await currentClientId()).toBe(old);
  expect((await book.caller("report-service").token("sales")).status).toBe(200);

  book.looker.changeUser("1", { admin: true });
  shell.set({ SECRET: secretName });
  const again = await shell.type("aws secretsmanager rotate-secret");
  expect(again.out).toBe("A previous rotation isn't complete. That rotation will be reattempted.\n");
  rotations().moveClock(60);
  await rotations().runDue();
  expect((await shell.type("looker-token ask")).out).toMatch(/step: finishSecret\noutcome: done/);
  expect(await currentClientId()).not.toBe(old);
}, 120_000);

test("#rotation-failed: somebody else's pending version loses its stage, and the next rotation works", async () => {
  const old = await currentClientId();
  await atSecrets((manager) =>
    manager.send(
      new PutSecretValueCommand({
        SecretId: secretName,
        SecretString: JSON.stringify({ client_id: "somebodys-own", client_secret: "a-secret-of-theirs" }),
        VersionStages: ["AWSPENDING"],
      }),
    ),
  );
  book.stand.secrets.add("a-secret-of-theirs");
  rotations().moveClock((31 * day) / 1000);
  await rotations().runDue();
  const [failed] = failures("foreign_pending");
  const shell = await book.at("rotation-failed");
  expect((await shell.type("looker-token ask")).out).toContain("reason: foreign_pending");
  shell.set({ SECRET: secretName, VERSION: failed?.version });
  expect((await shell.type("aws secretsmanager update-secret-version-stage")).out).toBe(`${secretName}\n`);
  expect((await shell.type("aws secretsmanager rotate-secret")).exitCode).toBe(0);
  await rotations().settled();
  expect(await currentClientId()).not.toBe(old);
}, 120_000);

test("#rotation-overdue: a rotation is switched off, and one command brings it back", async () => {
  await atSecrets((manager) => manager.send(new CancelRotateSecretCommand({ SecretId: secretName })));
  await book.stand.broker.runSchedules();
  await untilSeen(() => book.alarm("RotationOverdue") === "ALARM", "the alarm");
  const old = await currentClientId();
  const shell = await book.at("rotation-overdue");
  shell.set({ SCOPE: "sales", DAYS: "30" });
  expect((await shell.type("SECRET=")).out).toMatch(/^False\t/);
  expect((await shell.type("aws secretsmanager rotate-secret")).exitCode).toBe(0);
  await rotations().settled();
  expect((await shell.type("SECRET=")).out).toMatch(/^True\t\S+RotateSecret\S*\t30\t/);
  expect(await currentClientId()).not.toBe(old);
}, 120_000);

test("#pair-not-retired: Looker does not delete a pair, an operator denies it, and it goes", async () => {
  const old = await currentClientId();
  await atSecrets((manager) => rotate(manager, { "secret-id": secretName }));
  await rotations().settled();
  expect(await currentClientId()).not.toBe(old);
  await rotationBegan(3 * day);
  book.looker.changeUser("1", { admin: false });
  await book.stand.broker.runSchedules();
  await rotationBegan(5 * minute);
  await book.stand.broker.runSchedules();
  await untilSeen(() => book.alarm("UnretiredPairs") === "ALARM", "the alarm");
  const shell = await book.at("pair-not-retired");
  expect((await shell.type("looker-token ask")).out).toMatch(
    new RegExp(`outcome: denied\\nclient_id: ${old}`),
  );
  expect(clientIdsAtLooker()).toContain(old);

  book.looker.changeUser("1", { admin: true });
  shell.set({ CLIENT_ID: old });
  expect((await shell.type("looker-token revoke")).exitCode).toBe(0);
  await rotationBegan(5 * minute);
  await book.stand.broker.runSchedules();
  expect(clientIdsAtLooker()).not.toContain(old);
  expect((await shell.type("looker-token ask")).out).toMatch(
    new RegExp(`outcome: deleted\\nclient_id: ${old}`),
  );
}, 120_000);
