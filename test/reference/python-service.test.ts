/** examples/python-service, with botocore's signatures and Looker's own SDK for Python. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningLooker } from "../../local/looker/server.ts";
import { environmentOf, recipe, start, startService } from "../end-to-end/examples/recipe.ts";
import { callerOf, leaksIn, type Stand, startStand, startsWithinMs } from "../end-to-end/stand.ts";
import { tool } from "./tools.ts";

let stand: Stand;
let env: Record<string, string>;
let service: Awaited<ReturnType<typeof startService>>;

beforeAll(async () => {
  stand = await startStand();
  env = {
    ...environmentOf(stand, "report-service"),
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
const looker = () => stand.broker.looker as RunningLooker;
const events = () =>
  looker()
    .ledger()
    .map(({ event }) => event);
const count = (event: string) => events().filter((each) => each === event).length;

const well = [200, expect.stringMatching(/^\{"display_name": ".+"\}$/)];

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
  expect(service.said()).toMatch(/^Listening on port \d+\.\n403 \{.*"code":"scope_frozen".*\}\n$/);
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
  const { ended } = start(tool("python3"), ["-c", script], { env });
  expect(await ended).toEqual({
    exitCode: 0,
    out: "False True True\nA session of the token broker cannot run as another Looker user.\n",
    err: "",
  });
  // Not behind the broker's back: it has no lease left.
  expect(looker().control.liveTokens()).toEqual([]);
  expect((await operate("GET", "leases")).json.leases).toEqual([]);
});
