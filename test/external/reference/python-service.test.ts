/**
 * client-python as a stranger installs it, from its wheel: examples/python-service, and a service with fifty threads.
 * .ci/run installs the wheel. For another REFERENCE_BIN see client-python/README.md.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  auditLines,
  callerOf,
  leaksIn,
  type Stand,
  startStand,
  startsWithinMs,
  untilSeen,
} from "../../support/broker-stand.ts";
import { environmentOf, recipe, start, startService } from "../../support/recipe.ts";
import { tool } from "./tools.ts";

let stand: Stand;
let env: Record<string, string>;
let service: Awaited<ReturnType<typeof startService>>;

beforeAll(async () => {
  stand = await startStand();
  env = {
    ...environmentOf(stand, "report-service"),
    // A slash behind the endpoint does not count.
    LOOKER_BROKER_ENDPOINT: `${stand.broker.endpoint}/`,
    PORT: "0",
    PYTHONDONTWRITEBYTECODE: "1",
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

const fiftyThreads = fileURLToPath(new URL("fifty_threads.py", import.meta.url));
const python = (script: string) => start(tool("python3"), ["-c", script], { env });

test("requests that come together use one login", async () => {
  expect(await together()).toEqual([well, well, well, well]);
  expect(count("login")).toBe(1);
});

test("a lease that an operator revokes is replaced once, and no request fails", async () => {
  expect((await operate("DELETE", "leases?all=true")).json).toMatchObject({ revoked: 1 });
  expect(await together()).toEqual([well, well, well, well]);
  expect(count("login")).toBe(2);
});

test("while the scope is frozen the service's log says so, and names the way out", async () => {
  await operate("PUT", "freeze", JSON.stringify({ reason: "incident 42" }));
  expect((await ask())[0]).toBe(503);
  await operate("DELETE", "freeze");
  expect(await ask()).toEqual(well);
  expect(service.said()).toMatch(
    /^Listening on port \d+\.\nAn operator has frozen the scope\. Ask the scope's operators\. .+\n$/,
  );
  expect(leaksIn(service.said(), stand.secrets)).toBe(0);
});

test("fifty threads cause one request, and notice nothing when their token is ended", async () => {
  const requests = () => auditLines(stand.broker).filter(({ verb }) => verb === "token").length;
  const before = requests();
  const job = start(tool("python3"), [fiftyThreads], { env });
  const calls = () => Number(job.said().trim().split("\n").at(-1));
  // Of each thread. Its second call begins with the current token: a call survives one dead token, and not two.
  const twoMoreCalls = async () => {
    const sofar = calls();
    await untilSeen(() => calls() >= sofar + 2 || job.child.exitCode !== null, "two more calls", 60_000);
  };
  await twoMoreCalls();
  expect(requests() - before).toBe(1);
  // By an operator.
  expect((await operate("DELETE", "leases?all=true")).json).toMatchObject({ revoked: 1 });
  await twoMoreCalls();
  expect(requests() - before).toBe(2);
  // By somebody at Looker, and unknown to the broker.
  for (const { clientId } of looker().control.liveTokens()) looker().control.endTokensOf(clientId);
  await twoMoreCalls();
  job.child.kill("SIGTERM");
  const { exitCode, out, err } = await job.ended;
  expect([exitCode, out.trim().split("\n").at(-1), err]).toEqual([0, "Failures: []", ""]);
}, 180_000);

test("a token may be read, logout is the broker's, and nobody runs as another Looker user", async () => {
  const script = `
from looker_token_client import TokenBrokerError
from looker_token_client.looker import init40
sdk = init40("sales")
print(sdk.auth.is_authenticated, sdk.me("id").id is not None, sdk.auth.is_authenticated)
sdk.logout()
try:
    sdk.auth.login_user(42)
except TokenBrokerError as failure:
    print(failure.message)
`;
  expect(await python(script).ended).toEqual({
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
