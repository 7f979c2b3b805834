/** Every user of a machine reaches its loopback ports. Without the pair of this run they get nothing of Looker's. */
import { connect } from "node:net";
import { expect, it } from "vitest";
import { plantedToken } from "../../../test/support/broker-replies.ts";
import { form, startStand } from "../proxy/stand.ts";

it("another user without the pair gets neither a token nor an answer of Looker's", async () => {
  let asked = 0;
  const { send, login, broker } = await startStand({
    looker: (_, response) => {
      asked++;
      response.end("{}");
    },
  });
  await login();
  const logins = await Promise.all(
    ["", "client_id=&client_secret=", "client_id=a&client_secret=b"].map((body) =>
      send("/api/4.0/login", { method: "POST", headers: form, body }),
    ),
  );
  expect(logins.map(({ status }) => status)).toEqual([404, 404, 404]);
  for (const path of ["/", "/alive", "/versions", "/api/4.0/user", "/api/4.0/swagger.json"])
    expect((await send(path)).status).toBe(401);
  expect([asked, broker.asked.length]).toEqual([0, 1]);
});

it("another user with Looker's own token, from wherever, gets nothing: only local tokens open the proxy", async () => {
  const { send, login } = await startStand();
  await login();
  const headers = { authorization: `Bearer ${plantedToken("lease-1")}` };
  expect((await send("/api/4.0/user", { headers })).status).toBe(401);
});

it("another machine finds no port: the proxy listens on 127.0.0.1 alone", async () => {
  const { proxy } = await startStand();
  // Every address of 127/8 leads to this machine. A proxy on all addresses would answer.
  const outcome = await new Promise((resolve) => {
    const socket = connect(proxy.port, "127.0.0.2");
    socket.on("connect", () => resolve("connected")).on("error", ({ message }) => resolve(message));
  });
  expect(outcome).toMatch(/ECONNREFUSED/);
});
