import { describe, expect, it } from "vitest";
import { checkAnswer } from "../src/answer-shape.ts";

const requests = [
  ["GET", "/scopes"],
  ["POST", "/scopes/sales/token"],
  ["POST", "/scopes/sales/logout"],
  ["GET", "/scopes/sales/leases"],
  ["DELETE", "/scopes/sales/leases"],
  ["PUT", "/scopes/sales/freeze"],
  ["DELETE", "/scopes/sales/freeze"],
] as const;

describe("an answer of 2xx", () => {
  it.each(requests)("that says nothing is no broker's: %s %s", (method, path) => {
    for (const body of [{}, [], null, undefined, "", { message: "ok" }])
      expect(() => checkAnswer({ method, path }, body)).toThrow(
        expect.objectContaining({ code: "not_a_broker" }),
      );
  });

  it.each([
    { matched: 1, revoked: -1, pending: 0 },
    { matched: 1, revoked: "1", pending: 0 },
    { matched: 1, revoked: 1 },
    { matched: Number.NaN, revoked: 0, pending: 0 },
  ])("with counts that are none never becomes a revocation: %j", (body) => {
    expect(() => checkAnswer({ method: "DELETE", path: "/scopes/sales/leases" }, body)).toThrow();
  });

  it.each(["javascript:alert(1)", "file:///etc/passwd", "looker.example.com", "https://", "//x", ""])(
    "with a token for %j is refused",
    (base_url) => {
      const token = { access_token: "t", lease_id: "l", expires_in: 1, base_url };
      expect(() => checkAnswer({ method: "POST", path: "/scopes/sales/token" }, token)).toThrow(
        expect.objectContaining({ code: "not_a_broker" }),
      );
    },
  );

  it("of a dry run counts what matches, and nothing else", () => {
    const request = { method: "DELETE", path: "/scopes/sales/leases", query: { dry_run: "true" } } as const;
    expect(() => checkAnswer(request, { matched: 2 })).not.toThrow();
    expect(() => checkAnswer(request, { revoked: 2, pending: 0 })).toThrow();
  });

  it("that freezes must say so", () => {
    const counts = { matched: 0, revoked: 0, pending: 0 };
    const request = { method: "PUT", path: "/scopes/sales/freeze" } as const;
    expect(() => checkAnswer(request, counts)).toThrow();
    expect(() =>
      checkAnswer(request, { ...counts, frozen: { by: "a", at: "b", reason: "c" } }),
    ).not.toThrow();
  });
});
