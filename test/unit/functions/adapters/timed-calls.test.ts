/** kms_ms and secretsmanager_ms of a record: the time of remote calls, without cached answers. */
import type { KMSClient } from "@aws-sdk/client-kms";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, it } from "vitest";
import { kmsSealer } from "../../../../functions/adapters/kms-sealer.ts";
import { secretsManager } from "../../../../functions/adapters/secrets-manager.ts";
import { sealIdentity } from "../../../../functions/use-cases/ports.ts";
import { startTimings } from "../../../../functions/use-cases/timings.ts";
import { callerKey, inMemoryBroker, lookerUrl } from "../../../support/fakes/in-memory-broker.ts";

const identity = sealIdentity(callerKey(), {
  leaseId: "lease-one",
  baseUrl: lookerUrl,
  clientId: "clientOne",
});
const sealed = new TextEncoder().encode("sealed");

/** An AWS client that takes 30 ms for each call. */
function taking30Ms(clock: { time: number }, answer: object) {
  return {
    async send() {
      clock.time += 30;
      return answer;
    },
  };
}

it("KMS: a token that is kept in memory costs no call, so its request has no time of KMS", async () => {
  const clock = { time: 1_000 };
  const kms = taking30Ms(clock, { Plaintext: new TextEncoder().encode("token"), CiphertextBlob: sealed });
  const sealer = kmsSealer(kms as unknown as KMSClient, { keyArn: "arn:key", tableName: "table" });
  const request = () => {
    const timings = startTimings(() => clock.time);
    return { timings, sealer: timings.of({ ...inMemoryBroker().first, sealer }).sealer };
  };

  const first = request();
  expect(await first.sealer.unseal(sealed, identity)).toBe("token");
  expect(first.timings.spent()).toEqual({ kms_ms: 30 });
  const second = request();
  expect(await second.sealer.unseal(sealed, identity)).toBe("token");
  expect(second.timings.spent()).toEqual({});
  const third = request();
  await third.sealer.seal("token", identity);
  expect(third.timings.spent()).toEqual({ kms_ms: 30 });
});

it("Secrets Manager: a secret that is kept in memory costs no call, so its request has no time of it", async () => {
  const clock = { time: 1_000 };
  const client = taking30Ms(clock, {
    SecretString: JSON.stringify({ client_id: "clientOne", client_secret: "secret-of-one" }),
    VersionId: "version-1",
  });
  const secrets = secretsManager(client as unknown as SecretsManagerClient, {
    now: () => clock.time,
    sleep: async () => {},
  });
  const spent = async (read: "current" | "reread") => {
    const timings = startTimings(() => clock.time);
    await timings.of({ ...inMemoryBroker().first, secrets }).secrets[read]("looker/sales");
    return timings.spent();
  };
  expect(await spent("current")).toEqual({ secretsmanager_ms: 30 });
  expect(await spent("current")).toEqual({});
  expect(await spent("reread")).toEqual({});
  clock.time += 11_000;
  expect(await spent("reread")).toEqual({ secretsmanager_ms: 30 });
});
