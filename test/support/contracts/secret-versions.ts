/** Duties of the adapter for a rotation's secrets, over every Secrets Manager. */
import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { secretVersions } from "../../../functions/adapters/secret-versions.ts";
import { Unavailable, UnusableSecret } from "../../../functions/use-cases/ports.ts";
import { canary, findLeaks } from "../canary.ts";
import type { AwsUnderTest, StartAws } from "./aws-under-test.ts";

const old = { client_id: "client-old", client_secret: `${canary.clientSecret}0`, note: "of the reports" };
const fresh = { clientId: "client-new", clientSecret: `${canary.clientSecret}1`, others: { note: "kept" } };
const another = { ...fresh, clientId: "client-other" };

export function secretVersionsContract(name: string, startAws: StartAws): void {
  describe(`over ${name}`, () => {
    let aws: AwsUnderTest;
    beforeAll(async () => {
      aws = await startAws();
    });
    afterAll(() => aws?.close());

    async function secretUnderTest(value: string | object = old) {
      const id = `looker/rotating-${randomUUID()}x`;
      const { arn, versionId: current } = await aws.putSecret(id, value);
      return { id, arn, current, pending: randomUUID(), versions: secretVersions(aws.secretsClient()) };
    }

    it("a secret is described by name and by ARN, without its values", async () => {
      const { id, arn, current, versions } = await secretUnderTest();
      for (const named of [id, arn]) {
        const described = await versions.describe(named);
        expect(described).toMatchObject({ arn, name: id, rotationEnabled: false });
        expect(described.stages.get(current)).toEqual(["AWSCURRENT"]);
      }
    });

    it("a value is read by stage and by version, with its other fields", async () => {
      const { id, current, versions } = await secretUnderTest();
      const pair = {
        ...{ clientId: "client-old", clientSecret: old.client_secret, versionId: current },
        others: { note: "of the reports" },
      };
      expect(await versions.read(id, { stage: "AWSCURRENT" })).toEqual(pair);
      expect(await versions.read(id, { versionId: current })).toEqual(pair);
    });

    it("a stage and a version without a value are none", async () => {
      const { id, pending, versions } = await secretUnderTest();
      expect(await versions.read(id, { stage: "AWSPENDING" })).toBeUndefined();
      expect(await versions.read(id, { versionId: pending })).toBeUndefined();
    });

    it("a pending version is stored once, and its repetition is the same", async () => {
      const { id, pending, versions } = await secretUnderTest();
      const store = (pair: typeof fresh) => versions.putPending(id, { versionId: pending, pair });
      expect([await store(fresh), await store(fresh), await store(another)]).toEqual([true, true, false]);
      expect(await versions.read(id, { stage: "AWSPENDING" })).toEqual({ ...fresh, versionId: pending });
    });

    it("a stage moves only from where it is", async () => {
      const { id, current, pending, versions } = await secretUnderTest();
      await versions.putPending(id, { versionId: pending, pair: fresh });
      expect(await versions.moveStage(id, "AWSCURRENT", current, pending)).toBe(true);
      expect(await versions.moveStage(id, "AWSCURRENT", current, pending)).toBe(false);
      expect(await versions.read(id, { stage: "AWSCURRENT" })).toMatchObject({ versionId: pending });
    });

    it("a stage can go away", async () => {
      const { id, pending, versions } = await secretUnderTest();
      await versions.putPending(id, { versionId: pending, pair: fresh });
      expect(await versions.moveStage(id, "AWSPENDING", pending)).toBe(true);
      expect(await versions.read(id, { stage: "AWSPENDING" })).toBeUndefined();
    });

    it("a secret of another shape is told by a reason, never by its content", async () => {
      const { id, versions } = await secretUnderTest(`not JSON ${canary.clientSecret}`);
      const error = await versions.read(id, { stage: "AWSCURRENT" }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(UnusableSecret);
      expect(error).toMatchObject({ reason: "malformed" });
      expect(findLeaks(inspect(error, { depth: 10 }))).toEqual([]);
    });

    it("a missing or forbidden secret is told by a reason", async () => {
      const { id, versions } = await secretUnderTest();
      await expect(versions.describe(`${id}-none`)).rejects.toMatchObject({ reason: "not_found" });
      aws.awsProxy.setAuthorize(() => ({ allow: false, reason: "a test" }));
      await expect(versions.describe(id)).rejects.toMatchObject({ reason: "access_denied" });
      aws.awsProxy.setAuthorize(undefined);
    });

    it("an error of Secrets Manager means unavailable", async () => {
      const { id, pending, versions } = await secretUnderTest();
      aws.awsProxy.setFault(() => ({ throw: "internal" }));
      await expect(versions.putPending(id, { versionId: pending, pair: fresh })).rejects.toBeInstanceOf(
        Unavailable,
      );
      aws.awsProxy.setFault(undefined);
    });
  });
}
