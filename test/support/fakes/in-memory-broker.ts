/** The whole broker but for AWS and Looker: the real use cases and HTTP layer over fakes, on any number of instances. */

import { slotKey } from "../../../functions/adapters/rows.ts";
import type { Problem } from "../../../functions/domain/problem.ts";
import { parseScopes, type Scope } from "../../../functions/domain/scope.ts";
import type { Slot } from "../../../functions/domain/slot.ts";
import { asProblem } from "../../../functions/http/answer.ts";
import type { LogoutCounts } from "../../../functions/use-cases/end-tokens.ts";
import { issueToken } from "../../../functions/use-cases/issue.ts";
import { logOut } from "../../../functions/use-cases/log-out.ts";
import type { MintPorts } from "../../../functions/use-cases/mint-job.ts";
import type { SlotKey } from "../../../functions/use-cases/ports.ts";
import type { AuditFields } from "../../../functions/use-cases/record.ts";
import { countingIds } from "./counting-ids.ts";
import { fakeLooker } from "./fake-looker.ts";
import { fakeSealer } from "./fake-sealer.ts";
import { type FakeSecrets, fakeSecrets } from "./fake-secrets.ts";
import { memorySlotTable, nameOf } from "./memory-slot-table.ts";
import { virtualClock } from "./virtual-clock.ts";

export const account = "111122223333";
export const lookerUrl = "https://example.cloud.looker.com";
export const secretId = "looker/sales";
export const firstSecret = { clientId: "clientOne", clientSecret: "secret-of-one", versionId: "version-1" };

const operators = [`arn:aws:iam::${account}:role/oncall`];
/** Tests move the clock and spend budgets by these numbers, whatever a scope's defaults are. */
export const fixedLimits = { leaseSeconds: 900, mintsPerTenMinutes: 10 };
export const scopes = parseScopes({
  sales: {
    ...fixedLimits,
    lookerUrl,
    secret: { secretName: secretId },
    callers: [`arn:aws:iam::${account}:role/report-*`, `arn:aws:iam::${account}:user/alice`],
    operators,
  },
  people: {
    ...fixedLimits,
    lookerUrl,
    secret: { secretName: "looker/people" },
    callers: [`arn:aws:iam::${account}:role/hr`],
    operators,
  },
});

export const scopeNamed = (name: string): Scope => {
  const scope = scopes.get(name);
  if (!scope) throw new Error(`no scope ${name}`);
  return scope;
};
export const sales = scopeNamed("sales");

export type CallerKey = SlotKey & { readonly callerArn: string };
export const callerKey = (
  uniqueId = "AROAREPORTSERVICE000",
  scope = "sales",
  session?: string,
): CallerKey => ({
  scope,
  account,
  uniqueId,
  ...(session !== undefined && { session }),
  callerArn: `arn:aws:iam::${account}:role/report-service`,
});

/** One warm instance of a function: names and memory of its own. */
export interface Instance extends MintPorts {
  readonly secrets: FakeSecrets;
}

export interface IssueOptions {
  on?: Instance;
  key?: CallerKey;
  scope?: Scope;
  minTtlSeconds?: number;
  staleLeaseId?: string | undefined;
  budgetMs?: number;
}

export function inMemoryBroker({ auto = true } = {}) {
  const clock = virtualClock({ auto });
  const table = memorySlotTable(clock);
  const looker = fakeLooker(clock);
  const sealer = fakeSealer();
  const stored: FakeSecrets["stored"] = new Map([
    [secretId, firstSecret],
    ["looker/people", { clientId: "clientPeople", clientSecret: "secret-of-people", versionId: "version-p" }],
  ]);
  let started = 0;
  const instance = (): Instance => {
    const ids = countingIds(`${String.fromCharCode(97 + (started % 26))}${started++}-`);
    return { clock, ids, table, looker, sealer, secrets: fakeSecrets(clock, stored) };
  };
  const first = instance();

  /** A request for a token, with what it found. A problem is an answer; only what nobody foresaw is thrown. */
  async function ask(options: IssueOptions = {}) {
    const { on = first, key = callerKey(), scope = sales, minTtlSeconds = 60, budgetMs = 28_000 } = options;
    const audit: AuditFields = {};
    const deadline = clock.now() + budgetMs;
    try {
      const { staleLeaseId } = options;
      const request = { scope, key, callerArn: key.callerArn, minTtlSeconds, staleLeaseId, deadline, audit };
      return { token: await issueToken(on, request), problem: undefined, code: "ok", audit };
    } catch (error) {
      const problem: Problem = asProblem(error);
      if (problem.code === "internal") throw error;
      return { token: undefined, problem, code: problem.code, audit };
    }
  }

  /** A token, or the test fails. */
  async function issue(options: IssueOptions = {}) {
    const { token, problem } = await ask(options);
    if (!token) throw problem;
    return token;
  }

  async function logOutAs(
    options: { key?: CallerKey; leaseId?: string; budgetMs?: number; on?: Instance } = {},
  ) {
    const { key = callerKey(), leaseId, budgetMs = 28_000, on = first } = options;
    const audit: AuditFields = {};
    const ended: LogoutCounts = await logOut(on, {
      key,
      leaseId,
      deadline: clock.now() + budgetMs,
      audit,
    });
    return { ...ended, audit };
  }

  return {
    clock,
    table,
    looker,
    sealer,
    stored,
    instance,
    first,
    ask,
    issue,
    logOut: logOutAs,
    slot: (key = callerKey()): Promise<Slot> => table.slots.read(key),
    /** The raw row of a caller, to look at and to edit. */
    row: (key = callerKey()) => {
      const item = table.items.get(nameOf(slotKey(key)));
      if (!item) throw new Error("no such row");
      return item;
    },
  };
}

export type InMemoryBroker = ReturnType<typeof inMemoryBroker>;
