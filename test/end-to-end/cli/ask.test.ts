/** `looker-token ask --local` against a whole local broker: the stand-ins of CloudFormation and CloudWatch Logs answer. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { savedQueries } from "../../../infra/saved-queries.ts";
import { onStage } from "../../support/cli/stage.ts";

const stage = onStage();
const { run, onTerminal } = stage;
const asked = async (...args: string[]) =>
  JSON.parse((await stage.cli.run("ask", ...args, "--json", "--local")).out);

test("without a question it lists all, with the values that each takes", async () => {
  const { exitCode, out } = await run("ask");
  expect(exitCode).toBe(0);
  for (const { name, asks, placeholders } of savedQueries) {
    expect(out).toMatch(
      new RegExp(
        `^${[name, ...placeholders.map((each) => `--${each.name.replaceAll("_", "-")} …`)].join(" ")}$`,
        "m",
      ),
    );
    expect(out.replace(/\s+/g, " ")).toContain(asks);
  }
  const { questions } = await asked();
  expect(questions.map(({ name }: { name: string }) => name).sort()).toEqual(
    savedQueries.map(({ name }) => name).sort(),
  );
});

test("a token's holder is found by its hash, in a table and in JSON", async () => {
  const { json } = await stage.caller("report-service").token("sales");
  const sha256 = createHash("sha256").update(json.access_token).digest("hex");
  const { out, err } = await run("ask", "who-got-this-token", "--token-sha256", sha256);
  expect(out).toMatch(/^kind +scope +lease_id .*\naudit +sales .*role\/report-service/);
  expect(err).toBe("");
  const answer = await asked("who-got-this-token", `--token-sha256=${sha256}`, "--since", "5m");
  expect(answer).toMatchObject({
    question: "who-got-this-token",
    from: expect.any(String),
    to: expect.any(String),
  });
  expect(answer.rows.map((row: Record<string, string>) => [row.kind, row.lease_id, row.times_given])).toEqual(
    [
      ["audit", json.lease_id, "1"],
      ["mint", json.lease_id, "0"],
    ],
  );
  expect(Date.parse(answer.to) - Date.parse(answer.from)).toBe(300_000);
});

test("on a terminal a wide row stands line by line, and below it how to read the answer", async () => {
  await stage.caller("report-service").token("sales");
  const { text } = await onTerminal(["ask", "who-causes-logins"]);
  expect(text).toMatch(/logins_tried:\S* \d/);
  expect(text.replace(/\s+/g, " ")).toContain("Logins by hour, scope and caller, the most first.");
});

test("refusals of the gateway are found in its access log", async () => {
  const { status } = await stage.caller("report-service").send("GET", "/scopes/sales/leases");
  expect(status).toBe(403);
  const { rows } = await asked("what-the-gateway-refused");
  expect(rows).toContainEqual(
    expect.objectContaining({
      error: "ACCESS_DENIED",
      status: "403",
      user_arn: stage.caller("report-service").principal.userArn,
      requests: "1",
    }),
  );
});

test("an answer without rows says so", async () => {
  expect((await run("ask", "what-crashed", "--since", "1m")).out).toBe("Nothing in the past 1m.\n");
});

test("a caller goes by the ARN of its session too, and ask says how it read it", async () => {
  await stage.caller("report-service").token("sales");
  const session = "arn:aws:sts::111122223333:assumed-role/report-service/i-0abc";
  const { out, err } = await stage.run("ask", "what-did-this-caller-do", "--caller", session);
  expect(err).toContain("--caller was read as arn:aws:iam::111122223333:role/report-service.");
  expect(out).toContain("minted");
});

test("a caller without the auditor's policy is refused", async () => {
  const { exitCode, err } = await run("ask", "who-is-denied", "--as", "report-service");
  expect(exitCode).toBe(3);
  expect(err).toMatch(
    /role\/report-service.*not authorized to perform: cloudformation:ListStackResources|report-service/,
  );
  expect(err).toContain("Only operators may ask the local run.");
});

test.each<[string[], string]>([
  [["what-is-it"], "This deployment has no such question."],
  [["who-is-denied", "what-goes-wrong"], "ask takes one question."],
  [["who-is-denied", "--since", "soon"], "--since takes how long ago"],
  [["who-is-denied", "--caller", "x"], "who-is-denied takes no --caller. Leave the value out."],
  [["who-is-denied", "--json", "--print-query"], "leave one of them out"],
  [["--stack", "other"], "--local finds the stack by itself."],
  [["--endpoint", "https://a"], "Values belong to a question."],
])("%j is refused", async (args, message) => {
  const { exitCode, err } = await run("ask", ...args);
  expect([exitCode, err]).toEqual([2, expect.stringContaining(message)]);
});

test("the query is printed with its values, for other programs", async () => {
  const { out } = await run(
    "ask",
    "is-this-lease-dead",
    "--lease-id",
    "8ae67a142e19b6ce3e1e",
    "--print-query",
  );
  expect(out).toMatch(/^filter lease_id = "ID"\n\| stats/);
});
