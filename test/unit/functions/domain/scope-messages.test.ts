import { describe, expect, it } from "vitest";
import { isLoopback, parseScopes, ScopesError } from "../../../../functions/domain/scope.ts";

const account = "111122223333";
const role = `arn:aws:iam::${account}:role/report-*`;
const definition = (changes: object = {}) => ({
  lookerUrl: "https://example.cloud.looker.com",
  secret: { secretName: "looker/sales" },
  callers: [role],
  operators: [role],
  ...changes,
});
const arn = (changes: { partition?: string; region?: string; account?: string; name?: string } = {}) => {
  const { partition = "aws", region = "eu-west-1", name = "looker/sales-AbC123" } = changes;
  return `arn:${partition}:secretsmanager:${region}:${changes.account ?? account}:secret:${name}`;
};
const keyArn = `arn:aws:kms:eu-west-1:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

function refusal(input: unknown): ScopesError {
  try {
    parseScopes(input);
  } catch (error) {
    if (error instanceof ScopesError) return error;
    throw error;
  }
  throw new Error("accepted");
}
const errorsOf = (changes: object) => refusal({ sales: definition(changes) }).errors;

describe("a refusal gives advice", () => {
  it.each<[object, string]>([
    [
      { lookerURL: "x" },
      "lookerURL: is not a field. The fields are lookerUrl, secret, account, callers, operators, leaseSeconds, mintsPerTenMinutes, sessionMintsPerTenMinutes",
    ],
    [
      { secret: { secretName: "a", name: "b" } },
      "secret.name: is not a field. The fields are secretName, secretArn, encryptionKeyArn, rotation",
    ],
    [{ lookerUrl: "example" }, 'lookerUrl: must be a URL like "https://example.cloud.looker.com"'],
    [
      { lookerUrl: "http://example.com" },
      "lookerUrl: must begin with https:// (http:// is for loopback addresses only)",
    ],
    [{ lookerUrl: "https://user@example.com" }, "lookerUrl: must not contain credentials"],
    [
      { lookerUrl: "https://example.com/api" },
      'lookerUrl: must be the origin alone, without path or query: "https://example.com"',
    ],
    [{ secret: "looker/sales" }, 'secret: must be an object like { secretName: "looker/sales" }'],
    [{ secret: {} }, "secret: needs either secretName or secretArn"],
    [
      { secret: { secretArn: "arn" } },
      "secret.secretArn: must be a full secret ARN, ending in - and six characters",
    ],
    [{ secret: { secretName: "a b" } }, "secret.secretName: must be 1 to 512 of letters, digits and /_+=.@-"],
    [
      { secret: { secretName: "a", encryptionKeyArn: 1 } },
      "secret.encryptionKeyArn: must be the ARN of a KMS key (not of an alias)",
    ],
    [{ secret: { secretName: arn() } }, "secret.secretName: is an ARN: write it as secretArn"],
    [{ callers: [role, role] }, `callers[1]: "${role}" is callers[0] already`],
    [{ callers: [] }, "callers: must be a list with at least one IAM role or user ARN"],
    [{ leaseSeconds: 1 }, "leaseSeconds: must be a whole number from 120 to 3600"],
    [{ mintsPerTenMinutes: 0 }, "mintsPerTenMinutes: must be a whole number from 1 to 60"],
  ])("%o", (changes, message) => {
    expect(errorsOf(changes)).toEqual([`scope "sales": ${message}`]);
  });

  it("about the whole file, a scope's shape and its name", () => {
    expect(refusal([]).errors).toEqual(["scopes: must be an object of scope definitions by name"]);
    expect(refusal({}).errors).toEqual(["scopes: must define at least one scope"]);
    expect(refusal({ "-": null }).errors).toEqual([
      'scope "-": name: must be 1 to 63 of a-z, 0-9 and -, and not begin with -',
      'scope "-": definition: must be a plain object',
    ]);
  });

  it("about two scopes with one secret", () => {
    const { errors } = refusal({
      one: definition(),
      two: definition({ lookerUrl: "https://other.example.com", secret: { secretArn: arn() } }),
    });
    expect(errors).toEqual([
      'scope "two": secret: is also the secret of scope "one", which has another lookerUrl (https://example.cloud.looker.com, not https://other.example.com). One secret belongs to one Looker',
      'scope "two": secret: is the secret of scope "one" too. Write it the same way in both',
    ]);
  });

  it("with one line for each fault", () => {
    const error = refusal({ sales: definition({ callers: [], leaseSeconds: 1 }) });
    expect(error.name).toBe("ScopesError");
    expect(error.message.split("\n")).toEqual([
      "The scopes cannot be used:",
      ...error.errors.map((each) => `  - ${each}`),
    ]);
  });
});

describe("a secret's ARN", () => {
  it.each([
    arn({ partition: "aws-cn", region: "cn-north-1" }),
    arn({ partition: "aws-us-gov", region: "us-gov-west-1" }),
    arn({ partition: "aws-eusc", region: "eusc-de-east-1" }),
    arn({ partition: "aws-iso-b", region: "us-isob-east-1" }),
    arn({ name: "a_b/c+d=e.f@g-h-AbC123" }),
  ])("may be %s", (secretArn) => {
    expect(parseScopes({ sales: definition({ secret: { secretArn } }) }).get("sales")?.secretId).toBe(
      secretArn,
    );
  });

  it.each([
    ` ${arn()}`,
    `${arn()} `,
    `${arn()}\n`,
    arn({ partition: "aws-x" }),
    arn({ region: "" }),
    arn({ region: "EU" }),
    arn({ account: "1111222233" }),
    arn({ account: "1111222233334" }),
    arn({ account: "a11122223333" }),
    arn({ name: "-AbC123" }),
    arn({ name: "looker/sales-AbC12" }),
    arn({ name: "looker sales-AbC123" }),
    arn({ name: "looker/sales-AbC12!" }),
  ])("may not be %j", (secretArn) => {
    expect(errorsOf({ secret: { secretArn } })).toHaveLength(1);
  });
});

describe("a key's ARN", () => {
  it.each([
    keyArn,
    keyArn.replace("aws", "aws-cn"),
    keyArn.replace("aws", "aws-us-gov"),
    keyArn.replace("aws", "aws-eusc"),
    keyArn.replace("aws", "aws-iso"),
    keyArn.replace("1234abcd", "mrk-1234abcd"),
  ])("may be %s", (encryptionKeyArn) => {
    const secret = { secretName: "a", encryptionKeyArn };
    expect(parseScopes({ sales: definition({ secret }) }).size).toBe(1);
  });

  it.each([
    ` ${keyArn}`,
    `${keyArn}\n`,
    `${keyArn} x`,
    keyArn.replace("aws", "aws-x"),
    keyArn.replace("eu-west-1", ""),
    keyArn.replace("eu-west-1", "EU"),
    keyArn.replace(account, "1"),
    keyArn.replace(account, "a11122223333"),
    `arn:aws:kms:eu-west-1:${account}:key/`,
    `arn:aws:kms:eu-west-1:${account}:key/a b`,
  ])("may not be %j", (encryptionKeyArn) => {
    expect(errorsOf({ secret: { secretName: "a", encryptionKeyArn } })).toHaveLength(1);
  });
});

it.each([
  ["a".repeat(512), 0],
  ["a".repeat(513), 1],
  [" a", 1],
  ["a ", 1],
])("the length and characters of a secret's name are bounded (%#)", (secretName, errors) => {
  const check = () => errorsOf({ secret: { secretName } }).length;
  if (errors === 0) expect(check).toThrow("accepted");
  else expect(check()).toBe(errors);
});

it.each([
  ["a", true],
  ["0", true],
  ["a".repeat(63), true],
  ["a-1", true],
  [" a", false],
  ["a ", false],
])("a scope may be called %j: %s", (name, accepted) => {
  const check = () => refusal({ [name]: definition() });
  if (accepted) expect(check).toThrow("accepted");
  else expect(check().errors).toHaveLength(1);
});

it.each([
  ["localhost", true],
  ["[::1]", true],
  ["127.0.0.1", true],
  ["127.255.255.254", true],
  ["127.0.0", false],
  ["127.0.0.1.1", false],
  ["1127.0.0.1", false],
  ["127.0.0.1234", false],
  ["127.a.0.1", false],
  ["127.0.0.1.example.com", false],
  ["localhost.example.com", false],
  ["[::2]", false],
])("%s is this machine: %s", (hostname, expected) => {
  expect(isLoopback(hostname)).toBe(expected);
});

describe("limits", () => {
  it.each([
    ["leaseSeconds", 120, 3_600],
    ["mintsPerTenMinutes", 1, 60],
    ["sessionMintsPerTenMinutes", 0, 600],
  ])("of %s may be at either end, and not beyond", (field, min, max) => {
    for (const value of [min, max])
      expect(parseScopes({ sales: definition({ [field]: value }) }).get("sales")).toMatchObject({
        [field]: value,
      });
    for (const value of [min - 1, max + 1]) expect(errorsOf({ [field]: value })).toHaveLength(1);
  });
});

it("an empty fragment or query is refused", () => {
  for (const lookerUrl of ["https://example.com/#", "https://example.com#", "https://example.com?"])
    expect(errorsOf({ lookerUrl })).toHaveLength(1);
});

it("scopes with different secrets, by ARN and by name, have nothing to do with each other", () => {
  const other = { lookerUrl: "https://other.example.com" };
  const secretArn = arn({ name: "looker/other-AbC123" });
  const scopes = { one: definition(), two: definition({ ...other, secret: { secretArn } }) };
  expect(parseScopes(scopes).size).toBe(2);
});

describe("text is text", () => {
  it.each([
    ["a list for a key's ARN", { secret: { secretName: "a", encryptionKeyArn: [keyArn] } }],
    ["a list for a secret's ARN", { secret: { secretArn: [arn()] } }],
    ["a list for a secret's name", { secret: { secretName: ["a"] } }],
    ["a list for a number", { leaseSeconds: [900] }],
  ])("%s is refused", (_, changes) => {
    expect(errorsOf(changes)).toHaveLength(1);
  });
});

it("another protocol is refused, also on loopback", () => {
  expect(errorsOf({ lookerUrl: "ftp://localhost" })).toHaveLength(1);
});

it("a scope keeps its callers and operators as written", () => {
  const operators = [`arn:aws:iam::${account}:role/oncall`, `arn:aws:iam::${account}:user/alice`];
  const scope = parseScopes({ sales: definition({ operators }) }).get("sales");
  expect(scope?.callers.map(({ text }) => text)).toEqual([role]);
  expect(scope?.operators.map(({ text }) => text)).toEqual(operators);
});

describe("two scopes with one secret", () => {
  it("are not compared if one of them is faulty", () => {
    const { errors } = refusal({ one: definition(), two: definition({ lookerUrl: "http://example.com" }) });
    expect(errors).toHaveLength(1);
  });

  it.each([
    ["by the same ARN", { secretArn: arn() }, { secretArn: arn() }],
    ["by its ARN, and then by its name", { secretArn: arn() }, { secretName: "looker/sales" }],
  ])("of two Lookers are refused when it is written %s", (_, first, second) => {
    const { errors } = refusal({
      one: definition({ secret: first }),
      two: definition({ secret: second, lookerUrl: "https://other.example.com" }),
    });
    expect(errors).toContainEqual(expect.stringContaining("another lookerUrl"));
  });
});
