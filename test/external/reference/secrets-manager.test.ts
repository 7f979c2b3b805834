import { afterAll, beforeAll, expect, it } from "vitest";
import type { AwsUnderTest } from "../../support/contracts/aws-under-test.ts";
import { clientSecretsContract } from "../../support/contracts/client-secrets.ts";
import { secretsManagerContract } from "../../support/contracts/secrets-manager.ts";
import { startMotoStand } from "./moto.ts";
import { motoGaps } from "./moto-gaps.ts";

secretsManagerContract("moto", startMotoStand);
clientSecretsContract("moto", startMotoStand);

let moto: AwsUnderTest;
beforeAll(async () => {
  moto = await startMotoStand();
});
afterAll(() => moto?.close());

it.each(motoGaps)("moto has not learned yet: $what", async ({ learned }) => {
  expect(await learned(moto.secretsClient())).toBe(false);
});
