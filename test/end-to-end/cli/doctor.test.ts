/** `looker-token doctor`: its form, and where the broker, the scope or Looker refuses. */
import { describe, expect, test } from "vitest";
import { gatewayReply, problem, tokenReply } from "../../support/broker-replies.ts";
import { caller, doctorStand, examined, grant, names, sales } from "../../support/cli/doctor-stand.ts";
import { onStage } from "../../support/cli/stage.ts";

describe("against the local run", () => {
  const stage = onStage();

  test("all is well, in lines of 80 columns", async () => {
    const { exitCode, out, err } = await stage.run("doctor", "--scope", "sales");
    expect([exitCode, err]).toEqual([0, ""]);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    const words = out.split("\n").filter((line) => /^\S/.test(line));
    expect(words.map((line) => line.split(/\s+/).slice(0, 2))).toEqual(names.map((name) => ["ok", name]));
    expect(out.trim().replace(/\s+/g, " ")).toMatch(
      /identity The broker knows you as arn:aws:iam::111122223333:role\/report-service .* looker Looker at 127.0.0.1:PORT takes the token of user 101\.$/,
    );
  });

  test("the token of the role is shared and not ended", async () => {
    const { access_token } = (await stage.caller("report-service").token("sales")).json;
    const { line } = await examined(stage.cli, "--local", "--scope", "sales");
    const { lease_id } = (await stage.caller("report-service").token("sales")).json;
    expect(line("token").found).toContain(`lease ${lease_id},`);
    expect(await stage.lookerTakes(access_token)).toBe(200);
  });

  test("words have colours on a terminal", async () => {
    const { text } = await stage.onTerminal(["doctor", "--scope", "sales"]);
    expect(text).toContain("␛[32mok␛[39m  program");
  });

  test("without a scope the last three checks are skipped, and the scopes are named", async () => {
    const { exitCode, line, word } = await examined(stage.cli, "--local");
    expect([exitCode, word("identity"), word("scope"), word("token"), word("looker")]).toEqual([
      ...[0, "ok", "skipped", "skipped", "skipped"],
    ]);
    expect(line("scope").found).toBe("Pass --scope NAME to check a scope. You are in sales.");
  });

  test("IAM refuses the caller", async () => {
    const { exitCode, line, word } = await examined(
      stage.cli,
      "--local",
      "--scope",
      "sales",
      "--as",
      "administrator",
    );
    expect([exitCode, word("identity"), word("scope")]).toEqual([3, "fail", "skipped"]);
    expect(line("identity")).toMatchObject({
      code: "access_denied",
      next: expect.stringContaining("execute-api:Invoke on GET /scopes"),
    });
  });

  test("the scope does not list the caller", async () => {
    const { exitCode, line } = await examined(
      stage.cli,
      "--local",
      "--scope",
      "finance",
      "--as",
      "report-service",
    );
    expect([exitCode, line("scope")]).toEqual([
      3,
      {
        check: "scope",
        result: "fail",
        code: "not_allowed",
        found: "The scope finance does not list you, or there is no such scope. You are in sales.",
        next: "Check its name, or ask its owners to add the ARN above to the scope's callers.",
      },
    ]);
  });
});

describe("against a broker of the test's own", () => {
  const at = doctorStand();

  test("no endpoint: a usage error, and later checks are skipped", async () => {
    const { exitCode, line, word } = await examined(
      at.broker.cli.without("LOOKER_BROKER_ENDPOINT"),
      ...sales,
    );
    expect([exitCode, line("endpoint").code, word("proxy")]).toEqual([2, "no_endpoint", "ok"]);
    expect(names.slice(3).map(word)).toEqual(names.slice(3).map(() => "skipped"));
  });

  test.each([
    ["--local where no broker runs", ["--local"], "`npm start` starts one."],
    ["--as without --local", ["--as", "me"], "Add --local."],
    [
      "--local with an endpoint",
      ["--local", "--endpoint", "https://a/v1"],
      "Leave --endpoint and --region out.",
    ],
    ["an endpoint that is no URL", ["--endpoint", "tokens.example.com"], /^Pass --endpoint, or set/],
    ["a region with a blank", ["--region", "eu west 1"], /^Pass --region, or set/],
  ])("%s is told with the next step", async (_, args, next) => {
    const { exitCode, line } = await examined(at.broker.cli, ...sales, ...args);
    expect([exitCode, line("endpoint").next]).toEqual([
      2,
      typeof next === "string" ? next : expect.stringMatching(next),
    ]);
  });

  test("a scope whose name cannot be one is told with the next step", async () => {
    const { exitCode, line } = await examined(at.broker.cli, "--scope", "Sales");
    expect([exitCode, line("scope").next]).toEqual([2, "Correct the name of the scope."]);
  });

  test("no region", async () => {
    const { exitCode, line } = await examined(at.broker.cli.without("AWS_REGION"), ...sales);
    expect([exitCode, line("endpoint").code]).toEqual([2, "no_region"]);
  });

  test.each([
    ["bad_credentials", 3, gatewayReply(403, "UnrecognizedClientException", "invalid")],
    ["no_such_route", 2, gatewayReply(403, "ForbiddenException", "Forbidden")],
    ["not_a_broker", 4, { status: 200, body: "<html>" }],
  ] as const)("the broker's place answers %s", async (code, exitCode, reply) => {
    at.permissions = reply;
    const seen = await examined(at.broker.cli, ...sales);
    expect([seen.exitCode, seen.line("identity").code, seen.word("scope")]).toEqual([
      exitCode,
      code,
      "skipped",
    ]);
  });

  test("an operator who gets no token", async () => {
    at.permissions = { status: 200, body: { caller, scopes: [{ ...grant, may: ["operate"] }] } };
    const { exitCode, line } = await examined(at.broker.cli, ...sales);
    expect([exitCode, line("scope").found]).toEqual([
      3,
      "The scope sales lists you as an operator, who gets no token.",
    ]);
  });

  test("the scope is frozen", async () => {
    at.token = problem(403, "scope_frozen");
    const { exitCode, line, word } = await examined(at.broker.cli, ...sales);
    expect([exitCode, line("token").code, word("looker")]).toEqual([3, "scope_frozen", "skipped"]);
    expect(line("token").next).toContain("operators");
  });

  test.each([
    [401, "looker_refused_token", "does not take the token (401)"],
    [503, "looker_unavailable", "gave another answer than the user (503)"],
  ])("Looker answers %s", async (status, code, found) => {
    at.looker.answering = () => ({ status, body: {} });
    const { exitCode, line } = await examined(at.broker.cli, ...sales);
    expect([exitCode, line("looker").code]).toEqual([4, code]);
    expect(line("looker").found).toContain(found);
    expect(at.looker.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /api/4.0/user?fields=id",
    ]);
  });

  test("Looker's address would send the token in the clear", async () => {
    at.token = tokenReply("one", 900, "http://looker.example.com");
    const { exitCode, line } = await examined(at.broker.cli, ...sales);
    expect([exitCode, line("looker").result]).toEqual([4, "fail"]);
    expect(line("looker").found).toBe("Looker's address http://looker.example.com is not https.");
  });
});
