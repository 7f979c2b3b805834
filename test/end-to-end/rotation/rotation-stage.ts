/**
 * A whole broker whose secrets rotate. Its functions have this machine's clock, so a day passes by older rows: {@link timePasses}.
 */
import { fileURLToPath } from "node:url";
import {
  DescribeSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect } from "vitest";
import type { Rotations } from "../../../local/aws/secrets-manager.ts";
import type { BrokerOptions } from "../../../local/broker.ts";
import { administratorName } from "../../../local/principals.ts";
import { type AlarmProperties, type AlarmState, stateOf } from "../../support/audit/alarm-state.ts";
import { mustBeEmbeddedMetricFormat } from "../../support/audit/embedded-metric-format.ts";
import {
  auditLines,
  callerOf,
  clientSecretOf,
  leaksIn,
  records,
  type Stand,
  startStand,
  startsWithinMs,
  untilSeen,
} from "../../support/broker-stand.ts";
import { type Row, rowsOf } from "../rows.ts";
import { resourcesOf } from "../runbook-aws.ts";

export const rotated = "looker/sales";
export const administrators = "looker/rotator";
/** Rotates by its own account. */
export const selfRotated = "looker/finance";

export const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;
const hourSeconds = 3_600;

export interface RotationStage {
  readonly stand: Stand;
  readonly rotations: Rotations;
  /** The id, in the template, of the function rotate-secret. */
  readonly functionId: string;
  /** `aws secretsmanager rotate-secret`, by an administrator of the account. Returns the new version's id. */
  rotate(secretId?: string): Promise<string>;
  /** Version ids by stage. */
  stages(secretId?: string): Promise<Readonly<Record<string, string>>>;
  currentClientId(secretId?: string): Promise<string>;
  /** Gives the secret its schedule once more, as an update of the stack does. AWS tests it. */
  changeSchedule(): Promise<void>;
  /** The Looker user of the secret. */
  userId(secretId?: string): string;
  /** Client ids of the account's pairs at Looker. */
  pairs(secretId?: string): readonly string[];
  /** Secrets Manager's retries come until the version is current. */
  untilRotated(versionId: string, secretId?: string): Promise<void>;
  /** The schedule of the function rotate-secret, once. */
  retire(): Promise<void>;
  /** A day and some minutes pass, until the secret's control row waits for nothing. Returns the remaining pairs. */
  untilRetired(secretId?: string): Promise<readonly string[]>;
  /** The secret's control row, as it is. */
  control(secretId?: string): Promise<Row>;
  /** Makes the control rows of all secrets older. The callers' leases stay as they are. */
  timePasses(ms: number): Promise<void>;
  /** Records of all steps and retirements so far. */
  notes(): readonly Row[];
  /** The records that the work adds, when there are so many. */
  notesAfter(work: () => Promise<unknown>, count: number): Promise<readonly Row[]>;
  /** The alarm's state by the metrics of all records so far, a minute from now. */
  alarm(name: string): AlarmState;
}

/** For one test file. */
export function onRotation(options: Partial<BrokerOptions> = {}): RotationStage {
  let stand: Stand;
  let manager: SecretsManagerClient;
  beforeAll(async () => {
    stand = await startStand({
      scopesFile: fileURLToPath(new URL("scopes.ts", import.meta.url)),
      rotates: true,
      ...options,
    });
    const { accessKeyId, secretAccessKey, sessionToken } = callerOf(stand, administratorName).principal;
    manager = new SecretsManagerClient({
      endpoint: stand.broker.awsProxy.url,
      region: stand.broker.region,
      credentials: { accessKeyId, secretAccessKey, sessionToken },
    });
  }, startsWithinMs);
  afterAll(async () => {
    manager?.destroy();
    if (stand) expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0);
    await stand?.stop();
  });

  const userIds = new Map<string, string>();
  beforeAll(async () => {
    for (const secretId of stand.broker.secretIds) {
      const { client_id } = await clientSecretOf(stand.broker, secretId);
      const pair = stand.looker.control.pairs().find(({ clientId }) => clientId === client_id);
      userIds.set(secretId, pair?.userId ?? "");
    }
  });
  const stage: RotationStage = {
    get stand() {
      return stand;
    },
    get rotations() {
      const { rotations } = stand.broker.engines;
      if (!rotations) throw new Error("This Secrets Manager rotates nothing.");
      return rotations;
    },
    get functionId() {
      const [rotation] = stand.broker.stack.rotations;
      const found = stand.broker.stack.functions.find(({ arn }) => rotation?.functionArn.startsWith(arn));
      if (!found) throw new Error("The template has no function that rotates.");
      return found.id;
    },
    async rotate(secretId = rotated) {
      const { VersionId } = await manager.send(new RotateSecretCommand({ SecretId: secretId }));
      return VersionId ?? "";
    },
    async stages(secretId = rotated) {
      const { VersionIdsToStages = {} } = await manager.send(
        new DescribeSecretCommand({ SecretId: secretId }),
      );
      return Object.fromEntries(
        Object.entries(VersionIdsToStages).flatMap(([id, names]) => names.map((name) => [name, id])),
      );
    },
    async currentClientId(secretId = rotated) {
      const { client_id, client_secret } = await clientSecretOf(stand.broker, secretId);
      stand.secrets.add(client_secret);
      return client_id;
    },
    async changeSchedule() {
      const [rotation] = stand.broker.stack.rotations.filter(({ secretId }) => secretId === rotated);
      await manager.send(
        new RotateSecretCommand({
          SecretId: rotated,
          RotationLambdaARN: rotation?.functionArn,
          RotationRules: rotation?.rules,
          RotateImmediately: false,
        }),
      );
    },
    userId: (secretId = rotated) => userIds.get(secretId) ?? "",
    pairs: (secretId) =>
      stand.looker.control
        .pairs()
        .filter(({ userId }) => userId === stage.userId(secretId))
        .map(({ clientId }) => clientId),
    async untilRotated(versionId, secretId) {
      for (let tries = 0; tries < 5; tries++) {
        await stage.rotations.settled();
        const { AWSCURRENT, AWSPENDING } = await stage.stages(secretId);
        if (AWSCURRENT === versionId && AWSPENDING === undefined) return;
        stage.rotations.moveClock(hourSeconds);
        await stage.rotations.runDue();
      }
      throw new Error(`${versionId} is not current: ${JSON.stringify(stage.notes().slice(-4))}`);
    },
    retire: () => stand.broker.runSchedules(stage.functionId),
    async untilRetired(secretId) {
      for (const ms of [dayMs, 5 * minuteMs, 10 * minuteMs]) {
        await stage.timePasses(ms);
        await stage.retire();
      }
      expect((await stage.control(secretId)).rotation).toEqual({ retiring: [] });
      return stage.pairs(secretId);
    },
    control: (secretId = rotated) => withRow(stand, secretId, async (row) => row),
    async timePasses(ms) {
      for (const secretId of stand.broker.secretIds)
        await withRow(stand, secretId, async (row, put) => {
          if (row) await put(older(row, ms));
        });
    },
    notes: () => records(stand.broker).filter(({ kind }) => kind === "rotation"),
    async notesAfter(work, count) {
      const before = stage.notes().length;
      await work();
      await untilSeen(() => stage.notes().length >= before + count, "the records of a rotation");
      return stage.notes().slice(before);
    },
    alarm(name) {
      const [, alarm] =
        Object.entries(resourcesOf(stand)).find(
          ([id, { Type }]) => Type === "AWS::CloudWatch::Alarm" && id.startsWith(`BrokerAlarms${name}`),
        ) ?? [];
      const data = auditLines(stand.broker).flatMap(mustBeEmbeddedMetricFormat);
      return stateOf(alarm?.Properties as AlarmProperties, data, Date.now() + minuteMs);
    },
  };
  return stage;
}

async function withRow<T>(
  stand: Stand,
  secretId: string,
  work: (row: Row, put: (row: Row) => Promise<void>) => Promise<T>,
): Promise<T> {
  const rows = rowsOf(stand);
  try {
    const all = await rows.all();
    const row = all.find(({ pk, sk }) => pk === `secret#${secretId}` && sk === "#control");
    // A write of the functions after this look is one with another version, and fails.
    return await work(row, (next) => rows.put({ ...next, version: next.version + 1 }));
  } finally {
    rows.close();
  }
}

/**
 * The row's times lie `ms` further back. The time of a new pair stays, like Looker's own. The time of an attempt stays, because
 * instances compare it with the age of their secret.
 */
function older(row: Row, ms: number): Row {
  const times = ["at", "until", "queued_at", "moved_at", "deleted_at"];
  const shift = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shift);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        typeof inner === "number" && times.includes(name) ? inner - ms : shift(inner),
      ]),
    );
  };
  const { created, ...rotation } = row.rotation ?? {};
  return {
    ...row,
    attempts: row.attempts.map((attempt: Row) => ({ ...attempt, until: attempt.until - ms })),
    rotation: row.rotation && { ...(shift(rotation) as object), created },
  };
}
