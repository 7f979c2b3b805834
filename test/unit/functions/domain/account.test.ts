import { describe, expect, it } from "vitest";
import {
  type AccountFacts,
  findingsOf,
  type LookerAccount,
  type LookerRole,
} from "../../../../functions/domain/account.ts";
import type { Scope } from "../../../../functions/domain/scope.ts";
import { everything, minimalAccount, minimalRole, set } from "../../../support/fakes/fake-users.ts";

const now = Date.parse("2026-11-28T10:00:00Z");
const daysAgo = (days: number) => now - days * 86_400_000;
type Said = Pick<Scope, "account" | "rotation">;

const facts = (account: Partial<LookerAccount> = {}, ...roles: LookerRole[]): AccountFacts => ({
  account: { ...minimalAccount, ...account },
  roles: roles.length > 0 ? roles : [minimalRole],
  clientId: "clientOne",
  retiring: new Set(),
  hidden: [],
});
const found = (of: AccountFacts, scope: Said = {}) => findingsOf(of, scope, now).map(({ code }) => code);
const role = (more: Partial<LookerRole>): LookerRole => ({ ...minimalRole, ...more });
const pair = (clientId: string, days: number, isDisabled = false) => ({
  id: clientId,
  clientId,
  createdAt: daysAgo(days),
  isDisabled,
});

describe("a minimal account", () => {
  it("has no finding, and none against a definition that it fits", () => {
    expect(found(facts())).toEqual([]);
    expect(
      found(facts(), { account: { permissions: ["access_data", "see_looks"], models: ["sales"] } }),
    ).toEqual([]);
  });
});

describe("an administrator", () => {
  const account = { mayManageCredentials: true };
  it.each([
    [
      "Looker's own set of all permissions",
      facts(account, role({ permissions: everything, models: everything })),
    ],
    [
      "the permission administer",
      facts(account, role({ permissions: set("administer"), models: everything })),
    ],
    ["a second role", facts(account, minimalRole, role({ permissions: everything }))],
    ["IAM", facts({ ...account, isIamAdmin: true }, role({ models: everything }))],
  ])("by %s is one finding, which stands for all others about rights", (_, of) => {
    expect(found(of, { account: { permissions: [], models: [] } })).toEqual(["admin_account"]);
  });

  it("still has the findings about its credentials", () => {
    const credentials = ["a", "b", "clientOne"].map((clientId) => pair(clientId, 91));
    expect(found(facts({ isIamAdmin: true, credentials }))).toEqual([
      "admin_account",
      "many_credentials",
      "old_credential",
    ]);
  });
});

describe("an account with more rights than it needs", () => {
  it.each<[string, LookerRole, Said, string[]]>([
    ["all permissions", role({ permissions: { ...everything, builtIn: false } }), {}, ["all_permissions"]],
    ["all models", role({ models: everything }), {}, ["all_models"]],
    [
      "a permission too many",
      role({ permissions: set("access_data", "see_sql") }),
      { account: { permissions: ["access_data"] } },
      ["permission_beyond_scope"],
    ],
    [
      "a model too many",
      role({ models: set("finance", "sales") }),
      { account: { models: ["sales"] } },
      ["model_beyond_scope"],
    ],
    [
      "anything, where the scope says that it needs nothing",
      minimalRole,
      { account: { permissions: [], models: [] } },
      ["permission_beyond_scope", "model_beyond_scope"],
    ],
  ])("is found: %s", (_, given, scope, codes) => {
    expect(found(facts({}, given), scope)).toEqual(codes);
  });

  it("is found with the first twenty names", () => {
    const names = Array.from({ length: 23 }, (_, number) => `model_${String(number).padStart(2, "0")}`);
    const [finding] = findingsOf(
      facts({}, role({ models: set("sales", ...names) })),
      { account: { models: ["sales"] } },
      now,
    );
    expect(finding?.detail).toBe(
      `Not in the scope's definition: ${names.slice(0, 20).join(", ")} and 3 more.`,
    );
  });

  it("may manage its own credentials", () => {
    expect(found(facts({ mayManageCredentials: true }))).toEqual(["may_manage_credentials"]);
  });
});

describe("credentials", () => {
  it("are too many from the third that is not disabled", () => {
    const three = [pair("clientOne", 1), pair("b", 1), pair("c", 1, true)];
    expect(found(facts({ credentials: three }))).toEqual([]);
    expect(found(facts({ credentials: [...three, pair("d", 1)] }))).toEqual(["many_credentials"]);
  });

  it("are not too many if the rotation deletes them by itself", () => {
    const credentials = ["clientOne", "new", "yesterdays", "older"].map((clientId) => pair(clientId, 1));
    const retiring = new Set(["yesterdays", "older"]);
    expect(found({ ...facts({ credentials }), retiring })).toEqual([]);
    expect(found({ ...facts({ credentials }), retiring: new Set(["older"]) })).toEqual(["many_credentials"]);
  });

  it.each([
    [90, undefined, []],
    [91, undefined, ["old_credential"]],
    [61, { everyDays: 30 }, []],
    [62, { everyDays: 30 }, ["old_credential"]],
  ])("in use of %i days with rotation %o: %o", (days, rotation, codes) => {
    expect(found(facts({ credentials: [pair("clientOne", days)] }), { rotation })).toEqual(codes);
  });

  it("not in use may be old", () => {
    expect(found(facts({ credentials: [pair("clientOne", 1), pair("b", 900)] }))).toEqual([]);
  });

  it("of unknown age are not called old", () => {
    expect(found(facts({ credentials: [] }))).toEqual([]);
  });
});

it("a disabled account is found", () => {
  expect(found(facts({ isDisabled: true }))).toEqual(["user_disabled"]);
});
