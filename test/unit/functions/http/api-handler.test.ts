import { describe, expect, it } from "vitest";
import { Problem } from "../../../../functions/domain/problem.ts";
import { json } from "../../../../functions/http/answer.ts";
import type { ApiOptions, ScopedRequest } from "../../../../functions/http/api-handler.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { apiEvent, apiFunction, roleIdentity } from "../../../support/fakes/api-function.ts";
import { recorded } from "../../../support/fakes/recorded.ts";

type Handle = (request: ScopedRequest) => ReturnType<ApiOptions["routes"][string]["handle"]>;

const secretText = "do-not-show-this-text";
const requestId = "11111111-2222-3333-4444-555555555555";

function handlerOf(handle: Handle, lock: "callers" | "operators" = "callers") {
  const { audit, lines } = recorded(() => 1_700_000_000_000);
  const send = apiFunction({
    routes: { "POST /scopes/{scope}/token": { verb: "token", lock, handle } },
    audit,
  });
  return { send: (event: unknown = apiEvent(), context: object = {}) => send(event, context), lines };
}
const fine = async () => json(200, { fine: true });
const throwing = (error: unknown) => async () => {
  throw error;
};

describe("a route", () => {
  it("is given the verified caller, its scope, and a deadline with time to answer", async () => {
    let given: ScopedRequest | undefined;
    const { send } = handlerOf(async (request) => {
      given = request;
      return await fine();
    });
    await send(apiEvent(), { getRemainingTimeInMillis: () => 10_000 });
    expect(given).toMatchObject({
      scope: { name: "sales" },
      principal: { uniqueId: "AROAREPORTSERVICE000" },
    });
    expect(given?.deadline).toBeLessThan(1_700_000_010_000);
    expect(given?.deadline).toBeGreaterThan(1_700_000_005_000);
  });

  it("is only for those whom the scope's own list names for it", async () => {
    const { send, lines } = handlerOf(fine, "operators");
    expect(await send()).toMatchObject({ status: 403, body: { code: "not_allowed" } });
    expect(lines).toMatchObject([{ reason: "not_in_operators" }]);
    expect(await send(apiEvent({ identity: roleIdentity("oncall") }))).toMatchObject({ status: 200 });
  });
});

describe("a problem", () => {
  it("is answered as RFC 9457 says, with a code, and is not to be stored", async () => {
    const { send } = handlerOf(throwing(new Problem("busy", { retryAfterSeconds: 7, detail: "Wait." })));
    const { status, headers, body } = await send();
    expect(status).toBe(503);
    expect(headers).toEqual({
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      "Retry-After": "7",
    });
    expect(body).toEqual({
      title: expect.any(String),
      status: 503,
      detail: "Wait.",
      code: "busy",
      request_id: requestId,
    });
  });

  it.each([
    ["bad_request", 400],
    ["payload_too_large", 413],
    ["not_allowed", 403],
    ["scope_frozen", 403],
    ["too_many_mints", 429],
    ["looker_rejected_credentials", 502],
    ["looker_unavailable", 503],
    ["busy", 503],
    ["internal", 500],
  ] as const)("%s has the status %i", async (code, status) => {
    const { send } = handlerOf(throwing(new Problem(code)));
    expect(await send()).toMatchObject({ status, body: { code, status } });
  });

  it("of a dependency is one that passes", async () => {
    const { send, lines } = handlerOf(throwing(new Unavailable("kms", { cause: new Error(secretText) })));
    expect(await send()).toMatchObject({
      status: 503,
      headers: { "Retry-After": expect.any(String) },
      body: { code: "busy" },
    });
    expect(lines).toMatchObject([{ code: "busy", reason: "kms_unavailable" }]);
  });

  it.each<[string, unknown]>([
    ["an error", new TypeError(secretText)],
    ["text", secretText],
    ["nothing", undefined],
    ["null", null],
    ["an object", { code: secretText, statusCode: 200 }],
    ["an error with a status", Object.assign(new Error(secretText), { statusCode: 404, expose: true })],
    ["an error whose name says too much", Object.assign(new Error("x"), { name: `${secretText} \n` })],
    ["an error with a cause", new Error("x", { cause: new Error(secretText) })],
  ])("that nobody foresaw (%s) says nothing, here or in the record", async (_, error) => {
    const { send, lines } = handlerOf(throwing(error));
    const { status, body } = await send();
    expect(status).toBe(500);
    expect(body).toEqual({
      title: "Internal error",
      status: 500,
      code: "internal",
      request_id: requestId,
    });
    expect(lines).toHaveLength(1);
    expect(lines).toMatchObject([{ code: "internal", status: 500 }]);
    expect(JSON.stringify(lines)).not.toContain(secretText);
  });
});

describe("the audit line", () => {
  it.each<[string, Handle, string]>([
    ["success", fine, "ok"],
    ["a problem", throwing(new Problem("busy")), "busy"],
    ["an unexpected error", throwing(new Error("x")), "internal"],
    [
      "an error thrown before anything was awaited",
      () => {
        throw new Error("x");
      },
      "internal",
    ],
  ])("is written exactly once on %s", async (_, handle, code) => {
    const { send, lines } = handlerOf(handle);
    await send();
    expect(lines).toMatchObject([
      { kind: "audit", verb: "token", scope: "sales", code, request_id: requestId },
    ]);
    expect(lines).toHaveLength(1);
  });

  it("is written, and an answer given, when the time is nearly over", async () => {
    const { send, lines } = handlerOf(() => new Promise(() => {}));
    const { status, body } = await send(apiEvent(), { getRemainingTimeInMillis: () => 310 });
    expect([status, body.code]).toEqual([503, "busy"]);
    expect(lines).toMatchObject([{ code: "busy", reason: "timed_out" }]);
  });

  it("is not written again when the work ends after that answer, and did nothing more", async () => {
    let finish = () => {};
    const working = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { send, lines } = handlerOf(async () => {
      await working;
      return await fine();
    });
    await send(apiEvent(), { getRemainingTimeInMillis: () => 310 });
    finish();
    await new Promise(setImmediate);
    expect(lines).toHaveLength(1);
  });

  it("is written once for each request, though the very same event comes again", async () => {
    const { send, lines } = handlerOf(fine);
    const event = apiEvent();
    await send(event);
    await send(event);
    expect(lines).toHaveLength(2);
  });

  it.each([
    ["a method", { httpMethod: { toString: null } }],
    ["a route", { resource: [[{ toString: null }]] }],
  ])(
    "is written, and the request refused, where %s is something of which no text can be made",
    async (_, event) => {
      const { send, lines } = handlerOf(fine);
      expect((await send(apiEvent({ event }))).status).toBe(403);
      expect(lines).toMatchObject([{ code: "not_allowed", reason: "unknown_route" }]);
    },
  );

  it("is written for requests that are under way at once, each with its own", async () => {
    const { send, lines } = handlerOf(async ({ event, audit }) => {
      await new Promise(setImmediate);
      audit.lease_id = `lease-of-${event.scopeName}`;
      return await fine();
    });
    await Promise.all([send(), send(apiEvent({ scope: "unknown" })), send()]);
    expect(lines.map(({ lease_id }) => lease_id ?? "none").sort()).toEqual([
      "lease-of-sales",
      "lease-of-sales",
      "none",
    ]);
  });

  it("has no other fields than these", async () => {
    const { send, lines } = handlerOf(fine);
    await send(
      apiEvent({
        body: { secretText },
        event: { headers: { authorization: secretText, "x-api-key": secretText } },
      }),
    );
    expect(Object.keys(lines[0] ?? {}).sort()).toEqual(
      [
        "Latency",
        "_aws",
        "broker",
        "caller",
        "code",
        "duration_ms",
        "kind",
        "request_id",
        "scope",
        "source_ip",
        "status",
        "time",
        "verb",
      ].sort(),
    );
    expect(lines[0]?.caller).toEqual({
      account: "111122223333",
      unique_id: "AROAREPORTSERVICE000",
      arn: "arn:aws:iam::111122223333:role/report-service",
      session_name: "local",
    });
    expect(JSON.stringify(lines)).not.toContain(secretText);
  });

  it.each<[string, Record<string, unknown>]>([
    ["a scope with a newline", apiEvent({ scope: 'sales\n{"kind":"audit","code":"ok"}' })],
    ["a scope with a terminal's escape", apiEvent({ scope: "\u001b[31msales" })],
    ["a very long scope", apiEvent({ scope: "a".repeat(5_000) })],
    ["a request id with a newline", apiEvent({ requestContext: { requestId: 'x\n{"kind":"audit"}' } })],
    ["a request id that is an object", apiEvent({ requestContext: { requestId: { a: 1 } } })],
    [
      "an address with an escape",
      apiEvent({ identity: { ...roleIdentity(), sourceIp: "\u001b]0;x\u0007" } }),
    ],
    ["a role with a newline", apiEvent({ identity: roleIdentity("report\n-service") })],
    [
      "a session with an escape",
      apiEvent({ identity: roleIdentity("report-service", { session: "\u001b[2J" }) }),
    ],
  ])("takes nothing that a log viewer would interpret: %s", async (_, event) => {
    const { send, lines } = handlerOf(fine);
    await send(event);
    expect(lines).toHaveLength(1);
    for (const value of Object.values({ ...lines[0], ...lines[0]?.caller }))
      expect(String(value)).toMatch(/^[ -~]*$/);
    expect(JSON.stringify(lines).length).toBeLessThan(1_000);
  });
});
