/** The document and the real handlers: each says what the other does. */
import { describe, expect, it } from "vitest";
import { sha256Of } from "../../../functions/domain/digest.ts";
import { Unavailable } from "../../../functions/use-cases/ports.ts";
import type { Answer, Call } from "../../support/fakes/api-function.ts";
import { inMemoryApi } from "../../support/fakes/in-memory-api.ts";
import { inMemoryBroker, sales } from "../../support/fakes/in-memory-broker.ts";
import { inMemoryOperator, numberedCaller, queryEvent } from "../../support/fakes/in-memory-operator.ts";
import { codesOf, type Documented, operationNamed, operations } from "../../support/openapi/document.ts";

/** One broker, its callers' interface and its operators'. */
function world() {
  const broker = inMemoryBroker();
  const { now } = broker.clock;
  let failAt = 0;
  broker.clock.now = () => {
    if (failAt > 0 && --failAt === 0) throw new Error("a defect");
    return now();
  };
  const api = inMemoryApi(broker);
  const operator = inMemoryOperator(broker);
  return {
    broker,
    api,
    operator,
    /** A request that needs nothing more to be a good one. */
    send({ id, method, resource }: Documented, more: Call = {}): Promise<Answer> {
      const good: Record<string, Call> = {
        revokeLeases: { event: queryEvent({ all: "true" }) },
        freezeScope: { body: { reason: "incident 7" } },
      };
      const call = { method, resource, ...good[id], ...more };
      return ["listScopes", "issueToken", "logOut"].includes(id) ? api.call(call) : operator.call(call);
    },
    /** The next request meets an error that nobody foresaw. */
    breakDown() {
      // The first look at the clock is the audit record's own.
      failAt = 2;
    },
    unconfirmedLogouts() {
      broker.looker.onLogout = () => "unconfirmed";
    },
    noTable() {
      broker.table.before = () => {
        throw new Unavailable("dynamodb");
      };
    },
  };
}
type World = ReturnType<typeof world>;

interface Case {
  readonly id: string;
  readonly status: number;
  /** Of a problem. */
  readonly code?: string;
  readonly when: string;
  readonly answer: (world: World) => Promise<Answer>;
}

const session = { session: "nightly-2026-11-24" };
const tooLarge = " ".repeat(4_097);

/** Problems that every operation has, or every operation on a scope. */
const common: readonly Case[] = operations.flatMap((operation): Case[] => {
  const { id } = operation;
  const everywhere: Case[] = [
    {
      id,
      status: 413,
      code: "payload_too_large",
      when: "the body is too large",
      answer: ({ send }) => send(operation, { body: tooLarge }),
    },
    {
      id,
      status: 400,
      code: "bad_request",
      when: "there is an unknown parameter",
      answer: ({ send }) => send(operation, { event: queryEvent({ undocumented: "1" }) }),
    },
    {
      id,
      status: 403,
      code: "not_allowed",
      when: "nobody signed",
      answer: ({ send }) => send(operation, { identity: {} }),
    },
    {
      id,
      status: 500,
      code: "internal",
      when: "there is a defect",
      answer: ({ send, breakDown }) => {
        breakDown();
        return send(operation);
      },
    },
  ];
  const onScopes: Case[] = [
    {
      id,
      status: 503,
      code: "busy",
      when: "the table is away",
      answer: ({ send, noTable }) => {
        noTable();
        return send(operation);
      },
    },
  ];
  return operation.resource.includes("{scope}") ? [...everywhere, ...onScopes] : everywhere;
});

const own: readonly Case[] = [
  {
    id: "listScopes",
    status: 200,
    when: "somebody asks",
    answer: ({ send }) => send(operationNamed("listScopes")),
  },
  { id: "issueToken", status: 200, when: "a token is made", answer: ({ api }) => api.token() },
  {
    id: "issueToken",
    status: 403,
    code: "scope_frozen",
    when: "the scope is frozen",
    answer: async ({ api, operator }) => {
      await operator.freeze();
      return await api.token();
    },
  },
  {
    id: "issueToken",
    status: 429,
    code: "too_many_mints",
    when: "the caller has had its logins",
    answer: async ({ api }) => {
      for (let login = 0; login < 10; login++) {
        await api.token();
        await api.logOut();
      }
      return await api.token();
    },
  },
  {
    id: "issueToken",
    status: 200,
    when: "a session asks",
    answer: ({ api }) => api.token({ body: session }),
  },
  {
    id: "issueToken",
    status: 429,
    code: "too_many_mints",
    when: "the caller's sessions have had their logins",
    answer: async ({ api }) => {
      for (let login = 0; login < sales.sessionMintsPerTenMinutes; login++)
        await api.token({ body: { session: `run-${login}` } });
      return await api.token({ body: session });
    },
  },
  {
    id: "issueToken",
    status: 502,
    code: "looker_rejected_credentials",
    when: "Looker does not know the pair",
    answer: ({ api, broker }) => {
      broker.looker.onLogin = () => ({ kind: "rejected" });
      return api.token();
    },
  },
  {
    id: "issueToken",
    status: 503,
    code: "looker_unavailable",
    when: "Looker fails",
    answer: ({ api, broker }) => {
      broker.looker.onLogin = () => ({ kind: "failed", reason: "status_500" });
      return api.token();
    },
  },
  {
    id: "issueToken",
    status: 503,
    code: "busy",
    when: "a new lease is reported stale",
    answer: async ({ api }) => {
      const { body } = await api.token();
      return await api.token({ body: { stale_lease_id: body.lease_id } });
    },
  },
  {
    id: "logOut",
    status: 200,
    when: "Looker confirms",
    answer: async ({ api }) => {
      await api.token();
      return await api.logOut();
    },
  },
  {
    id: "logOut",
    status: 202,
    when: "Looker does not confirm",
    answer: async ({ api, unconfirmedLogouts }) => {
      await api.token();
      unconfirmedLogouts();
      return await api.logOut();
    },
  },
  {
    id: "logOut",
    status: 200,
    when: "a session ends",
    answer: async ({ api }) => {
      await api.token();
      await api.token({ body: session });
      const answer = await api.logOut({ body: session });
      expect(answer.body).toEqual({ revoked: 1, pending: 0 });
      return answer;
    },
  },
  {
    id: "listLeases",
    status: 200,
    when: "there are leases, live and superseded",
    answer: async ({ api, operator, broker }) => {
      await api.token();
      broker.clock.jump(600_000);
      await api.token({ body: { min_ttl_seconds: 450 } });
      const answer = await operator.list();
      expect(statesIn(answer)).toEqual(["live", "superseded"]);
      return answer;
    },
  },
  {
    id: "listLeases",
    status: 200,
    when: "a session has a lease beside the shared one",
    answer: async ({ api, operator }) => {
      await api.token();
      await api.token({ body: session });
      const answer = await operator.list();
      expect(answer.body.leases.map((lease: { session: string | null }) => lease.session)).toEqual([
        null,
        session.session,
      ]);
      return answer;
    },
  },
  {
    id: "listLeases",
    status: 200,
    when: "a login is under way",
    answer: async ({ api, operator, broker }) => {
      let answer: Answer | undefined;
      broker.looker.onLogin = async () => {
        answer = await operator.list();
        return undefined;
      };
      await api.token();
      if (!answer) throw new Error("no login");
      expect(statesIn(answer)).toEqual(["minting"]);
      return answer;
    },
  },
  {
    id: "listLeases",
    status: 200,
    when: "the scope is frozen and something is pending",
    answer: async ({ api, operator, unconfirmedLogouts }) => {
      await api.token();
      unconfirmedLogouts();
      await operator.freeze();
      const answer = await operator.list();
      expect([statesIn(answer), answer.body.frozen.reason]).toEqual([["pending"], "incident 7"]);
      return answer;
    },
  },
  {
    id: "listLeases",
    status: 200,
    when: "there is more than a page",
    answer: async ({ operator, broker }) => {
      for (let number = 0; number < 101; number++) await broker.issue({ key: numberedCaller(number) });
      const answer = await operator.list();
      expect(answer.body.next_token).toBeDefined();
      return answer;
    },
  },
  {
    id: "revokeLeases",
    status: 200,
    when: "Looker confirms",
    answer: async ({ api, operator }) => {
      await api.token();
      return await operator.revoke({ all: "true" });
    },
  },
  {
    id: "revokeLeases",
    status: 200,
    when: "it only counts",
    answer: ({ operator }) => operator.revoke({ all: "true", dry_run: "true" }),
  },
  {
    id: "revokeLeases",
    status: 202,
    when: "Looker does not confirm",
    answer: async ({ api, operator, unconfirmedLogouts }) => {
      await api.token();
      unconfirmedLogouts();
      return await operator.revoke({ client_id: "clientOne" });
    },
  },
  {
    id: "freezeScope",
    status: 200,
    when: "there is nothing to end",
    answer: ({ operator }) => operator.freeze(),
  },
  {
    id: "freezeScope",
    status: 202,
    when: "Looker does not confirm",
    answer: async ({ api, operator, unconfirmedLogouts }) => {
      await api.token();
      unconfirmedLogouts();
      return await operator.freeze();
    },
  },
  {
    id: "listLeases",
    status: 200,
    when: "it is asked about one token",
    answer: async ({ api, operator }) => {
      const { body } = await api.token();
      await api.token({ body: session });
      const answer = await operator.list({ token_sha256: sha256Of(body.access_token) });
      expect(answer.body.leases).toMatchObject([{ lease_id: body.lease_id, state: "live" }]);
      return answer;
    },
  },
  {
    id: "revokeLeases",
    status: 200,
    when: "a client id is denied",
    answer: async ({ api, operator }) => {
      await api.token();
      const answer = await operator.revoke({ client_id: "clientOne" });
      expect(answer.body.denial).toEqual({ scopes: ["sales"], in_use: true });
      return answer;
    },
  },
  {
    id: "unfreezeScope",
    status: 200,
    when: "the scope was frozen",
    answer: async ({ operator }) => {
      await operator.freeze();
      return await operator.unfreeze();
    },
  },
  {
    id: "allowClient",
    status: 200,
    when: "the client id was denied",
    answer: async ({ operator }) => {
      await operator.revoke({ client_id: "clientOne" });
      return await operator.allow();
    },
  },
  { id: "unfreezeScope", status: 200, when: "asked to", answer: ({ operator }) => operator.unfreeze() },
  {
    id: "getAccount",
    status: 200,
    when: "no check has been made",
    answer: ({ operator }) => operator.account(),
  },
];

const statesIn = ({ body }: Answer) => body.leases.map(({ state }: { state: string }) => state).sort();

const cases = [...common, ...own];

// That the answer is as documented in every respect is seen to by the fakes, here as in every other test.
it.each(
  cases.map(
    (each) => [`${each.id} answers ${each.status} ${each.code ?? ""} when ${each.when}`, each] as const,
  ),
)("%s", async (_, { status, code, answer }) => {
  const given = await answer(world());
  expect([given.status, given.body.code]).toEqual([status, code]);
});

it("every status and every problem that an operation documents is one that its handler gives", () => {
  const given = new Set(cases.map(({ id, status, code = "" }) => `${id} ${status} ${code}`));
  const documented = operations.flatMap(({ id, responses }) =>
    [...responses].flatMap(([status, response]) =>
      (status < 300 ? [""] : codesOf(response)).map((code) => `${id} ${status} ${code}`),
    ),
  );
  expect([...given].sort()).toEqual(documented.sort());
});

/** As the handler itself lists them when it is given another one. */
function listIn(detail: string): string[] {
  const [, list] = / (?:known|fields) are ([\w, ]+)\.$/.exec(detail) ?? [];
  return list === undefined ? [] : list.split(", ").sort();
}

describe.each(operations)("$id takes what is documented and nothing else:", (operation) => {
  const { query, body } = operation;
  const names = (all: readonly { name: string }[]) => all.map(({ name }) => name).sort();
  const fields = Object.keys((body?.schema as { properties?: object } | undefined)?.properties ?? {});

  it("query parameters", async () => {
    const answer = await world().send(operation, { event: queryEvent({ undocumented: "1" }) });
    expect([answer.status, listIn(answer.body.detail)]).toEqual([400, names(query)]);
    for (const { name, example } of query) {
      // Counting what matches needs something to match.
      const filter = name === "dry_run" ? { all: "true" } : {};
      const event = queryEvent({ ...filter, [name]: String(example) });
      expect([name, (await world().send(operation, { event })).status]).toEqual([name, 200]);
    }
  });

  it("body fields", async () => {
    const answer = await world().send(operation, { body: { undocumented: 1 } });
    expect([answer.status, listIn(answer.body.detail)]).toEqual([400, [...fields].sort()]);
    const examples = Object.values(body?.examples ?? {}).map(({ value }) => value as object);
    expect([...new Set(examples.flatMap((example) => Object.keys(example)))].sort()).toEqual(
      [...fields].sort(),
    );
    for (const example of examples)
      expect([example, (await world().send(operation, { body: example })).status]).toEqual([example, 200]);
  });
});
