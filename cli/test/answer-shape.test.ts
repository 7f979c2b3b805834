import { describe, expect, it } from "vitest";
import { checkAnswer } from "../src/answer-shape.ts";

const requests = [
  ["GET", "/scopes"],
  ["POST", "/scopes/sales/token"],
  ["POST", "/scopes/sales/logout"],
  ["GET", "/scopes/sales/leases"],
  ["GET", "/scopes/sales/account"],
  ["DELETE", "/scopes/sales/leases"],
  ["PUT", "/scopes/sales/freeze"],
  ["DELETE", "/scopes/sales/freeze"],
] as const;

const time = "2026-11-24T13:00:00.000Z";
const check = {
  checked_at: time,
  client_id: "salesclient",
  user: { id: "12", display_name: null },
  roles: [{ name: "Sales API", permissions: 4, models: "all" }],
  findings: [{ code: "old_credential", detail: "Old.", accepted: true }],
  hidden: ["roles"],
};
const never = { checked_at: null, client_id: null, user: null, roles: [], findings: [], hidden: [] };

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

  it("of an account check is taken as the broker gives it, checked, failed or never", () => {
    const request = { method: "GET", path: "/scopes/sales/account" } as const;
    for (const body of [check, { ...never, failed: { at: time, reason: "login_rejected" } }, never])
      expect(() => checkAnswer(request, body)).not.toThrow();
  });

  it.each([
    { checked_at: undefined },
    { checked_at: "some day" },
    { user: { id: 12 } },
    { roles: [{ name: "Sales API", permissions: -1, models: 1 }] },
    { roles: [{ name: "Sales API", permissions: "many", models: 1 }] },
    { findings: [{ code: "old_credential", detail: "Old." }] },
    { findings: [null] },
    { findings: {} },
    { hidden: [1] },
    { failed: {} },
  ])("of an account check with %j is refused", (more) => {
    expect(() =>
      checkAnswer({ method: "GET", path: "/scopes/sales/account" }, { ...check, ...more }),
    ).toThrow(expect.objectContaining({ code: "not_a_broker" }));
  });

  it("that lists leases may lack the account, and no part of it", () => {
    const request = { method: "GET", path: "/scopes/sales/leases" } as const;
    expect(() => checkAnswer(request, { leases: [] })).not.toThrow();
    expect(() => checkAnswer(request, { leases: [], account: {} })).toThrow();
    expect(() => checkAnswer(request, { leases: [], account: { findings: [1] } })).toThrow();
  });
});
