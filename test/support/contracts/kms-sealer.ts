/** What the sealer must do over every KMS. */
import { KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clientLimits } from "../../../functions/adapters/aws-client.ts";
import { kmsSealer } from "../../../functions/adapters/kms-sealer.ts";
import { type SealContext, Unavailable, Unreadable } from "../../../functions/use-cases/ports.ts";
import { canary, errorText, findLeaks } from "../canary.ts";
import { type AwsUnderTest, errorOf, ISSUE, REGION, type StartAws } from "./aws-under-test.ts";

const cacheSize = 1_000;
export const identity: Omit<SealContext, "table"> = {
  scope: "sales",
  account: "123456789012",
  caller: "AROA00000000000000001",
  session: "-",
  lease_id: "lease-1",
  base_url: "https://sales.cloud.looker.com",
  client_id: "client-1",
};
const names = Object.keys(identity) as (keyof typeof identity)[];

/** As a new instance has it: nothing in memory. */
export const coldSealer = (aws: AwsUnderTest, { keyArn = aws.keyArn, tableName = "leases" } = {}) =>
  kmsSealer(aws.kmsClient(), { keyArn, tableName });

export function kmsSealerContract(name: string, startAws: StartAws): void {
  describe(`over ${name}`, () => {
    let aws: AwsUnderTest;
    beforeAll(async () => {
      aws = await startAws();
    });
    afterAll(() => aws?.close());
    beforeEach(() => {
      aws.awsProxy.setFault(undefined);
      aws.awsProxy.setAuthorize(undefined);
      aws.awsProxy.clearCalls();
    });

    const cold = (of: { tableName?: string } = {}) => coldSealer(aws, of);
    const operations = () => aws.awsProxy.calls().map(({ operation }) => operation);
    describe("the encryption context", () => {
      it("has the table and the seven names of the row, under the sealing key", async () => {
        const sealed = await cold().seal(canary.token, identity);
        expect(await cold().unseal(sealed, identity)).toBe(canary.token);
        const encryptionContext = { table: "leases", ...identity };
        expect(aws.awsProxy.calls()).toMatchObject([
          { operation: "Encrypt", resource: aws.keyArn, encryptionContext },
          { operation: "Decrypt", resource: aws.keyArn, encryptionContext },
        ]);
      });

      it.each(names)("binds %s: with another one the token is Unreadable", async (name) => {
        const sealed = await cold().seal(canary.token, identity);
        const other = { ...identity, [name]: `${identity[name]}x` };
        await expect(cold().unseal(sealed, other)).rejects.toBeInstanceOf(Unreadable);
      });

      it("binds the table: a row that was copied to another is Unreadable", async () => {
        const sealed = await cold().seal(canary.token, identity);
        await expect(cold({ tableName: "copy" }).unseal(sealed, identity)).rejects.toBeInstanceOf(Unreadable);
      });
    });

    describe("a ciphertext that was edited is Unreadable", () => {
      it.each<[what: string, edit: (sealed: Uint8Array) => Uint8Array]>([
        ["in its last bit", (sealed) => sealed.with(-1, (sealed.at(-1) ?? 0) ^ 1)],
        ["by cutting it", (sealed) => sealed.slice(0, -1)],
        ["by adding to it", (sealed) => Uint8Array.of(...sealed, 0)],
        ["into one byte", () => Uint8Array.of(1)],
        ["into nothing", () => new Uint8Array()],
      ])("%s", async (_, edit) => {
        const sealer = cold();
        const sealed = await sealer.seal(canary.token, identity);
        await expect(sealer.unseal(edit(new Uint8Array(sealed)), identity)).rejects.toBeInstanceOf(
          Unreadable,
        );
        await expect(sealer.unseal(sealed, identity)).resolves.toBe(canary.token);
      });
    });

    describe("the cache", () => {
      it("has a token from its sealing on, and one from a second instance after one call", async () => {
        const first = cold();
        const sealed = await first.seal(canary.token, identity);
        await first.unseal(sealed, identity);
        expect(operations()).toEqual(["Encrypt"]);
        const second = cold();
        for (let again = 0; again < 3; again++)
          expect(await second.unseal(new Uint8Array(sealed), { ...identity })).toBe(canary.token);
        expect(operations()).toEqual(["Encrypt", "Decrypt"]);
      });

      it.each(names)(
        "is by context too: warm, a ciphertext in a row of another %s is Unreadable",
        async (name) => {
          const sealer = cold();
          const sealed = await sealer.seal(canary.token, identity);
          const other = { ...identity, [name]: `${identity[name]}x` };
          await expect(sealer.unseal(sealed, other)).rejects.toBeInstanceOf(Unreadable);
          expect(operations()).toEqual(["Encrypt", "Decrypt"]);
        },
      );

      it("does not take values that moved between names for the same context", async () => {
        const sealer = cold();
        const sealed = await sealer.seal(canary.token, { ...identity, scope: "a", account: "b,c" });
        const moved = { ...identity, scope: "a,b", account: "c" };
        await expect(sealer.unseal(sealed, moved)).rejects.toBeInstanceOf(Unreadable);
      });

      it("does not remember what was refused", async () => {
        const sealer = cold();
        const sealed = await cold().seal(canary.token, identity);
        const other = { ...identity, caller: "AROA2" };
        for (let again = 0; again < 2; again++)
          await expect(sealer.unseal(sealed, other)).rejects.toBeInstanceOf(Unreadable);
        expect(operations()).toEqual(["Encrypt", "Decrypt", "Decrypt"]);
      });

      it("is bounded, and lets go of what was not used for longest", async () => {
        const sealer = cold();
        const row = (index: number) => ({ ...identity, lease_id: `lease-${index}` });
        const [used, unused] = [await sealer.seal("token-0", row(0)), await sealer.seal("token-1", row(1))];
        const fill = (from: number, to: number) =>
          Promise.all(Array.from({ length: to - from }, (_, at) => sealer.seal("filler", row(from + at))));
        for (let at = 2; at < cacheSize; at += 50) await fill(at, Math.min(at + 50, cacheSize));
        await sealer.unseal(used, row(0));
        await fill(cacheSize, cacheSize + 1);
        aws.awsProxy.clearCalls();
        expect(await sealer.unseal(used, row(0))).toBe("token-0");
        expect(operations()).toEqual([]);
        expect(await sealer.unseal(unused, row(1))).toBe("token-1");
        expect(operations()).toEqual(["Decrypt"]);
      });
    });

    describe("KMS does not help", () => {
      it.each(["unavailable", "internal", "throttle", "reset"] as const)(
        "%s is Unavailable, and a warm token is still served",
        async (fault) => {
          const sealer = cold();
          const sealed = await sealer.seal(canary.token, identity);
          aws.awsProxy.setFault(() => ({ throw: fault }));
          expect(await sealer.unseal(sealed, identity)).toBe(canary.token);
          for (const error of [
            await errorOf(cold().unseal(sealed, identity)),
            await errorOf(sealer.seal(canary.token, identity)),
          ]) {
            expect(error).toBeInstanceOf(Unavailable);
            expect(error).toMatchObject({ dependency: "kms" });
            expect(findLeaks(errorText(error.message))).toEqual([]);
          }
        },
      );

      it("a hang is Unavailable once the client's limit is over", async () => {
        const requestHandler = { ...clientLimits.requestHandler, requestTimeout: 60 };
        const settings = { endpoint: aws.awsProxy.url, region: REGION, credentials: ISSUE };
        const kms = new KMSClient({ ...settings, maxAttempts: 1, requestHandler });
        aws.awsProxy.setFault(() => ({ throw: "hang" }));
        const sealer = kmsSealer(kms, { keyArn: aws.keyArn, tableName: "leases" });
        await expect(sealer.seal(canary.token, identity)).rejects.toBeInstanceOf(Unavailable);
        kms.destroy();
      });

      it("a denied call is neither an outage nor an edited row", async () => {
        const sealed = await cold().seal(canary.token, identity);
        aws.awsProxy.setAuthorize(() => ({ allow: false, reason: "test" }));
        for (const error of [
          await errorOf(cold().unseal(sealed, identity)),
          await errorOf(cold().seal(canary.token, identity)),
        ])
          expect(error).toMatchObject({ name: "AccessDeniedException" });
      });
    });
  });
}
