import { describe, expect, it } from "vitest";
import { accountCheckKey } from "../../../../functions/adapters/account-row.ts";
import { checkCaller, openFindings } from "../../../../functions/domain/account-check.ts";
import type { Rotation } from "../../../../functions/domain/rotation.ts";
import { parseScopes, type Scope, type Scopes } from "../../../../functions/domain/scope.ts";
import { checkAccounts } from "../../../../functions/use-cases/check-account.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import type { AuditFields } from "../../../../functions/use-cases/record.ts";
import { everything, fakeUsers, minimalRole, set } from "../../../support/fakes/fake-users.ts";
import { fixedLimits, inMemoryBroker, lookerUrl } from "../../../support/fakes/in-memory-broker.ts";
import { inMemoryOperator, operatePorts, sweepNow } from "../../../support/fakes/in-memory-operator.ts";
import { nameOf } from "../../../support/fakes/memory-slot-table.ts";

const hour = 3_600_000;
const week = 7 * 24 * hour;
const key = {
  scope: "sales",
  account: checkCaller.account,
  uniqueId: checkCaller.uniqueId,
  callerArn: checkCaller.callerArn,
};

const scopesWith = (account: object = {}, more: object = {}): Scopes =>
  parseScopes({
    sales: {
      ...fixedLimits,
      lookerUrl,
      secret: { secretName: "looker/sales" },
      callers: ["arn:aws:iam::111122223333:role/report-service"],
      operators: ["arn:aws:iam::111122223333:role/oncall"],
      account,
      ...more,
    },
  });

function checked(broker = inMemoryBroker()) {
  const users = fakeUsers((token) => broker.looker.live.has(token));
  return {
    broker,
    users,
    run: async (scopes = scopesWith(), budgetMs = 280_000) => {
      const audit: AuditFields = {};
      const ports = { ...broker.instance(), ...operatePorts(broker), users };
      await checkAccounts(ports, { scopes, deadline: broker.clock.now() + budgetMs, audit });
      return audit;
    },
    row: () => broker.table.accountChecks.read("sales"),
  };
}

describe("a check", () => {
  it("is one login, three questions with its token, and one logout", async () => {
    const { broker, users, run, row } = checked();
    const audit = await run();
    const [login, logout] = broker.looker.ledger;
    expect(broker.looker.ledger).toHaveLength(2);
    expect([login?.kind, logout?.kind]).toEqual(["login", "logout"]);
    expect(users.asked).toEqual(["me", "account", "roles"].map((question) => [question, "looker-token-1"]));
    expect(broker.looker.live.size).toBe(0);
    expect(await row()).toMatchObject({
      checked: { at: broker.clock.now(), clientId: "clientOne", userId: "12", findings: [] },
    });
    expect(audit).toMatchObject({
      outcome: "checked",
      account_findings: 0,
      account_checks_failed: 0,
      logins: 1,
      logouts: 1,
      account_checks: [{ scope: "sales", client_id: "clientOne", user_id: "12", findings: [] }],
    });
    // No caller holds this lease, so the record names no holder.
    expect(audit).not.toHaveProperty("lease_id");
    expect(audit.mints).toHaveLength(1);
    expect(audit.lease_ends).toHaveLength(1);
  });

  it("is made again after a week, and asks Looker nothing before", async () => {
    const { broker, users, run } = checked();
    await run();
    broker.clock.jump(week - 1);
    await run();
    expect(users.asked).toHaveLength(3);
    broker.clock.jump(1);
    await run();
    expect(users.asked).toHaveLength(6);
  });

  it("is made again after a day if a finding is open, so that its alarm ends soon after the cure", async () => {
    const { broker, users, run } = checked();
    users.is.roles = [{ ...minimalRole, models: everything }];
    await run();
    users.is.roles = [minimalRole];
    broker.clock.jump(24 * hour - 1);
    expect(await run()).toMatchObject({ account_findings: 1 });
    broker.clock.jump(1);
    expect(await run()).toMatchObject({ account_findings: 0 });
  });

  it("is made after a new client id in the secret, at the next run", async () => {
    const { broker, users, run, row } = checked();
    await run();
    broker.stored.set("looker/sales", { clientId: "clientTwo", clientSecret: "two", versionId: "version-2" });
    broker.clock.jump(hour);
    await run();
    expect(users.asked).toHaveLength(6);
    expect((await row()).checked?.clientId).toBe("clientTwo");
  });

  it("does not count the pairs that the rotation replaced and will delete", async () => {
    const { broker, users, run } = checked();
    const credentials = ["clientOne", "older", "oldest"].map((clientId) => ({
      ...{ id: clientId, clientId, isDisabled: false },
    }));
    users.is.account = { ...users.is.account, credentials };
    const movedAt = broker.clock.now();
    const retiring = ["older", "oldest"].map((clientId) => ({
      ...{ clientId, userId: "12", versionId: clientId, queuedAt: movedAt, movedAt },
    }));
    const { secretControls } = broker.table;
    const rotate = async (rotation: Rotation) => {
      const stored = await secretControls.read("looker/sales");
      const next = { ...stored, version: stored.version + 1, writeId: "rotation", rotation };
      expect(await secretControls.write("looker/sales", next, stored.version)).toBe(true);
    };
    await rotate({ retiring });
    expect(await run()).toMatchObject({ account_findings: 0 });
    await rotate({ retiring: [] });
    broker.clock.jump(week);
    expect(await run()).toMatchObject({ account_findings: 1 });
  });

  it("of scopes with one secret waits for the first login with its new version", async () => {
    const { run } = checked();
    const sales = scopesWith().get("sales") as Scope;
    const scopes = ["sales", "reports", "forecasts"].map((name) => [name, { ...sales, name }] as const);
    expect(await run(new Map(scopes))).toMatchObject({ logins: 3, account_checks_failed: 0 });
  });

  it("knows the rotation of a secret from another scope of it", async () => {
    const { broker, users, run } = checked();
    const createdAt = broker.clock.now() - 100 * 24 * hour;
    users.is.account = {
      ...users.is.account,
      credentials: [{ id: "1", clientId: "clientOne", createdAt, isDisabled: false }],
    };
    const rotating = (everyDays: number): Scopes => {
      const scopes = scopesWith();
      const sales = scopes.get("sales") as Scope;
      return new Map([
        ["sales", sales],
        ["reports", { ...sales, name: "reports", rotation: { everyDays } }],
      ]);
    };
    expect(await run(rotating(60))).toMatchObject({ account_findings: 0 });
    expect(await run(rotating(30))).toMatchObject({ account_findings: 2 });
  });

  it("is made when the scope says something else of its account, but not when it accepts a finding", async () => {
    const { users, run } = checked();
    users.is.roles = [{ ...minimalRole, models: everything }];
    expect(await run()).toMatchObject({ account_findings: 1 });
    expect(await run(scopesWith({ accept: ["all_models"] }))).toMatchObject({ account_findings: 0 });
    expect(users.asked).toHaveLength(3);
    await run(scopesWith({ accept: ["all_models"], permissions: ["access_data"] }));
    expect(users.asked).toHaveLength(6);
  });

  it("counts findings of earlier checks in each run, so that an alarm stays on", async () => {
    const { broker, users, run } = checked();
    users.is.roles = [{ ...minimalRole, permissions: set("administer") }];
    await run();
    broker.clock.jump(hour);
    const audit = await run();
    expect(audit.account_findings).toBe(1);
    expect(audit.account_checks).toBeUndefined();
  });

  it("uses no caller's lease and no caller's budget", async () => {
    const { broker, run } = checked();
    for (let count = 0; count < 10; count++) {
      const { leaseId } = await broker.issue();
      await broker.logOut({ leaseId });
    }
    expect((await broker.ask()).code).toBe("too_many_mints");
    await run();
    broker.clock.jump(600_000);
    for (let count = 0; count < 10; count++) {
      const { leaseId } = await broker.issue();
      await broker.logOut({ leaseId });
    }
    expect((await run()).account_checks_failed).toBe(0);
  });
});

describe("a check that does not work", () => {
  it.each([
    ["Looker refuses the pair", "login_rejected"],
    ["Looker is away", "login_unreached_ECONNREFUSED"],
  ])("keeps the findings of the last one, and is tried again at the next run: %s", async (_, reason) => {
    const { broker, users, run, row } = checked();
    users.is.roles = [{ ...minimalRole, models: everything }];
    await run();
    broker.clock.jump(week);
    broker.looker.onLogin = () =>
      reason === "login_rejected" ? { kind: "rejected" } : { kind: "unreached", reason: "ECONNREFUSED" };
    expect(await run()).toMatchObject({
      account_findings: 1,
      account_checks_failed: 1,
      account_checks: [{ scope: "sales", reason }],
    });
    expect(await row()).toMatchObject({
      failed: { reason },
      checked: { findings: [{ code: "all_models" }] },
    });
    broker.looker.onLogin = undefined;
    broker.clock.jump(hour);
    expect(await run()).toMatchObject({ account_checks_failed: 0 });
    expect((await row()).failed).toBeUndefined();
  });

  it("does not add to Looker's lock-out: a rejected version is tried once in a back-off by callers and checks together", async () => {
    const { broker, run } = checked();
    broker.looker.onLogin = () => ({ kind: "rejected" });
    await broker.ask();
    await run();
    await run();
    expect(broker.looker.logins()).toBe(1);
  });

  it("ends its lease even if Looker answers no question", async () => {
    const { broker, users, run } = checked();
    users.onAsk = () => ({ kind: "unknown", reason: "timeout" });
    expect((await run()).account_checks).toEqual([{ scope: "sales", reason: "user_timeout" }]);
    expect(broker.looker.live.size).toBe(0);
  });

  it("leaves a token to the sweeper if Looker does not confirm its end", async () => {
    const { broker, run } = checked();
    broker.looker.onLogout = () => "unconfirmed";
    expect(await run()).toMatchObject({ account_checks_failed: 0 });
    expect(broker.looker.live.size).toBe(1);
    broker.looker.onLogout = undefined;
    broker.clock.jump(60_000);
    await sweepNow(broker);
    expect(broker.looker.live.size).toBe(0);
  });

  it("waits while the scope is frozen: a freeze is not a failure", async () => {
    const operator = inMemoryOperator();
    const { broker, users, run } = checked(operator.broker);
    await operator.freeze();
    expect(await run()).toMatchObject({ account_checks_failed: 0 });
    expect(broker.looker.logins()).toBe(0);
    await operator.unfreeze();
    expect(await run()).toMatchObject({ account_checks_failed: 0 });
    broker.clock.jump(week);
    await operator.freeze();
    expect(await run()).toMatchObject({ account_checks_failed: 0 });
    expect(users.asked).toHaveLength(3);
  });

  it("asks metered questions again after a day, and not each hour", async () => {
    const { broker, users, run } = checked();
    users.onAsk = () => ({ kind: "failed", reason: "shape" });
    await run();
    broker.clock.jump(24 * hour - 1);
    await run();
    expect(users.asked).toHaveLength(1);
    broker.clock.jump(1);
    await run();
    expect(users.asked).toHaveLength(2);
  });

  it("says so if an operator ends its lease meanwhile", async () => {
    const operator = inMemoryOperator();
    const { users, run } = checked(operator.broker);
    users.onAsk = async (question) => {
      if (question === "account") await operator.revoke({ caller: checkCaller.callerArn });
      return undefined;
    };
    expect((await run()).account_checks).toEqual([{ scope: "sales", reason: "token_ended" }]);
  });

  it("does not begin without the time for its end", async () => {
    const { broker, run } = checked();
    await run(scopesWith(), 20_000);
    expect(broker.looker.ledger).toEqual([]);
  });

  it("keeps no other scope from its check", async () => {
    const { broker, users, run } = checked();
    const both = new Map([
      ...parseScopes({
        people: {
          lookerUrl,
          secret: { secretName: "looker/people" },
          callers: ["arn:aws:iam::111122223333:role/hr"],
          operators: ["arn:aws:iam::111122223333:role/oncall"],
        },
      }),
      ...scopesWith(),
    ]);
    broker.stored.set("looker/people", "malformed");
    broker.table.items.set(nameOf(accountCheckKey("people")), {
      ...accountCheckKey("people"),
      schema: 1,
      version: 1,
      write_id: "x",
    });
    expect((await run(both)).account_checks).toMatchObject([
      { scope: "people", reason: "secret_malformed" },
      { scope: "sales", findings: [] },
    ]);
    expect(users.asked).toHaveLength(3);
  });

  it.each([["the table is away", () => new Unavailable("dynamodb"), "dynamodb_unavailable"]])(
    "goes on with the others when %s for one row",
    async (_, error, reason) => {
      const { broker, run } = checked();
      broker.table.before = (operation, name) => {
        if (operation === "read" && name.endsWith("#account")) throw error();
      };
      expect(await run()).toMatchObject({
        account_checks_failed: 1,
        account_checks: [{ scope: "sales", reason }],
      });
    },
  );

  it("serves nothing of an edited row", async () => {
    const { broker, run } = checked();
    await run();
    const item = broker.table.items.get(nameOf(accountCheckKey("sales")));
    Object.assign(item?.checked ?? {}, { findings: [{ code: "admin_account", detail: "\u001b[2J" }] });
    expect(await run()).toMatchObject({ unreadable: 1, account_checks: [{ reason: "row_unreadable" }] });
  });
});

describe("an account that may not see itself", () => {
  it.each([403, 404])("is checked as far as Looker lets it, status %i", async (status) => {
    const { users, run, row } = checked();
    users.onAsk = (question) => (question === "me" ? undefined : { kind: "refused", status });
    expect(await run()).toMatchObject({
      account_checks_failed: 0,
      account_checks: [{ scope: "sales", hidden: ["account", "roles"], findings: [] }],
    });
    expect((await row()).checked?.hidden).toEqual(["account", "roles"]);
  });
});

describe("in the operators' listing", () => {
  it("the check's lease is marked by a name and an id that no IAM identity has", async () => {
    const operator = inMemoryOperator();
    const { users, run } = checked(operator.broker);
    let listed: unknown;
    users.onAsk = async (question) => {
      if (question === "me") listed = (await operator.list()).body;
      return undefined;
    };
    await run();
    expect(listed).toMatchObject({
      leases: [
        { caller: checkCaller.callerArn, unique_id: "CHECKACCOUNT", state: "live", client_id: "clientOne" },
      ],
    });
    expect((await operator.broker.slot(key)).lease).toBeUndefined();
  });

  it("an edited row of the check keeps no operator from the list", async () => {
    const operator = inMemoryOperator();
    await operator.broker.issue();
    const item = { ...accountCheckKey("sales"), schema: 99, version: 1, write_id: "x" };
    operator.broker.table.items.set(nameOf(accountCheckKey("sales")), item);
    const { status, body } = await operator.list();
    expect([status, body.leases.length, body.account]).toEqual([200, 1, undefined]);
    expect(operator.lines.at(-1)).toMatchObject({ verb: "list", unreadable: 1 });
  });

  it("open findings stand on the first page, and the whole check at its own route", async () => {
    const operator = inMemoryOperator();
    const { users, run, row } = checked(operator.broker);
    users.is.roles = [{ ...minimalRole, models: everything }];
    expect((await operator.account()).body).toMatchObject({ checked_at: null, user: null, findings: [] });
    expect((await operator.list()).body).not.toHaveProperty("account");
    await run();
    const checkedAt = new Date(operator.broker.clock.now()).toISOString();
    expect((await operator.list()).body.account).toEqual({ checked_at: checkedAt, findings: ["all_models"] });
    expect((await operator.account()).body).toEqual({
      checked_at: checkedAt,
      client_id: "clientOne",
      user: { id: "12", display_name: "Sales API" },
      roles: [{ name: "Sales API", permissions: 1, models: "all" }],
      findings: [{ code: "all_models", detail: "All models come with the role Sales API.", accepted: false }],
      hidden: [],
    });
    const accepting = scopesWith({ accept: ["all_models"] }).get("sales");
    expect(accepting && openFindings(await row(), accepting)).toEqual([]);
  });
});
