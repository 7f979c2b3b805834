import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ScopeDefinition } from "../../../functions/domain/scope.ts";
import { loadScopes } from "../../../functions/wiring.ts";
import { canonicalSecrets } from "../../../infra/canonical-secrets.ts";
import { account, keyArn, region, scopeOf, secretArn, synthesizedHere } from "../../support/synthesized.ts";

const arnOf = (name: string) => `arn:aws:secretsmanager:${region}:${account}:secret:${name}-a1B2c3`;
const secretOf = (secret: ScopeDefinition["secret"]) =>
  canonicalSecrets({ sales: scopeOf(secret) }, { account, region }).sales?.secret;

describe("a secret's identity", () => {
  it.each(["looker/sales", "looker/sales-admin", "looker/sales-a1B2c3"])(
    "is its name, by whichever way a scope names %s of the own account",
    (name) => {
      expect(secretOf({ secretArn: arnOf(name) })).toEqual({ secretName: name });
      expect(secretOf({ secretName: name })).toEqual({ secretName: name });
    },
  );

  it("keeps its key", () => {
    const encryptionKeyArn = `arn:aws:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
    expect(secretOf({ secretArn: arnOf("looker/sales"), encryptionKeyArn })).toEqual({
      secretName: "looker/sales",
      encryptionKeyArn,
    });
  });

  it("is its name for an administrator's secret too", () => {
    const rotation = { everyDays: 30, administrator: { secretArn: arnOf("looker/rotator") } };
    expect(secretOf({ secretArn: arnOf("looker/sales"), rotation })).toEqual({
      secretName: "looker/sales",
      rotation: { everyDays: 30, administrator: { secretName: "looker/rotator" } },
    });
    expect(secretOf({ secretName: "looker/sales", rotation: { everyDays: 30 } })).toEqual({
      secretName: "looker/sales",
      rotation: { everyDays: 30 },
    });
  });

  it("is its ARN where it is another account's", () => {
    expect(secretOf({ secretArn })).toEqual({ secretArn });
  });

  it.each([
    { env: { account, region }, secretId: "looker/sales" },
    // There the functions refuse to start instead.
    { env: { region }, secretId: arnOf("looker/sales") },
  ])("in a stack of $env is $secretId", ({ env, secretId }) => {
    const { stack } = synthesizedHere({
      env,
      scopes: { sales: scopeOf({ secretArn: arnOf("looker/sales"), encryptionKeyArn: keyArn }) },
    });
    expect(stack.broker.scopes.get("sales")?.secretId).toBe(secretId);
  });
});

describe("two scopes of one secret", () => {
  const spellings = [{ secretName: "looker/sales" }, { secretArn: arnOf("looker/sales") }] as const;

  it("spell it the same way, by the name and field that the operator wrote", () => {
    const scopes = { one: scopeOf(spellings[0]), two: scopeOf(spellings[1]) };
    expect(() => synthesizedHere({ scopes })).toThrow(/scope "two": secret: .*Write it the same way in both/);
  });

  it("share what is known of it when both give the ARN", () => {
    const { stack } = synthesizedHere({ scopes: { one: scopeOf(spellings[1]), two: scopeOf(spellings[1]) } });
    const ids = [...stack.broker.scopes.values()].map(({ secretId }) => secretId);
    expect(ids).toEqual(["looker/sales", "looker/sales"]);
  });
});

describe("the functions of a stack without an account", () => {
  const read = (secret: ScopeDefinition["secret"], accountId = account) => {
    const directory = mkdtempSync(join(tmpdir(), "scopes-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, "scopes.json");
    writeFileSync(file, JSON.stringify({ sales: scopeOf(secret) }));
    return loadScopes(pathToFileURL(file), accountId);
  };

  it("refuse to start with a secret of the own account by its ARN, and name the scope", () => {
    expect(() => read({ secretArn: arnOf("looker/sales") })).toThrow(
      /scope "sales": secret\.secretArn: .*use secretName, or give the stack an account/,
    );
  });

  it("refuse to start with an administrator's secret of the own account by its ARN, and name the field", () => {
    const rotation = { everyDays: 30, administrator: { secretArn: arnOf("looker/rotator") } };
    expect(() => read({ secretName: "looker/sales", rotation })).toThrow(
      /scope "sales": secret\.rotation\.administrator\.secretArn: .*use secretName, or give the stack an account/,
    );
  });

  it("start with a name, or with a secret of another account", () => {
    expect(read({ secretName: "looker/sales" }).get("sales")?.secretId).toBe("looker/sales");
    expect(read({ secretArn }).get("sales")?.secretId).toBe(secretArn);
  });
});
