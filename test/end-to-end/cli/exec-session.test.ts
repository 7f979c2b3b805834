/** `looker-token exec` and the two kinds of tokens: the one that a role shares, and one of a session. */
import { expect, test } from "vitest";
import { problem, tokenReply } from "../../support/broker-replies.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";
import type { Asked, Reply } from "../../support/fake-server.ts";

async function brokerWith(answering: (asked: Asked) => Reply) {
  const broker = await FakeBroker.start();
  const bodies: [string, unknown][] = [];
  broker.instead = (asked) => {
    bodies.push([asked.path.split("/").at(-1) ?? "", asked.text === "" ? undefined : JSON.parse(asked.text)]);
    return asked.path.endsWith("/logout")
      ? { status: 200, body: { revoked: 1, pending: 0 } }
      : answering(asked);
  };
  return { cli: broker.cli, bodies };
}

const newToken = () => tokenReply("lease-1");

test("without --session it takes the role's token, and ends nothing", async () => {
  const { cli, bodies } = await brokerWith(newToken);
  const script = 'echo "$LOOKERSDK_BASE_URL $LOOKER_API_ENDPOINT"; [ -n "$LOOKER_ACCESS_TOKEN" ]';
  expect(await cli.run("exec", "--scope", "sales", "--", "sh", "-c", script)).toEqual({
    exitCode: 0,
    out: "https://example.cloud.looker.com https://example.cloud.looker.com/api/4.0/\n",
    err: "",
  });
  expect(bodies).toEqual([["token", { min_ttl_seconds: 60 }]]);
});

test("with --session NAME it takes the session's token, and ends this session alone", async () => {
  const { cli, bodies } = await brokerWith(newToken);
  await cli.run("exec", "--scope", "sales", "--session", "nightly", "--", "false");
  expect(bodies).toEqual([
    ["token", { min_ttl_seconds: 60, session: "nightly" }],
    ["logout", { session: "nightly" }],
  ]);
});

test("with --session alone each run has another name", async () => {
  const { cli, bodies } = await brokerWith(newToken);
  for (const _ of [1, 2]) await cli.run("exec", "--scope", "sales", "--session", "--", "true");
  const [one, , another] = bodies.map(([, body]) => (body as { session: string }).session);
  expect([one, another, one === another]).toEqual([
    expect.stringMatching(/^exec-[0-9a-f]{12}$/),
    expect.stringMatching(/^exec-[0-9a-f]{12}$/),
    false,
  ]);
});

test("a session's budget that is spent is waited for, if it is not long", async () => {
  let requests = 0;
  const { cli } = await brokerWith(() => (++requests === 1 ? problem(429, "too_many_mints", 1) : newToken()));
  expect((await cli.run("exec", "--scope", "sales", "--session", "--", "true")).exitCode).toBe(0);
});

test.each([
  [["--session"], "leave out --session"],
  [["--proxy"], "--shared"],
])("a session's budget that stays spent ends %s with the shared mode's name", async (options, way) => {
  const { cli, bodies } = await brokerWith(() => problem(429, "too_many_mints", 300));
  const { exitCode, err } = await cli.run("exec", "--scope", "sales", ...options, "--", "true");
  expect([exitCode, err]).toEqual([
    4,
    "looker-token: A title. Your role has used up its logins for sessions. " +
      `Share the role's token instead (${way}), or try again in 300 s.\n`,
  ]);
  expect(bodies.map(([route]) => route)).toEqual(["token"]);
});

test("a scope without sessions says so", async () => {
  const { cli } = await brokerWith(() =>
    problem(400, "bad_request", undefined, "The scope has sessions switched off."),
  );
  expect(await cli.run("exec", "--scope", "sales", "--session", "--", "true")).toEqual({
    exitCode: 2,
    out: "",
    err: "looker-token: A title. The scope has sessions switched off.\n",
  });
});

test("a session that cannot be ended is told of, and the exit code stays the command's", async () => {
  const broker = await FakeBroker.start();
  broker.instead = ({ path }) => (path.endsWith("/logout") ? problem(403, "not_allowed") : newToken());
  const ran = await broker.cli.run("exec", "--scope", "sales", "--session", "--", "sh", "-c", "exit 7");
  expect(ran).toMatchObject({
    exitCode: 7,
    err: expect.stringMatching(/^looker-token: The session was not ended\. The broker has no such scope/),
  });
});
