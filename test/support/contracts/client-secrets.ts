/** What the reader of client secrets must do over every Secrets Manager. */
import { inspect } from "node:util";
import { DeleteSecretCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { secretsManager } from "../../../functions/adapters/secrets-manager.ts";
import { Unavailable, UnusableSecret } from "../../../functions/use-cases/ports.ts";
import { canary, findLeaks } from "../canary.ts";
import { virtualClock } from "../fakes/virtual-clock.ts";
import type { AwsUnderTest, StartAws } from "./aws-under-test.ts";

const pair = { client_id: "client-1", client_secret: canary.clientSecret };
const newer = { client_id: "client-2", client_secret: `${canary.clientSecret}2` };

async function unusable(promise: Promise<unknown>): Promise<UnusableSecret> {
  const error = await promise.then(
    () => expect.fail("expected an error"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UnusableSecret)) return expect.fail(`no UnusableSecret: ${error}`);
  // As a logger would print it, cause and all.
  expect(findLeaks(inspect(error, { depth: 10 }))).toEqual([]);
  return error;
}

export function clientSecretsContract(name: string, startAws: StartAws): void {
  describe(`over ${name}`, () => {
    let aws: AwsUnderTest;
    let made = 0;
    beforeAll(async () => {
      aws = await startAws();
    });
    afterAll(() => aws?.close());
    beforeEach(() => {
      aws.awsProxy.setFault(undefined);
      aws.awsProxy.setAuthorize(undefined);
      aws.awsProxy.clearCalls();
    });

    async function secretUnderTest(value: string | object = pair) {
      const id = `looker/secret-${++made}`;
      const clock = virtualClock();
      const { versionId, arn } = await aws.putSecret(id, value);
      const secrets = secretsManager(aws.secretsClient(), clock);
      return { id, arn, clock, versionId, secrets };
    }

    const reads = () => aws.awsProxy.calls().length;

    it("a secret is read by name or ARN, with its version and when it was read", async () => {
      const { id, arn, secrets, versionId, clock } = await secretUnderTest();
      const secret = {
        clientId: "client-1",
        clientSecret: canary.clientSecret,
        versionId,
        readAt: clock.now(),
      };
      expect(await secrets.current(id)).toEqual(secret);
      expect(await secrets.current(arn)).toEqual(secret);
      expect(aws.awsProxy.calls()).toMatchObject([
        { operation: "GetSecretValue" },
        { operation: "GetSecretValue" },
      ]);
    });

    describe("current", () => {
      it("is read once in five minutes, and then anew", async () => {
        const { id, secrets, clock } = await secretUnderTest();
        const { versionId } = await secrets.current(id);
        const { versionId: newVersionId } = await aws.putSecret(id, newer);
        clock.jump(299_999);
        expect((await secrets.current(id)).versionId).toBe(versionId);
        expect(reads()).toBe(1);
        clock.jump(1);
        expect(await secrets.current(id)).toMatchObject({ versionId: newVersionId, clientId: "client-2" });
        expect(reads()).toBe(2);
      });

      it("keeps each secret apart", async () => {
        const { id, secrets } = await secretUnderTest();
        const other = (await secretUnderTest(newer)).id;
        expect((await secrets.current(id)).clientId).toBe("client-1");
        expect((await secrets.current(other)).clientId).toBe("client-2");
        expect((await secrets.current(id)).clientId).toBe("client-1");
        expect(reads()).toBe(2);
      });

      it("is not older than five minutes, even when Secrets Manager is down", async () => {
        const { id, secrets, clock } = await secretUnderTest();
        await secrets.current(id);
        aws.awsProxy.setFault(() => ({ throw: "unavailable" }));
        clock.jump(299_999);
        expect((await secrets.current(id)).clientId).toBe("client-1");
        clock.jump(1);
        await expect(secrets.current(id)).rejects.toBeInstanceOf(Unavailable);
        aws.awsProxy.setFault(undefined);
        expect((await secrets.current(id)).clientId).toBe("client-1");
      });
    });

    describe("reread", () => {
      it("asks at most every ten seconds, and gives the new version from then on", async () => {
        const { id, secrets, clock, versionId } = await secretUnderTest();
        await secrets.current(id);
        const { versionId: newVersionId } = await aws.putSecret(id, newer);
        clock.jump(9_999);
        expect((await secrets.reread(id)).versionId).toBe(versionId);
        expect(reads()).toBe(1);
        clock.jump(1);
        expect((await secrets.reread(id)).versionId).toBe(newVersionId);
        expect((await secrets.reread(id)).versionId).toBe(newVersionId);
        expect((await secrets.current(id)).versionId).toBe(newVersionId);
        expect(reads()).toBe(2);
      });

      it("gives no outdated copy, however young it is", async () => {
        const { id, secrets, clock } = await secretUnderTest();
        const { readAt } = await secrets.current(id);
        const { versionId: newVersionId } = await aws.putSecret(id, newer);
        clock.jump(1);
        expect((await secrets.reread(id, readAt)).versionId).toBe(newVersionId);
        expect((await secrets.reread(id, readAt)).versionId).toBe(newVersionId);
        expect(reads()).toBe(2);
      });

      it("counts the five minutes of current from the rereading", async () => {
        const { id, secrets, clock } = await secretUnderTest();
        await secrets.current(id);
        clock.jump(200_000);
        await secrets.reread(id);
        clock.jump(299_999);
        await secrets.current(id);
        expect(reads()).toBe(2);
      });
    });

    it("a version that is only pending is not read", async () => {
      const { id, secrets, versionId } = await secretUnderTest();
      const SecretString = JSON.stringify(newer);
      const VersionStages = ["AWSPENDING"];
      await aws
        .secretsClient()
        .send(new PutSecretValueCommand({ SecretId: id, SecretString, VersionStages }));
      expect((await secrets.current(id)).versionId).toBe(versionId);
    });

    describe("a secret that cannot be used", () => {
      it("is not_found where there is none", async () => {
        const { secrets } = await secretUnderTest();
        expect((await unusable(secrets.current("looker/missing"))).reason).toBe("not_found");
      });

      it("is deleted while it waits for its deletion, and not_found after", async () => {
        const { id, secrets } = await secretUnderTest();
        const client = aws.secretsClient();
        await client.send(new DeleteSecretCommand({ SecretId: id }));
        expect((await unusable(secrets.current(id))).reason).toBe("deleted");
        await client.send(new DeleteSecretCommand({ SecretId: id, ForceDeleteWithoutRecovery: true }));
        expect((await unusable(secrets.current(id))).reason).toBe("not_found");
      });

      it("is access_denied where the role may not read it", async () => {
        const { id, secrets } = await secretUnderTest();
        aws.awsProxy.setAuthorize(() => ({ allow: false, reason: "test" }));
        expect((await unusable(secrets.current(id))).reason).toBe("access_denied");
      });

      it.each<[what: string, value: string | object]>([
        ["no JSON", canary.clientSecret],
        ["JSON cut short", `{"client_id":"a","client_secret":"${canary.token}`],
        ["an empty text", " "],
        ["null", "null"],
        ["a text in JSON", JSON.stringify(canary.token)],
        ["a list", [pair]],
        ["no client_secret", { client_id: "a" }],
        ["no client_id", { client_secret: canary.token }],
        ["names in another case", { clientId: "a", clientSecret: canary.token }],
        ["an empty client_secret", { ...pair, client_secret: "" }],
        ["a number", { ...pair, client_id: 7 }],
        ["a newline that was pasted along", { ...pair, client_secret: `${canary.token}\n` }],
        ["a space", { ...pair, client_id: "a b" }],
        ["signs beyond ASCII", { ...pair, client_secret: `${canary.token}é` }],
        ["a secret of 257 characters", { ...pair, client_secret: "a".repeat(257) }],
        ["names from the prototype", '{"__proto__":{"client_id":"a","client_secret":"b"}}'],
      ])("is malformed where it holds %s, and its content stays unsaid", async (_, value) => {
        const { id, secrets } = await secretUnderTest(value);
        expect((await unusable(secrets.current(id))).reason).toBe("malformed");
      });

      it("is malformed where it is binary", async () => {
        const { id, secrets } = await secretUnderTest();
        const SecretBinary = Buffer.from(JSON.stringify(pair));
        await aws.secretsClient().send(new PutSecretValueCommand({ SecretId: id, SecretBinary }));
        expect((await unusable(secrets.current(id))).reason).toBe("malformed");
      });

      it("does not stay so once it is mended", async () => {
        const { id, secrets } = await secretUnderTest("broken");
        await unusable(secrets.current(id));
        await aws.putSecret(id, pair);
        expect((await secrets.current(id)).clientId).toBe("client-1");
      });

      it("may hold further fields", async () => {
        const { id, secrets } = await secretUnderTest({ ...pair, note: "for sales" });
        expect((await secrets.current(id)).clientId).toBe("client-1");
      });
    });

    it.each(["unavailable", "internal", "throttle", "reset"] as const)("%s is Unavailable", async (fault) => {
      const { id, secrets } = await secretUnderTest();
      aws.awsProxy.setFault(() => ({ throw: fault }));
      await expect(secrets.current(id)).rejects.toMatchObject({ dependency: "secretsmanager" });
      await expect(secrets.current(id)).rejects.toBeInstanceOf(Unavailable);
    });

    it("parallel readers of one instance get the same secret", async () => {
      const { id, secrets, versionId } = await secretUnderTest();
      const read = await Promise.all([secrets.current(id), secrets.reread(id), secrets.current(id)]);
      expect(read.map((secret) => secret.versionId)).toEqual([versionId, versionId, versionId]);
      await secrets.current(id);
      expect(reads()).toBeLessThanOrEqual(3);
    });
  });
}
