/** examples/lambda-function, in the bundle that the CDK recipe of examples/scheduled-job makes of it. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ScheduledLambda } from "../../../examples/scheduled-job/scheduled-lambda.ts";
import { type Synthesized, synthesized } from "../../infra/synthesized.ts";
import { type Stand, startStand, startsWithinMs } from "../stand.ts";
import { cellsOf, handout, policiesOf, resourceOf } from "./policies.ts";
import { environmentOf, start } from "./recipe.ts";

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

test("a warm instance has its token already", async () => {
  const bundle = join(made.outdir, `asset.${lambda().Code.S3Key.replace(".zip", "")}`, "index.mjs");
  const invokeTwice = `
    import { handler } from ${JSON.stringify(bundle)};
    const { fetch } = globalThis;
    let requests = 0;
    globalThis.fetch = (url, options) => {
      if (String(url).startsWith(process.env.LOOKER_BROKER_ENDPOINT)) requests++;
      return fetch(url, options);
    };
    console.log(await handler(), await handler(), requests);
  `;
  const { ended } = start(process.execPath, ["--input-type=module", "--eval", invokeTwice], {
    // Outside of the project: all that it needs is in the bundle.
    cwd: stand.workDir,
    env: environmentOf(stand, "nightly-job"),
  });
  expect(await ended).toEqual({
    exitCode: 0,
    out: expect.stringMatching(/^\{ user: '.+' \} \{ user: '.+' \} 1\n$/),
    err: "",
  });
});

test("its role is granted what the hand-out says, and nothing else", () => {
  const role = resourceOf(made.stack, "AWS::IAM::Role", "NightlyRole");
  expect(role.RoleName).toBe("nightly-report");
  expect(cellsOf(policiesOf(made.stack, role))).toEqual(cellsOf([handout(made.stack, "sales").policy]));
});

test("it runs every night, and knows where the broker is", () => {
  const { id, Environment } = lambda();
  expect(Environment.Variables.LOOKER_BROKER_ENDPOINT).toBe(handout(made.stack, "sales").endpoint);
  expect(resourceOf(made.stack, "AWS::Scheduler::Schedule", "Nightly")).toMatchObject({
    ScheduleExpression: "cron(0 3 * * ? *)",
    ScheduleExpressionTimezone: "Europe/Berlin",
    Target: { Arn: `${id}.Arn` },
  });
});
