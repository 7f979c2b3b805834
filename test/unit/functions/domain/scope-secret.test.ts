import { describe, expect, it } from "vitest";
import { parseScopes, type ScopeDefinition, ScopesError } from "../../../../functions/domain/scope.ts";
import type { RotationDefinition } from "../../../../functions/domain/scope-secret.ts";

const secretArn = "arn:aws:secretsmanager:eu-west-1:444455556666:secret:looker/rotator-AbC123";
const administrator = { secretName: "looker/rotator" };
const definition = (
  rotation?: RotationDefinition,
  changes: Partial<ScopeDefinition> = {},
): ScopeDefinition => ({
  lookerUrl: "https://example.cloud.looker.com",
  secret: { secretName: "looker/sales", ...(rotation === undefined ? {} : { rotation }) },
  callers: ["arn:aws:iam::111122223333:role/report-service"],
  operators: ["arn:aws:iam::111122223333:role/oncall"],
  ...changes,
});
const rotationOf = (rotation: RotationDefinition) =>
  parseScopes({ sales: definition(rotation) }).get("sales")?.rotation;

function errorsOf(input: unknown): readonly string[] {
  try {
    parseScopes(input);
    return [];
  } catch (error) {
    if (error instanceof ScopesError) return error.errors;
    throw error;
  }
}

describe("the rotation of a secret", () => {
  it("is none where none is written", () => {
    expect(parseScopes({ sales: definition() }).get("sales")?.rotation).toBeUndefined();
  });

  it.each<[RotationDefinition, object]>([
    [{ everyDays: 1 }, { everyDays: 1 }],
    [{ everyDays: 365 }, { everyDays: 365 }],
    [
      { everyDays: 30, administrator },
      { everyDays: 30, administratorId: "looker/rotator" },
    ],
    [
      { everyDays: 30, administrator: { secretArn } },
      { everyDays: 30, administratorId: secretArn },
    ],
  ])("%o is read", (written, checked) => {
    expect(rotationOf(written)).toEqual(checked);
  });

  it.each<[unknown, string]>([
    [true, "must be an object like { everyDays: 30 }"],
    [null, "must be an object like { everyDays: 30 }"],
    [[], "must be an object like { everyDays: 30 }"],
    [30, "must be an object like { everyDays: 30 }"],
  ])("is refused as %j", (rotation, message) => {
    expect(errorsOf({ sales: definition(rotation as RotationDefinition) })).toEqual([
      `scope "sales": secret.rotation: ${message}`,
    ]);
  });

  it.each<[object, string]>([
    [{}, "everyDays: is missing"],
    [{ everyDays: 0 }, "everyDays: must be a whole number from 1 to 365"],
    [{ everyDays: 366 }, "everyDays: must be a whole number from 1 to 365"],
    [{ everyDays: 1.5 }, "everyDays: must be a whole number from 1 to 365"],
    [{ everyDays: "30" }, "everyDays: must be a whole number from 1 to 365"],
    [{ everyDays: null }, "everyDays: must be a whole number from 1 to 365"],
    [{ everyDays: 30, days: 1 }, "days: is not a field. The fields are everyDays, administrator"],
    [
      { everyDays: 30, administrator: "looker/rotator" },
      'administrator: must be an object like { secretName: "looker/sales" }',
    ],
    [{ everyDays: 30, administrator: {} }, "administrator: needs either secretName or secretArn"],
    [
      { everyDays: 30, administrator: { ...administrator, secretArn } },
      "administrator: needs either secretName or secretArn",
    ],
    [
      { everyDays: 30, administrator: { secretName: secretArn } },
      "administrator.secretName: is an ARN: write it as secretArn",
    ],
    [
      { everyDays: 30, administrator: { secretName: "a b" } },
      "administrator.secretName: must be 1 to 512 of letters, digits and /_+=.@-",
    ],
    [
      { everyDays: 30, administrator: { secretArn: secretArn.slice(0, -7) } },
      "administrator.secretArn: must be a full secret ARN, ending in - and six characters",
    ],
    [
      { everyDays: 30, administrator: { ...administrator, encryptionKeyArn: "alias/a" } },
      "administrator.encryptionKeyArn: must be the ARN of a KMS key (not of an alias)",
    ],
    [
      { everyDays: 30, administrator: { ...administrator, rotation: { everyDays: 30 } } },
      "administrator.rotation: is not a field. The fields are secretName, secretArn, encryptionKeyArn",
    ],
  ])("%o is refused, with its field", (rotation, message) => {
    expect(errorsOf({ sales: definition(rotation as RotationDefinition) })).toEqual([
      `scope "sales": secret.rotation.${message}`,
    ]);
  });
});

describe("a secret of two scopes", () => {
  const rotating = definition({ everyDays: 30, administrator });

  it.each([
    ["the first", { one: rotating, two: definition() }],
    ["the second", { one: definition(), two: rotating }],
    ["both", { one: rotating, two: rotating }],
  ])("may have its rotation written in %s", (_, scopes) => {
    expect(errorsOf(scopes)).toEqual([]);
  });

  it.each([
    ["days", { everyDays: 60, administrator }],
    ["administrator", { everyDays: 30, administrator: { secretName: "looker/other-rotator" } }],
    ["want of an administrator", { everyDays: 30 }],
  ])("has one rotation: a second one with other %s is refused", (_, other) => {
    expect(errorsOf({ one: rotating, two: definition(other) })).toEqual([
      'scope "two": secret.rotation: differs from the rotation of the same secret in scope "one". A secret has one rotation',
    ]);
  });

  it("has one rotation, also where the first scope writes none", () => {
    const scopes = { one: definition(), two: rotating, three: definition({ everyDays: 60, administrator }) };
    expect(errorsOf(scopes)).toEqual([
      'scope "three": secret.rotation: differs from the rotation of the same secret in scope "two". A secret has one rotation',
    ]);
  });
});

describe("an administrator's secret", () => {
  const rotating = definition({ everyDays: 30, administrator });
  const elsewhere = { lookerUrl: "https://other.example.com" };

  it("may serve two secrets of one Looker", () => {
    const other = { secretName: "looker/people", rotation: { everyDays: 7, administrator } };
    expect(errorsOf({ one: rotating, two: definition(undefined, { secret: other }) })).toEqual([]);
  });

  it("is not sent to two Lookers", () => {
    const other = { secretName: "looker/people", rotation: { everyDays: 7, administrator } };
    expect(errorsOf({ one: rotating, two: definition(undefined, { secret: other, ...elsewhere }) })).toEqual([
      'scope "two": secret.rotation.administrator: is also the secret.rotation.administrator of scope "one", which has another lookerUrl (https://example.cloud.looker.com, not https://other.example.com). One secret belongs to one Looker',
    ]);
  });

  it("is written the same way in all scopes", () => {
    const byArn = { secretName: "looker/people", rotation: { everyDays: 7, administrator: { secretArn } } };
    expect(errorsOf({ one: rotating, two: definition(undefined, { secret: byArn }) })).toEqual([
      'scope "two": secret.rotation.administrator: is the secret.rotation.administrator of scope "one" too. Write it the same way in both',
    ]);
  });

  it("may not be the secret of a scope: callers would get an administrator's tokens", () => {
    const own = definition({ everyDays: 30, administrator: { secretName: "looker/sales" } });
    expect(errorsOf({ sales: own })).toEqual([
      `scope "sales": secret.rotation.administrator: is the secret of scope "sales". Callers must not get an administrator's tokens`,
    ]);
    const callers = definition(undefined, { secret: administrator });
    expect(errorsOf({ one: callers, two: rotating })).toEqual([
      `scope "two": secret.rotation.administrator: is the secret of scope "one". Callers must not get an administrator's tokens`,
    ]);
    expect(errorsOf({ one: rotating, two: callers })).toEqual([
      `scope "two": secret: is the secret.rotation.administrator of scope "one". Callers must not get an administrator's tokens`,
    ]);
  });
});
