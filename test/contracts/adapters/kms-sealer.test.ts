import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Unreadable } from "../../../functions/use-cases/ports.ts";
import { errorOf, type Stand, startStand } from "../../support/aws-stand.ts";
import { canary } from "../../support/canary.ts";
import { coldSealer, identity, kmsSealerContract } from "../../support/contracts/kms-sealer.ts";

kmsSealerContract("the stand-in", startStand);

// What moto differs in: test/contracts/aws/kms.test.ts says how, and whence AWS's side of it is known.
describe("beyond what moto does", () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand();
  });
  afterAll(() => stand.close());

  it.each<[what: string, edit: (sealed: Uint8Array) => Uint8Array]>([
    ["in its first byte", (sealed) => sealed.with(0, (sealed[0] ?? 0) ^ 1)],
    ["in its middle", (sealed) => sealed.with(100, (sealed[100] ?? 0) ^ 128)],
    ["into more than KMS takes", () => new Uint8Array(6_145)],
  ])("a ciphertext that was edited %s is Unreadable", async (_, edit) => {
    const sealed = await coldSealer(stand).seal(canary.token, identity);
    await expect(coldSealer(stand).unseal(edit(new Uint8Array(sealed)), identity)).rejects.toBeInstanceOf(
      Unreadable,
    );
  });

  it("a ciphertext of another key is Unreadable", async () => {
    const sealed = await coldSealer(stand, { keyArn: stand.otherKeyArn }).seal(canary.token, identity);
    await expect(coldSealer(stand).unseal(sealed, identity)).rejects.toBeInstanceOf(Unreadable);
  });

  it("a disabled key is neither an outage nor an edited row", async () => {
    const sealed = await coldSealer(stand).seal(canary.token, identity);
    stand.kms.setKeyState(stand.keyArn, "Disabled");
    const error = await errorOf(coldSealer(stand).unseal(sealed, identity));
    stand.kms.setKeyState(stand.keyArn, "Enabled");
    expect(error).toMatchObject({ name: "DisabledException" });
  });
});
