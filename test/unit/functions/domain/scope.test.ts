import { describe, expect, it } from "vitest";
import { parseScopes, type ScopeDefinition, ScopesError } from "../../../../functions/domain/scope.ts";

const role = "arn:aws:iam::111122223333:role/report-*";
const definition = (changes: object = {}): ScopeDefinition => ({
  lookerUrl: "https://example.cloud.looker.com",
  secret: { secretName: "looker/sales" },
  callers: [role],
  operators: ["arn:aws:iam::111122223333:role/oncall"],
  ...changes,
});

function errorsOf(input: unknown): readonly string[] {
  try {
    parseScopes(input);
    return [];
  } catch (error) {
    if (error instanceof ScopesError) return error.errors;
    throw error;
  }
}
const secretArn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:looker/sales-AbC123";

describe("a scope definition", () => {
  it("is read with its defaults", () => {
    expect(parseScopes({ sales: definition() }).get("sales")).toMatchObject({
      name: "sales",
      baseUrl: "https://example.cloud.looker.com",
      secretId: "looker/sales",
      leaseSeconds: 900,
      mintsPerTenMinutes: 10,
      sessionMintsPerTenMinutes: 60,
    });
  });

  it.each([
    [
      "https with a port",
      { lookerUrl: "https://looker.example.com:19999" },
      "https://looker.example.com:19999",
    ],
    ["a trailing slash", { lookerUrl: "https://looker.example.com/" }, "https://looker.example.com"],
    ["http on 127.0.0.1", { lookerUrl: "http://127.0.0.1:4190" }, "http://127.0.0.1:4190"],
    ["http on ::1", { lookerUrl: "http://[::1]:4190" }, "http://[::1]:4190"],
    ["http on localhost", { lookerUrl: "http://localhost:4190" }, "http://localhost:4190"],
    ["the shortest lease", { leaseSeconds: 120 }, "https://example.cloud.looker.com"],
    ["the longest lease", { leaseSeconds: 3600 }, "https://example.cloud.looker.com"],
    ["a secret by ARN", { secret: { secretArn } }, "https://example.cloud.looker.com"],
  ])("may have %s", (_, changes, baseUrl) => {
    expect(parseScopes({ sales: definition(changes) }).get("sales")?.baseUrl).toBe(baseUrl);
  });

  it.each<[string, object, string]>([
    ["an unknown key", { lookerURL: "x" }, "lookerURL"],
    ["an unknown key of the secret", { secret: { secretName: "a", name: "b" } }, "secret.name"],
    ["no URL", { lookerUrl: undefined }, "lookerUrl"],
    ["http on another host", { lookerUrl: "http://looker.example.com" }, "lookerUrl"],
    ["http on a host that begins like loopback", { lookerUrl: "http://127.0.0.1.example.com" }, "lookerUrl"],
    ["http on a private address", { lookerUrl: "http://10.0.0.1" }, "lookerUrl"],
    ["http on every address", { lookerUrl: "http://0.0.0.0" }, "lookerUrl"],
    ["another protocol", { lookerUrl: "ftp://example.com" }, "lookerUrl"],
    ["a data URL", { lookerUrl: "data:text/plain,x" }, "lookerUrl"],
    ["a user in the URL", { lookerUrl: "https://user@example.com" }, "lookerUrl"],
    ["a password in the URL", { lookerUrl: "https://user:pass@example.com" }, "lookerUrl"],
    ["a path in the URL", { lookerUrl: "https://example.com/api/4.0" }, "lookerUrl"],
    ["a query in the URL", { lookerUrl: "https://example.com/?a=b" }, "lookerUrl"],
    ["an empty query in the URL", { lookerUrl: "https://example.com/?" }, "lookerUrl"],
    ["a fragment in the URL", { lookerUrl: "https://example.com/#a" }, "lookerUrl"],
    ["a list for the URL", { lookerUrl: ["https://example.com"] }, "lookerUrl"],
    ["no secret", { secret: undefined }, "secret"],
    ["a secret that is text", { secret: "looker/sales" }, "secret"],
    ["an empty secret", { secret: {} }, "secret"],
    ["both name and ARN", { secret: { secretName: "a", secretArn } }, "secret"],
    ["an empty secret name", { secret: { secretName: "" } }, "secret.secretName"],
    ["a secret name with a newline", { secret: { secretName: "a\n" } }, "secret.secretName"],
    ["an incomplete secret ARN", { secret: { secretArn: secretArn.slice(0, -7) } }, "secret.secretArn"],
    [
      "an ARN of a key for a secret",
      { secret: { secretArn: "arn:aws:kms:eu-west-1:1:key/a" } },
      "secret.secretArn",
    ],
    ["a key alias", { secret: { secretName: "a", encryptionKeyArn: "alias/a" } }, "secret.encryptionKeyArn"],
    ["no callers", { callers: undefined }, "callers"],
    ["empty callers", { callers: [] }, "callers"],
    ["callers that are text", { callers: role }, "callers"],
    ["empty operators", { operators: [] }, "operators"],
    ["a second caller that is no ARN", { callers: [role, "report-service"] }, "callers[1]"],
    ["a caller that is no text", { callers: [null] }, "callers[0]"],
    ["a lease that is too short", { leaseSeconds: 119 }, "leaseSeconds"],
    ["a lease that is too long", { leaseSeconds: 3601 }, "leaseSeconds"],
    ["no lease at all", { leaseSeconds: 0 }, "leaseSeconds"],
    ["a negative lease", { leaseSeconds: -900 }, "leaseSeconds"],
    ["a lease with a fraction", { leaseSeconds: 900.5 }, "leaseSeconds"],
    ["a lease that is text", { leaseSeconds: "900" }, "leaseSeconds"],
    ["a lease that is no number", { leaseSeconds: Number.NaN }, "leaseSeconds"],
    ["a lease without end", { leaseSeconds: Number.POSITIVE_INFINITY }, "leaseSeconds"],
    ["a lease that is null", { leaseSeconds: null }, "leaseSeconds"],
    ["too many mints of sessions", { sessionMintsPerTenMinutes: 601 }, "sessionMintsPerTenMinutes"],
    ["fewer than no mints of sessions", { sessionMintsPerTenMinutes: -1 }, "sessionMintsPerTenMinutes"],
    ["no mints", { mintsPerTenMinutes: 0 }, "mintsPerTenMinutes"],
    ["too many mints", { mintsPerTenMinutes: 61 }, "mintsPerTenMinutes"],
  ])("is refused with %s, naming scope and field", (_, changes, field) => {
    const errors = errorsOf({ sales: definition(changes) });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(`scope "sales": ${field}: `);
  });

  it.each([
    "",
    "Sales",
    "-sales",
    "sales/../people",
    "sales people",
    "säles",
    "a".repeat(64),
    "sales\n",
    "__proto__",
    "_",
  ])("is refused under the name %j", (name) => {
    const input = Object.fromEntries([[name, definition()]]);
    expect(errorsOf(input)).toEqual([expect.stringContaining(`scope ${JSON.stringify(name)}: name: `)]);
  });

  it("is found under the names of Object's own methods only if it was defined", () => {
    const scopes = parseScopes({ constructor: definition() });
    expect(scopes.get("constructor")?.name).toBe("constructor");
    expect(scopes.get("tostring")).toBeUndefined();
    expect(parseScopes({ sales: definition() }).get("constructor")).toBeUndefined();
  });

  it("takes nothing from a prototype that JSON smuggles in", () => {
    const smuggled = JSON.parse(`{"sales": {"__proto__": ${JSON.stringify(definition())}}}`);
    expect(errorsOf(smuggled)).toContainEqual(expect.stringContaining('scope "sales": __proto__: '));
    expect(errorsOf(smuggled)).toContainEqual(expect.stringContaining('scope "sales": callers: '));
  });
});

describe("several definitions", () => {
  it("report all their errors at once", () => {
    const errors = errorsOf({
      sales: definition({ lookerUrl: "http://example.com", callers: [] }),
      people: definition({ leaseSeconds: 1, secret: { secretName: "looker/people" } }),
      "Not a name": null,
    });
    expect(errors.map((error) => error.split(": ").slice(0, 2).join(": "))).toEqual([
      'scope "sales": lookerUrl',
      'scope "sales": callers',
      'scope "people": leaseSeconds',
      'scope "Not a name": name',
      'scope "Not a name": definition',
    ]);
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["a list", [definition()]],
    ["text", "sales"],
    ["nothing", undefined],
    ["an empty object", {}],
  ])("are refused as %s", (_, input) => {
    expect(errorsOf(input)).toEqual([expect.stringMatching(/^scopes: /)]);
  });

  it("may share a secret of one Looker", () => {
    expect(errorsOf({ one: definition(), two: definition() })).toEqual([]);
  });

  it("are refused when one secret is to be sent to two Lookers", () => {
    const errors = errorsOf({
      one: definition(),
      two: definition({ lookerUrl: "https://evil.example.com" }),
    });
    expect(errors).toEqual([expect.stringMatching(/^scope "two": secret: .*scope "one".*another lookerUrl/)]);
  });

  it("are refused when two Lookers share a secret under two spellings", () => {
    const errors = errorsOf({
      one: definition(),
      two: definition({ lookerUrl: "https://evil.example.com", secret: { secretArn } }),
    });
    expect(errors).toContainEqual(expect.stringContaining("another lookerUrl"));
  });

  it("are refused when one secret is written in two ways", () => {
    expect(errorsOf({ one: definition(), two: definition({ secret: { secretArn } }) })).toEqual([
      expect.stringMatching(/^scope "two": secret: .*Write it the same way/),
    ]);
  });

  it("are refused when the third contradicts the second, though not the first", () => {
    const other = { secret: { secretName: "looker/other" } };
    const errors = errorsOf({
      one: definition(),
      two: definition(other),
      three: definition({ ...other, lookerUrl: "https://evil.example.com" }),
    });
    expect(errors).toEqual([expect.stringMatching(/^scope "three": secret: .*scope "two"/)]);
  });

  it("may use secrets of the same name in two accounts for two Lookers", () => {
    const elsewhere = secretArn.replace("111122223333", "444455556666");
    const scopes = {
      one: definition({ secret: { secretArn } }),
      two: definition({ secret: { secretArn: elsewhere }, lookerUrl: "https://other.example.com" }),
    };
    expect(errorsOf(scopes)).toEqual([]);
  });
});
