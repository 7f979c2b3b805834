/** examples/python-service, with botocore's signatures and Looker's own SDK for Python. */
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import {
  callerOf,
  leaksIn,
  type Stand,
  startStand,
  startsWithinMs,
  untilSeen,
} from "../../support/broker-stand.ts";
import { FakeServer, type Reply } from "../../support/fake-server.ts";
import { environmentOf, recipe, start, startService } from "../../support/recipe.ts";
import { tool } from "./tools.ts";

let stand: Stand;
let env: Record<string, string>;
let service: Awaited<ReturnType<typeof startService>>;

beforeAll(async () => {
  stand = await startStand();
  env = {
    ...environmentOf(stand, "report-service"),
    // A slash behind the endpoint is no part of it.
    LOOKER_BROKER_ENDPOINT: `${stand.broker.endpoint}/`,
    PORT: "0",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: recipe("python-service"),
  };
  service = await startService(tool("python3"), [recipe("python-service/service.py")], { env });
}, startsWithinMs);
afterAll(async () => {
  service?.child.kill("SIGKILL");
  await service?.ended;
  await stand?.stop();
});

const ask = async () => {
  const response = await fetch(service.url);
  return [response.status, await response.text()];
};
const together = () => Promise.all([ask(), ask(), ask(), ask()]);
const operate = (method: string, path: string, body?: string) =>
  callerOf(stand, "platform-engineer").send(method, `/scopes/sales/${path}`, body);
const looker = () => stand.looker;
const events = () =>
  looker()
    .ledger()
    .map(({ event }) => event);
const count = (event: string) => events().filter((each) => each === event).length;

const well = [200, expect.stringMatching(/^\{"display_name": ".+"\}$/)];

const python = (script: string, environment: Record<string, string> = {}) =>
  start(tool("python3"), ["-c", script], { env: { ...env, ...environment } }).ended;

test("requests that come together use one login", async () => {
  expect(await together()).toEqual([well, well, well, well]);
  expect(count("login")).toBe(1);
});

test("a lease that an operator revokes is replaced once, and no request fails", async () => {
  expect((await operate("DELETE", "leases?all=true")).json).toMatchObject({ revoked: 1 });
  expect(await together()).toEqual([well, well, well, well]);
  expect(count("login")).toBe(2);
});

test("while the scope is frozen the service's log says so", async () => {
  await operate("PUT", "freeze", JSON.stringify({ reason: "incident 42" }));
  expect((await ask())[0]).toBe(503);
  await operate("DELETE", "freeze");
  expect(await ask()).toEqual(well);
  expect(service.said()).toMatch(/^Listening on port \d+\.\n403 scope_frozen: .+\n$/);
  expect(leaksIn(service.said(), stand.secrets)).toBe(0);
});

test("a token at its end is renewed, logout is the broker's, and nobody runs as another Looker user", async () => {
  const script = `
import datetime, sys, token_broker
sdk = token_broker.init40("sales")
sdk.auth.token.expires_at = datetime.datetime.now()
print(sdk.auth.is_authenticated, sdk.me("id").id is not None, sdk.auth.is_authenticated)
sdk.logout()
try:
    sdk.auth.login_user(42)
except Exception as failure:
    print(failure.message)
`;
  expect(await python(script)).toEqual({
    exitCode: 0,
    out: "False True True\nA session of the token broker cannot run as another Looker user.\n",
    err: "",
  });
  // Not behind the broker's back: it has no lease left.
  expect(looker().control.liveTokens()).toEqual([]);
  expect((await operate("GET", "leases")).json.leases).toEqual([]);
});

test("told to end, the service answers what has begun", async () => {
  looker().control.addFault({ route: "user", kind: "hold", times: 1 });
  const answer = ask();
  await untilSeen(() => looker().control.inFlight().length > 0, "the call to Looker");
  service.child.kill("SIGTERM");
  while (
    await fetch(service.url, { method: "OPTIONS" }).then(
      () => true,
      () => false,
    )
  );
  looker().control.release();
  expect(await answer).toEqual(well);
  expect((await service.ended).exitCode).toBe(0);
});

const problem = (status: number, code: string, retryAfter: string): Reply => ({
  status,
  headers: { "retry-after": retryAfter },
  body: { code, title: "Not now" },
});
const lease = (more: object = {}): Reply => ({
  status: 200,
  body: {
    access_token: "secret",
    expires_in: 900,
    lease_id: "lease-1",
    base_url: "https://x.example",
    ...more,
  },
});
const page = (status: number): Reply => ({ status, body: "<html>\nWelcome" });

async function fakeBroker(answering: FakeServer["answering"]) {
  const fake = await FakeServer.start(answering);
  onTestFinished(() => fake.stop());
  return fake;
}

/** Asks for a token of each of these brokers in turn: what comes of it, and how many requests were made. */
async function tokensOf(brokers: Record<string, (Reply | "drop" | (() => Reply))[]>) {
  const names = Object.keys(brokers);
  const times: Record<string, number[]> = {};
  const fake = await fakeBroker(({ path }) => {
    const name = names[Number(path.split("/")[1])] ?? "";
    const asked = times[name] ?? [];
    times[name] = asked;
    asked.push(Date.now());
    const answer = brokers[name]?.[asked.length - 1] ?? page(418);
    return typeof answer === "function" ? answer() : answer;
  });
  const { out, err } = await python(`
import os, token_broker
for each in range(${names.length}):
    os.environ["LOOKER_BROKER_ENDPOINT"] = f"${fake.url}/{each}"
    try:
        print(token_broker.TokenBroker("sales", 10).token()["lease_id"])
    except token_broker.TokenBrokerError as failure:
        print(repr(str(failure).replace("${fake.url}", "…")))
`);
  expect(err).toBe("");
  expect(leaksIn(out, stand.secrets)).toBe(0);
  const lines = out.split("\n");
  const outcomes = names.map((name, index) => [name, [lines[index], times[name]?.length]]);
  return { outcomes: Object.fromEntries(outcomes), times };
}

test("a broker that is busy, throttled or away is asked again, as Retry-After says", async () => {
  let until = Number.POSITIVE_INFINITY;
  const { outcomes, times } = await tokensOf({
    "throttled until a date": [
      () => {
        const date = new Date(Date.now() + 2_000).toUTCString();
        until = Date.parse(date);
        return problem(429, "too_many_mints", date);
      },
      lease(),
    ],
    "busy for a second": [problem(503, "busy", "1"), lease()],
    "busy until nobody knows when": [problem(503, "busy", "soon"), lease()],
    "a connection that ends, a gateway that gives up": ["drop", page(504), lease()],
    "throttled for longer than the budget": [problem(429, "too_many_mints", "600")],
  });
  expect(outcomes).toEqual({
    "throttled until a date": ["lease-1", 2],
    "busy for a second": ["lease-1", 2],
    "busy until nobody knows when": ["lease-1", 2],
    "a connection that ends, a gateway that gives up": ["lease-1", 3],
    "throttled for longer than the budget": ["'429 too_many_mints: Not now'", 1],
  });
  expect(times["throttled until a date"]?.[1]).toBeGreaterThanOrEqual(until);
});

test("what is refused is told in a line, without what was signed", async () => {
  const [token] = stand.broker.principals.map(({ sessionToken }) => sessionToken);
  const { outcomes } = await tokensOf({
    "the caller's policy": [{ status: 403, body: { Message: "User: x is not authorized" } }],
    "a wrong signature": [
      { status: 403, body: { message: `It does not match.\n\nx-amz-security-token:${token}` } },
    ],
    "a proxy": [page(401)],
    "another site": [page(200)],
    "another service": [{ status: 200, body: { hello: "world" } }],
    "a redirect": [{ status: 302, headers: { location: "https://x.example" } }],
  });
  expect(outcomes).toEqual({
    "the caller's policy": ["'403 User: x is not authorized'", 1],
    "a wrong signature": ["'403 It does not match.'", 1],
    "a proxy": ["'What answers at …/2 is no token broker: 401 <html> Welcome'", 1],
    "another site": ["'What answers at …/3 is no token broker: 200 <html> Welcome'", 1],
    "another service": ["'What answers at …/4 is no token broker.'", 1],
    "a redirect": ["'What answers at …/5 is no token broker: 302 '", 1],
  });
});

test("threads that wait for a renewal fail with it, and do not each try in turn", async () => {
  const fake = await fakeBroker(() => (fake.asked.length === 1 ? lease() : problem(503, "busy", "600")));
  const script = `
import threading, token_broker
sdk = token_broker.init40("sales")
class Together:
    lock, all = threading.Lock(), threading.Barrier(4)
    def __enter__(self):
        self.all.wait()
        self.lock.acquire()
    def __exit__(self, *_):
        self.lock.release()
sdk.auth._renewing = Together()
sdk.auth.token.expires_in = 0
sdk.auth.token.set_token(sdk.auth.token)
def call():
    try:
        sdk.me()
    except token_broker.TokenBrokerError as failure:
        print(f"{failure}\\n", end="")
for _ in range(4):
    threading.Thread(target=call).start()
`;
  expect(await python(script, { LOOKER_BROKER_ENDPOINT: fake.url })).toEqual({
    exitCode: 0,
    out: "503 busy: Not now\n".repeat(4),
    err: "",
  });
  expect(fake.asked).toHaveLength(2);
});

test("a scope that moves to another Looker is said, and its token not sent to the old one", async () => {
  const moved = [lease({ expires_in: 1 }), lease({ base_url: "https://y.example" })];
  const fake = await fakeBroker(() => moved[fake.asked.length - 1] ?? page(418));
  const script = `
import token_broker
sdk = token_broker.init40("sales")
try:
    sdk.me()
except token_broker.TokenBrokerError as failure:
    print(failure)
`;
  expect((await python(script, { LOOKER_BROKER_ENDPOINT: fake.url })).out).toBe(
    "The scope is now at https://y.example: restart this process.\n",
  );
});

test("a 401 to a call that had no token is passed on", async () => {
  const fake = await fakeBroker(() => page(401));
  const script = `import token_broker; print(token_broker.LookerHttp().request("GET", "${fake.url}").status_code)`;
  expect((await python(script)).out).toBe("401\n");
});

test.each(["LOOKER_BROKER_ENDPOINT", "AWS_REGION"])("says that %s is missing", async (name) => {
  const script = `
import token_broker
try:
    token_broker.init40("sales")
except token_broker.TokenBrokerError as failure:
    print(failure)
`;
  expect((await python(script, { [name]: "" })).out).toMatch(new RegExp(`^${name} is the .+\\.\n$`));
});

test("a broker that is away is given up when the budget is spent", async () => {
  const fake = await FakeServer.start(() => "drop");
  const { url } = fake;
  await fake.stop();
  const script = `
import token_broker
try:
    token_broker.init40("sales", budget_seconds=1)
except token_broker.TokenBrokerError as failure:
    print(failure)
`;
  expect((await python(script, { LOOKER_BROKER_ENDPOINT: url })).out).toMatch(
    /^The token broker cannot be reached: .+\n$/,
  );
});
