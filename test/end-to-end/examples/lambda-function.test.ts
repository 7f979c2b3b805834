/** examples/lambda-function, in the bundle that the CDK recipe of examples/scheduled-job makes of it. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ScheduledLambda } from "../../../examples/scheduled-job/scheduled-lambda.ts";
import { type Stand, startStand, startsWithinMs } from "../../support/broker-stand.ts";
import { environmentOf, start } from "../../support/recipe.ts";
import { type Synthesized, synthesized } from "../../support/synthesized.ts";
import { cellsOf, policiesOf, resourceOf, scopeOutputs } from "./policies.ts";

let stand: Stand;
let made: Synthesized;

beforeAll(async () => {
  stand = await startStand();
  made = synthesized({
    bundle: true,
    prepare: (stack) => void new ScheduledLambda(stack, "Nightly", stack.broker),
  });
}, startsWithinMs);
afterAll(async () => {
  made?.remove();
  await stand?.stop();
});

const lambda = () => resourceOf(made.stack, "AWS::Lambda::Function", "NightlyFunction");

/** The bundle, in a process of its own outside of the project: all that it needs is in it. */
function run(script: string) {
  const bundle = join(made.outdir, `asset.${lambda().Code.S3Key.replace(".zip", "")}`, "index.mjs");
  const source = `import { handler } from ${JSON.stringify(bundle)};\n${script}`;
  const { ended } = start(process.execPath, ["--input-type=module", "--eval", source], {
    cwd: stand.workDir,
    env: environmentOf(stand, "nightly-job"),
  });
  return ended;
}

test("a warm instance has its token already", async () => {
  const ran = await run(`
    const { fetch } = globalThis;
    let requests = 0;
    globalThis.fetch = (url, options) => {
      if (String(url).startsWith(process.env.LOOKER_BROKER_ENDPOINT)) requests++;
      return fetch(url, options);
    };
    const context = { getRemainingTimeInMillis: () => 30_000 };
    console.log(await handler({}, context), await handler({}, context), requests);
    // Lambda would freeze the process here.
    process.exit();
  `);
  expect(ran).toEqual({
    exitCode: 0,
    out: expect.stringMatching(/^\{ user: '.+' \} \{ user: '.+' \} 1\n$/),
    err: "",
  });
});

test("a Looker that hangs ends the call before Lambda would", async () => {
  const looker = stand.looker;
  looker.control.addFault({ route: "user", kind: "hang", times: 1 });
  const ran = await run(`
    const end = Date.now() + 4_000;
    const context = { getRemainingTimeInMillis: () => end - Date.now() };
    const failure = await handler({}, context).catch((error) => error);
    console.log(failure.name, context.getRemainingTimeInMillis() > 0);
    process.exit();
  `);
  expect(ran).toEqual({ exitCode: 0, out: "TimeoutError true\n", err: "" });
});

test("its role is granted what the hand-out says, and nothing else", () => {
  const role = resourceOf(made.stack, "AWS::IAM::Role", "NightlyRole");
  expect(role.RoleName).toBe("nightly-report");
  expect(cellsOf(policiesOf(made.stack, role))).toEqual(cellsOf([scopeOutputs(made.stack, "sales").policy]));
});

test("it runs every night, and knows where the broker is", () => {
  const { id, Environment } = lambda();
  expect(Environment.Variables.LOOKER_BROKER_ENDPOINT).toBe(scopeOutputs(made.stack, "sales").endpoint);
  expect(resourceOf(made.stack, "AWS::Scheduler::Schedule", "Nightly")).toMatchObject({
    ScheduleExpression: "cron(0 3 * * ? *)",
    ScheduleExpressionTimezone: "Europe/Berlin",
    Target: { Arn: `${id}.Arn` },
  });
});
