import { Annotations, Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import type { ScopeDefinition, ScopeDefinitions } from "../../../functions/domain/scope.ts";
import {
  account,
  keyArn,
  linesOf,
  region,
  scopeOf,
  secretArn,
  synthesizedHere,
} from "../../support/synthesized.ts";

const sales = scopeOf({ secretName: "looker/sales" });
const role = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const linesAbout = (scopes: Record<string, unknown>) =>
  linesOf(() => synthesizedHere({ scopes: scopes as ScopeDefinitions }));
const linesAboutSales = (changes: object) => linesAbout({ sales: { ...sales, ...changes } });

describe("a misspelt field is refused with its right name", () => {
  it.each([
    [{ lookerURL: "https://x" }, "lookerURL: there is no such field. Did you mean lookerUrl?"],
    [{ caller: [role("a")] }, "caller: there is no such field. Did you mean callers?"],
    [{ lease_seconds: 300 }, "lease_seconds: there is no such field. Did you mean leaseSeconds?"],
    [{ mintsPer10Minutes: 1 }, "mintsPer10Minutes: there is no such field. Did you mean mintsPerTenMinutes?"],
    [
      { tokenLife: 1 },
      "tokenLife: there is no such field. The fields are lookerUrl, secret, account, callers, operators, leaseSeconds, mintsPerTenMinutes, sessionMintsPerTenMinutes",
    ],
    [
      { secret: { secretName: "a", encryptionKey: keyArn } },
      "secret.encryptionKey: there is no such field. Did you mean encryptionKeyArn?",
    ],
    [
      { secret: { secretName: "a", rotate: { everyDays: 30 } } },
      "secret.rotate: there is no such field. Did you mean rotation?",
    ],
    [
      { secret: { secretName: "a", rotation: { everyDays: 30, admin: { secretName: "b" } } } },
      "secret.rotation.admin: there is no such field. Did you mean administrator?",
    ],
    [{ account: { model: ["sales"] } }, "account.model: there is no such field. Did you mean models?"],
  ])("%o", (changes, line) => {
    expect(linesAboutSales(changes)).toEqual([`scope "sales": ${line}`]);
  });
});

describe("a principal", () => {
  it.each(["callers", "operators"])("is not a session, among %s: the line names its role", (list) => {
    const session = `arn:aws:sts::${account}:assumed-role/report-service/i-0a1b2c3d`;
    expect(linesAboutSales({ [list]: [session] })).toEqual([
      `scope "sales": ${list}[0]: "${session}" is a session; write its role's ARN, "${role("report-service")}"`,
    ]);
  });

  it.each(["callers", "operators"])("is listed once, among %s", (list) => {
    expect(linesAboutSales({ [list]: [role("a"), role("b-*"), role("a")] })).toEqual([
      `scope "sales": ${list}[2]: "${role("a")}" is ${list}[0] already`,
    ]);
  });

  it.each([[role("a")], [null], [{ 0: role("a") }]])("is a list: not %j", (callers) => {
    expect(linesAboutSales({ callers })).toEqual([
      'scope "sales": callers: must be a list with at least one IAM role or user ARN',
    ]);
  });
});

describe("a value of JavaScript that JSON would lose is refused", () => {
  it.each<[string, object, string]>([
    [
      "a hole in a list",
      // biome-ignore lint/suspicious/noSparseArray: the mistake that is meant.
      { callers: [, role("a")] },
      'callers[0]: must be text like "arn:aws:iam::111122223333:role/report-*"',
    ],
    [
      "null in a list",
      { operators: [null] },
      'operators[0]: must be text like "arn:aws:iam::111122223333:role/report-*"',
    ],
    ["NaN", { leaseSeconds: Number.NaN }, "leaseSeconds: must be a whole number from 120 to 3600"],
    ["null", { leaseSeconds: null }, "leaseSeconds: must be a whole number from 120 to 3600"],
    [
      "a list in the place of an object",
      { secret: ["looker/sales"] },
      'secret: must be an object like { secretName: "looker/sales" }',
    ],
    [
      "a secret by inheritance",
      { secret: Object.create({ secretName: "looker/sales" }) },
      'secret: must be an object like { secretName: "looker/sales" }',
    ],
    [
      "a field called __proto__",
      JSON.parse('{ "__proto__": { "callers": ["*"] } }'),
      expect.stringMatching(/__proto__: there is no such field. The fields are lookerUrl, /),
    ],
  ])("%s", (_, changes, line) => {
    const own = Object.defineProperties({ ...sales }, Object.getOwnPropertyDescriptors(changes));
    const expected = typeof line === "string" ? `scope "sales": ${line}` : line;
    expect(linesAbout({ sales: own })).toEqual([expected]);
  });

  it("a scope by inheritance", () => {
    expect(linesAbout({ sales: Object.create(sales) })).toEqual([
      'scope "sales": definition: must be a plain object',
    ]);
  });

  it.each([["sales"], [[]], [new Map()], [Promise.resolve({ sales })], [Object.create({ sales })]])(
    "scopes as a whole: %o",
    (scopes) => {
      expect(linesAbout(scopes as Record<string, unknown>)).toEqual([
        "scopes: must be an object of scope definitions by name",
      ]);
    },
  );

  it.each(["__proto__", "constructor", "toString"])("a scope's name that objects have: %s", (name) => {
    const scopes = JSON.parse(`{ "${name}": {} }`);
    expect(linesAbout(scopes)).toContain(
      name === "constructor"
        ? 'scope "constructor": secret: must be an object like { secretName: "looker/sales" }'
        : `scope "${name}": name: must be 1 to 63 of a-z, 0-9 and -, and not begin with -`,
    );
  });
});

describe("a secret", () => {
  const linesAboutSecret = (secret: ScopeDefinition["secret"]) => linesAboutSales({ secret });

  it("by an ARN in secretName is refused with the right field", () => {
    expect(linesAboutSecret({ secretName: secretArn })).toEqual([
      'scope "sales": secret.secretName: is an ARN: write it as secretArn',
    ]);
  });

  it("of another account is refused without its key", () => {
    expect(linesAboutSecret({ secretArn })).toEqual([
      'scope "sales": secret.encryptionKeyArn: is missing. The secret is of account 444455556666, and a secret of another account needs a customer managed key',
    ]);
  });

  it("of the broker's own account needs no key", () => {
    const own = secretArn.replace("444455556666", account);
    expect(() => synthesizedHere({ scopes: { sales: scopeOf({ secretArn: own }) } })).not.toThrow();
  });

  it("of another region than the functions' is refused", () => {
    const far = secretArn.replace(region, "us-east-1");
    expect(linesAboutSecret({ secretArn: far })).toEqual([
      `scope "sales": secret.secretArn: is in us-east-1. Functions in ${region} read secrets of their own region`,
    ]);
  });

  it.each([{ secretName: "looker/sales" }, { secretArn }])("of two scopes has one key: %o", (secret) => {
    const other = keyArn.replace("1234abcd", "5678abcd");
    const lines = linesAbout({
      one: scopeOf({ ...secret, encryptionKeyArn: keyArn }),
      two: scopeOf({ ...secret, encryptionKeyArn: other }),
    });
    expect(lines).toEqual([
      `scope "two": secret.encryptionKeyArn: differs from the key of the same secret in scope "one" (${keyArn}). A secret has one key`,
    ]);
  });
});

describe("a rotation", () => {
  const rotating = (changes: object, administrator?: object) =>
    scopeOf({ ...changes, rotation: { everyDays: 30, ...(administrator && { administrator }) } });
  const own = secretArn.replace("444455556666", account);

  it("of a secret of another account is refused", () => {
    expect(linesAbout({ sales: rotating({ secretArn, encryptionKeyArn: keyArn }) })).toEqual([
      `scope "sales": secret.rotation: is for secrets of the broker's account, and this one is of account 444455556666. The owner of the secret must rotate it there`,
    ]);
  });

  it("of a secret by its ARN is refused in a stack without an account", () => {
    const scopes = { sales: rotating({ secretArn: own, encryptionKeyArn: keyArn }) };
    expect(linesOf(() => synthesizedHere({ scopes, env: { region } }))).toEqual([
      `scope "sales": secret.rotation: is for secrets of the broker's account, and this one is of account ${account}. Use secretName, or give the stack an account`,
    ]);
  });

  it("of a secret of the own account by its ARN is taken", () => {
    expect(() => synthesizedHere({ scopes: { sales: rotating({ secretArn: own }) } })).not.toThrow();
  });

  it("may have an administrator of another account, with a key", () => {
    const administrator = { secretArn, encryptionKeyArn: keyArn };
    const scopes = { sales: rotating({ secretName: "looker/sales" }, administrator) };
    expect(() => synthesizedHere({ scopes })).not.toThrow();
  });

  it.each<[string, object, string]>([
    [
      "of another account without its key",
      { secretArn },
      "encryptionKeyArn: is missing. The secret is of account 444455556666, and a secret of another account needs a customer managed key",
    ],
    [
      "of another region",
      { secretArn: own.replace(region, "us-east-1") },
      `secretArn: is in us-east-1. Functions in ${region} read secrets of their own region`,
    ],
  ])("is refused with an administrator's secret %s", (_, administrator, line) => {
    expect(linesAbout({ sales: rotating({ secretName: "looker/sales" }, administrator) })).toEqual([
      `scope "sales": secret.rotation.administrator.${line}`,
    ]);
  });

  it("of more secrets than the function's policy has room for is refused", () => {
    const many = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
          `scope-${index}`,
          rotating({ secretName: `looker/department-${index}` }),
        ]),
      );
    expect(() => synthesizedHere({ scopes: many(35) })).not.toThrow();
    expect(linesAbout(many(36))).toEqual([
      "scopes: 36 secrets rotate. The policy of a function has room for about 35: deploy a second broker for the others",
    ]);
  });

  it("is refused with two keys of one administrator's secret", () => {
    const administrator = { secretName: "looker/rotator", encryptionKeyArn: keyArn };
    const other = { ...administrator, encryptionKeyArn: keyArn.replace("1234abcd", "5678abcd") };
    const lines = linesAbout({
      one: rotating({ secretName: "looker/one" }, administrator),
      two: rotating({ secretName: "looker/two" }, other),
    });
    expect(lines).toEqual([
      `scope "two": secret.rotation.administrator.encryptionKeyArn: differs from the key of the same secret in scope "one" (${keyArn}). A secret has one key`,
    ]);
  });
});

describe("a shared secret", () => {
  const warningsOf = (scopes: ScopeDefinitions) =>
    Annotations.fromStack(synthesizedHere({ scopes }).stack)
      .findWarning("*", Match.anyValue())
      .map(({ entry }) => entry.data);
  const shared = scopeOf({ secretName: "looker/shared" });

  it("gives one warning at synthesis, and no error", () => {
    expect(warningsOf({ sales, one: shared, two: shared, three: shared })).toEqual([
      "The scopes one, two, three share the secret looker/shared. A client id that is denied in one of them is denied in all, and their tokens can do the same in Looker. [ack: looker-token-broker:shared-secret:looker/shared]",
    ]);
  });

  it("gives no warning where each scope has its own", () => {
    expect(warningsOf({ sales, one: shared })).toEqual([]);
  });
});
