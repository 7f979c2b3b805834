/** The page's questions, and the lines of the console's answers. */
import { describe, expect, onTestFinished, test } from "vitest";
import { neverChecked } from "../../../test/support/cli/account-checks.ts";
import { leaseOf } from "../../../test/support/cli/fake-broker.ts";
import { linesOf, startConsoleStand } from "./stand.ts";

async function opened() {
  const stand = await startConsoleStand();
  await stand.enter();
  const ask = async (name: string, question: object) => linesOf(await stand.ask(name, question));
  return { ...stand, ask };
}

/** By API Gateway, for IAM. */
const denied = {
  status: 403,
  headers: { "x-amzn-errortype": "AccessDeniedException" },
  body: { Message: "User is not authorized" },
};
const none = { revoked: 0, pending: 0, expired: 0, gone: 0, unknown: 0 };

describe("look", () => {
  test("has each operated scope with its leases, a page at a time, and the broker's time", async () => {
    const { ask, broker } = await opened();
    broker.leases = [leaseOf("a")];
    const lines = await ask("look", { used: true });
    expect(lines[0]).toMatchObject({ kind: "scopes", operator: "arn", endpoint: broker.endpoint });
    expect(lines.filter(({ kind }) => kind === "page")).toEqual(
      ["sales", "finance"].map((scope) => ({
        ...{ kind: "page", scope, leases: broker.leases },
        now: expect.any(Number),
      })),
    );
    expect(lines.filter(({ kind }) => kind === "scope_done")).toHaveLength(2);
    expect(lines.at(-1)).toEqual({ kind: "done" });
  });

  test("a scope without an answer stops none of the others, and says why", async () => {
    const { ask, broker } = await opened();
    broker.instead = ({ path }) => (path.includes("/sales/") ? denied : undefined);
    const lines = await ask("look", { used: true });
    expect(lines).toContainEqual({
      ...{ kind: "scope_failed", scope: "sales" },
      error: expect.objectContaining({ code: "access_denied", hint: expect.stringContaining("IAM policy") }),
    });
    expect(lines).toContainEqual({ kind: "scope_done", scope: "finance" });
  });

  test("a broken-off list is never called complete", async () => {
    const { ask, broker } = await opened();
    broker.instead = ({ path }) => {
      if (path.includes("next_token")) return denied;
      return /sales\/leases/.test(path)
        ? { status: 200, body: { leases: [leaseOf("a")], next_token: "more" } }
        : undefined;
    };
    const ofSales = (await ask("look", { used: true })).filter((line) => Object(line).scope === "sales");
    expect(ofSales.map(({ kind }) => kind)).toEqual(["page", "scope_failed"]);
  });
});

test("a huge list leaves no listeners behind: Node would warn of a leak on the operator's terminal", async () => {
  const { ask, broker } = await opened();
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  const leases = Array.from({ length: 500 }, (_, at) => leaseOf(`lease-${at}`));
  broker.instead = ({ path }) => {
    if (!path.includes("/sales/")) return undefined;
    const page = Number(new URL(path, "http://broker").searchParams.get("next_token") ?? 0);
    return { status: 200, body: { leases, ...(page < 30 ? { next_token: String(page + 1) } : {}) } };
  };
  const lines = await ask("look", { used: true });
  expect(lines.filter(({ kind }) => kind === "page").length).toBeGreaterThan(30);
  expect(warnings.map(({ message }) => message)).toEqual([]);
});

test("a token is looked for in each scope, by its SHA-256", async () => {
  const { ask, broker } = await opened();
  const hash = "ab".repeat(32);
  broker.tokens.set(hash, [leaseOf("a")]);
  const lines = await ask("whose", { token_sha256: hash });
  expect(lines).toContainEqual({ kind: "found", scope: "sales", lease: broker.tokens.get(hash)?.[0] });
  expect(broker.asked("GET")).toContain(`GET /scopes/finance/leases?token_sha256=${hash}`);
  expect(await ask("whose", { token_sha256: "cd".repeat(32) })).toEqual([{ kind: "done" }]);
});

test("account has the last check of a scope's account", async () => {
  const { ask, broker } = await opened();
  const findings = [{ code: "old_credential", detail: "Old.", accepted: false }];
  broker.accounts = { sales: { ...neverChecked, findings } };
  expect(await ask("account", { scope: "sales" })).toEqual([
    { kind: "account", check: expect.objectContaining({ findings }) },
    { kind: "done" },
  ]);
});

describe("revoke", () => {
  test("counts first, and then tells Looker's confirmations", async () => {
    const { ask, broker } = await opened();
    broker.leases = [leaseOf("a"), leaseOf("b")];
    const question = { scope: "sales", filter: { lease_id: "a" } };
    expect(await ask("count", question)).toEqual([{ kind: "count", matched: 1 }, { kind: "done" }]);
    expect(broker.leases).toHaveLength(2);
    expect(await ask("revoke", question)).toEqual([
      { kind: "ended", scope: "sales", result: { ...none, revoked: 1 } },
      { kind: "done" },
    ]);
    expect(broker.leases.map(({ lease_id }) => lease_id)).toEqual(["b"]);
  });

  test("a pending lease is told as pending, and then as revoked", async () => {
    const { ask, broker } = await opened();
    broker.leases = [leaseOf("a")];
    let asked = 0;
    broker.instead = ({ method, path }) => {
      if (method !== "DELETE" || path.includes("dry_run") || asked++ > 0) return undefined;
      broker.leases = [leaseOf("a", { state: "pending" })];
      return { status: 202, body: { matched: 1, revoked: 0, pending: 1 } };
    };
    const lines = await ask("revoke", { scope: "sales", filter: { lease_id: "a" } });
    expect(lines[0]).toEqual({ kind: "progress", scope: "sales", result: { ...none, pending: 1 } });
    expect(lines.slice(-2)).toEqual([
      { kind: "ended", scope: "sales", result: { ...none, revoked: 1 } },
      { kind: "done" },
    ]);
  });

  test("a lost answer is told, and its outcome comes from the list", async () => {
    const { ask, broker } = await opened();
    broker.leases = [leaseOf("a")];
    broker.instead = (asked) => {
      if (asked.method !== "DELETE" || asked.path.includes("dry_run")) return undefined;
      broker.instead = () => undefined;
      return broker.lose(asked);
    };
    expect(await ask("revoke", { scope: "sales", filter: { all: "true" }, typed: "sales" })).toEqual([
      { kind: "answer_lost", scope: "sales" },
      { kind: "progress", scope: "sales", result: { ...none, unknown: 1, answerLost: true } },
      { kind: "ended", scope: "sales", result: { ...none, revoked: 1, answerLost: true } },
      { kind: "done" },
    ]);
  });

  test("a refusal of the broker is told with its hint", async () => {
    const { ask, broker } = await opened();
    broker.instead = ({ method }) => (method === "DELETE" ? denied : undefined);
    expect(await ask("revoke", { scope: "sales", filter: { lease_id: "a" } })).toEqual([
      { kind: "scope_failed", scope: "sales", error: expect.objectContaining({ code: "access_denied" }) },
      { kind: "done" },
    ]);
  });
});

test("freeze ends the leases, and unfreeze gives the scope back", async () => {
  const { ask, broker } = await opened();
  broker.leases = [leaseOf("a")];
  const lines = await ask("freeze", { scope: "sales", reason: "incident 42", typed: "sales" });
  expect(lines).toEqual([
    { kind: "frozen", scope: "sales", frozen: expect.objectContaining({ reason: "incident 42" }) },
    { kind: "ended", scope: "sales", result: expect.objectContaining({ revoked: 1 }) },
    { kind: "done" },
  ]);
  expect(await ask("unfreeze", { scope: "sales" })).toEqual([
    { kind: "unfrozen", scope: "sales" },
    { kind: "done" },
  ]);
  expect(broker.frozen).toBeUndefined();
});

test("a page closed in the middle stops no revocation", async () => {
  const { broker, base, origin, enter, console } = await startConsoleStand();
  const cookie = await enter();
  broker.leases = [leaseOf("a")];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const arrived = new Promise<void>((resolve) => {
    broker.instead = async ({ method, path }) => {
      if (method === "DELETE" && !path.includes("dry_run")) {
        resolve();
        await held;
      }
      return undefined as never;
    };
  });
  const leave = new AbortController();
  const asked = fetch(`http://127.0.0.1:${console.port}${base}revoke`, {
    method: "POST",
    headers: { cookie, origin, "content-type": "application/json" },
    body: JSON.stringify({ scope: "sales", filter: { lease_id: "a" } }),
    signal: leave.signal,
  });
  await arrived;
  leave.abort();
  await expect(asked).rejects.toThrow();
  release();
  await expect.poll(() => broker.leases).toEqual([]);
});

test("a page without a person at it does not keep the console open", async () => {
  const { enter, ask, console } = await startConsoleStand({ idleMs: 150 });
  await enter();
  let isOver = false;
  void console.unused.then(() => {
    isOver = true;
  });
  while (!isOver) await ask("look", { used: false });
});
