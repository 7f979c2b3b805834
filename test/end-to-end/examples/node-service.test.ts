/** examples/node-service, as its process is started. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { callerOf, leaksIn, type Stand, startStand, startsWithinMs } from "../../support/broker-stand.ts";
import { buildClient, environmentOf, recipe, startService } from "../../support/recipe.ts";

let stand: Stand;
let service: Awaited<ReturnType<typeof startService>>;

beforeAll(async () => {
  buildClient();
  stand = await startStand();
  const env = { ...environmentOf(stand, "report-service"), PORT: "0" };
  service = await startService(process.execPath, [recipe("node-service/server.ts")], { env });
}, startsWithinMs);
afterAll(async () => {
  service?.child.kill("SIGKILL");
  await stand?.stop();
});

const ask = async () => {
  const response = await fetch(service.url);
  return [response.status, await response.text()];
};
const operate = (method: string, path: string, body?: string) =>
  callerOf(stand, "platform-engineer").send(method, `/scopes/sales/${path}`, body);
const logins = () => stand.looker.ledger().filter(({ event }) => event === "login").length;

const well = [200, expect.stringMatching(/^\{"display_name":".+"\}$/)];

test("requests that come together cause one login", async () => {
  expect(await Promise.all([ask(), ask(), ask(), ask()])).toEqual([well, well, well, well]);
  expect(logins()).toBe(1);
});

test("a lease that an operator revokes is replaced, and no request fails", async () => {
  expect((await operate("DELETE", "leases?all=true")).json).toMatchObject({ revoked: 1 });
  expect(await ask()).toEqual(well);
  expect(logins()).toBe(2);
});

test("while the scope is frozen the service's log says so, and what to do", async () => {
  await operate("PUT", "freeze", JSON.stringify({ reason: "incident 42" }));
  expect((await ask())[0]).toBe(503);
  await operate("DELETE", "freeze");
  expect(await ask()).toEqual(well);
});

test("a call that Looker fails is a 503, and the next one works", async () => {
  const { control } = stand.looker;
  control.addFault({ route: "user", kind: "status", status: 500, times: 1 });
  expect((await ask())[0]).toBe(503);
  expect(await ask()).toEqual(well);
});

test("it ends when it is told to, and has written what failed, and no token", async () => {
  service.child.kill("SIGTERM");
  const { exitCode, out, err } = await service.ended;
  expect([exitCode, out, err]).toEqual([
    0,
    expect.stringMatching(/^Listening on port \d+\.\n$/),
    expect.stringMatching(/^scope_frozen: .*frozen.*\nLookerSDKError: An error has occurred\.\n/),
  ]);
  expect(leaksIn(out + err, stand.secrets)).toBe(0);
});
