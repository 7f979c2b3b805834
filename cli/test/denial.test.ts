import { expect, test } from "vitest";
import { denialQuestion, deniedText } from "../src/denial.ts";

const filter = { client_id: "60feedcafd9abdf2eef2" };
const shared = { scopes: ["sales", "support"], in_use: true };
const other = { scopes: ["finance"], in_use: false };

test("before it is done: all scopes of each secret once, what it does there, and the way back", () => {
  expect(denialQuestion(filter, [shared, shared, other], ["sales", "support", "finance"])).toEqual([
    "No new login will be made with this client id:",
    "  sales, support: it is the credential in use. Callers get no new lease until",
    "  the secret holds another pair.",
    "  finance: it is not the credential in use.",
    "The way back is looker-token allow-client.",
  ]);
});

test("scopes that share the secret and were not asked for are named: their leases are not ended", () => {
  expect(denialQuestion(filter, [shared], ["sales"])).toContain(
    "  support: shares a secret with the scopes above. Leases there are not ended by",
  );
});

test("a filter that denies nothing has no words", () => {
  expect(denialQuestion({ ...filter, lease_id: "x" }, [], ["sales"])).toEqual([]);
  expect(deniedText([undefined, undefined])).toBe("");
});

test("a broker that does not say more: only that it is denied", () => {
  expect(denialQuestion(filter, [undefined], ["sales"])).toEqual([
    "No new login will be made with this client id.",
  ]);
});

test("afterwards: a line for each secret", () => {
  expect(deniedText([shared, undefined, shared, other])).toBe(
    "denied   sales, support: no login is made with the client id any more; it was the one in use: callers get new leases once the secret holds another pair\ndenied   finance: no login is made with the client id any more\n",
  );
});
