import { describe, expect, it } from "vitest";
import { failureOf } from "../../../../functions/use-cases/mint-job.ts";
import { Unavailable, Unreadable, UnusableSecret } from "../../../../functions/use-cases/ports.ts";
import { type AuditFields, noteNamed } from "../../../../functions/use-cases/record.ts";

const noted = (error: unknown) => {
  const audit: AuditFields = {};
  return { failure: failureOf(error, audit), audit };
};
const named = (name: unknown) => Object.assign(new Error("secret-of-one"), { name });

describe("an error during a login", () => {
  it("explains an unusable secret, and where to look", () => {
    expect(noted(new UnusableSecret("malformed"))).toEqual({
      failure: {
        code: "looker_rejected_credentials",
        detail:
          "The scope's secret cannot be used (malformed). An operator should check it in Secrets Manager.",
      },
      audit: { reason: "secret_malformed" },
    });
  });

  it("allows another try if a dependency is away, and the record names it", () => {
    expect(noted(new Unavailable("kms"))).toEqual({
      ...{ failure: { code: "busy" }, audit: { reason: "kms_unavailable" } },
    });
  });

  it("counts an unreadable row", () => {
    expect(noted(new Unreadable()).audit).toEqual({
      ...{ reason: "mint_failed", unreadable: 1, error: "Unreadable" },
    });
  });

  it.each(["AccessDeniedException", "E", "x".repeat(64)])("is on record by its class: %s", (name) => {
    expect(noted(named(name)).audit).toEqual({ reason: "mint_failed", error: name });
  });

  it.each(["", "x".repeat(65), "a b", "token=abc", "abc1", "1abc", 7, ["A"], undefined])(
    "is not on record by a strange name: %j",
    (name) => {
      expect(noted(named(name)).audit).toEqual({ reason: "mint_failed" });
    },
  );
});

describe("a named lease", () => {
  it.each([
    ["a".repeat(20), { lease_id: "a".repeat(20) }],
    ["a".repeat(21), {}],
    [undefined, {}],
  ])("%j is on record unless it may be a token", (leaseId, expected) => {
    const audit: AuditFields = {};
    noteNamed(audit, "lease_id", leaseId);
    expect(audit).toEqual(expected);
  });
});
