/** The console's port is open to each user of the machine. The link and the cookie are the only way in. */
import { connect } from "node:net";
import { expect, it } from "vitest";
import { startConsoleStand } from "../console/stand.ts";

it("a stolen URL without its key opens nothing", async () => {
  const { send, base, ask, broker } = await startConsoleStand();
  const tries = [
    await send(base),
    await send(`${base}page.js`),
    await send(`${base}?key=`),
    await send(`${base}?key=${"0".repeat(48)}`),
    await ask("look", { used: true }),
  ];
  expect(tries.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
  expect(broker.asked("GET")).toEqual([]);
});

it("a key without its path opens nothing", async () => {
  const { send, key } = await startConsoleStand();
  expect((await send(`/?key=${key}`)).status).toBe(404);
});

it("a used key opens nothing, and warns its second visitor", async () => {
  const { enter, send, base, key } = await startConsoleStand();
  await enter();
  const { status, text, headers } = await send(`${base}?key=${key}`);
  expect([status, headers["set-cookie"]]).toEqual([401, undefined]);
  expect(text).toMatch(/was used before.*another user of this machine may have: press Ctrl-C/);
});

it("a wrong key does not use the right one up", async () => {
  const { send, base, key } = await startConsoleStand();
  await send(`${base}?key=${"0".repeat(48)}`);
  expect((await send(`${base}?key=${key}`)).status).toBe(303);
});

it("a browser's early load of the link does not use the key up", async () => {
  const { send, base, key } = await startConsoleStand();
  const early = await send(`${base}?key=${key}`, { headers: { "sec-purpose": "prefetch" } });
  expect([early.status, early.headers["set-cookie"]]).toEqual([403, undefined]);
  expect((await send(`${base}?key=${key}`)).status).toBe(303);
});

it("the key leaves the address, and no script and no other site gets the cookie", async () => {
  const { send, base, key } = await startConsoleStand();
  const { headers } = await send(`${base}?key=${key}`);
  expect(headers.location).toBe(base);
  const [cookie = ""] = headers["set-cookie"] ?? [];
  expect(cookie).toMatch(
    /^looker-token-console=[0-9a-f]{48}; Path=\/[0-9a-f]{48}\/; HttpOnly; SameSite=Strict$/,
  );
  expect(cookie).not.toContain(key);
});

it("the cookie of another run opens nothing", async () => {
  const [one, other] = [await startConsoleStand(), await startConsoleStand()];
  const cookie = await one.enter();
  expect((await other.send(other.base, { headers: { cookie } })).status).toBe(401);
  expect((await one.send(one.base, { headers: { cookie } })).status).toBe(200);
});

it("another server on this machine does not get the cookie: its path has a secret part", async () => {
  const [one, other] = [await startConsoleStand(), await startConsoleStand()];
  expect(one.base).toMatch(/^\/[0-9a-f]{48}\/$/);
  expect(one.base).not.toBe(other.base);
});

it("another machine finds no port: the console listens on 127.0.0.1 alone", async () => {
  const { console } = await startConsoleStand();
  const outcome = await new Promise((resolve) => {
    const socket = connect(console.port, "127.0.0.2");
    socket.on("connect", () => resolve("connected")).on("error", ({ message }) => resolve(message));
  });
  expect(outcome).toMatch(/ECONNREFUSED/);
});
