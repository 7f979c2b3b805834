/** The document and what is deployed: the same routes, and API Gateway's own answers as the template shapes them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { customize } from "../../../local/gateway/gateway-responses.ts";
import * as refusals from "../../../local/gateway/refusals.ts";
import { rehearse, writeDeployment } from "../../../local/rehearsal.ts";
import { readCloudAssembly } from "../../../local/stack/cloud-assembly.ts";
import { synthesize } from "../../../local/stack/synthesize.ts";
import { type LocalStack, readTemplate } from "../../../local/stack/template.ts";
import { operations, validateAnswer } from "../../support/openapi/document.ts";

const place = { partition: "aws", region: "eu-central-1", accountId: "111122223333" };
let stack: LocalStack;

beforeAll(async () => {
  const outdir = mkdtempSync(join(tmpdir(), "openapi-"));
  try {
    const deployment = join(outdir, "deployment.json");
    writeDeployment(deployment, await rehearse("local/scopes.ts"), () => "http://127.0.0.1:1");
    await synthesize(outdir, deployment, place);
    stack = readTemplate(readCloudAssembly(outdir), place);
  } finally {
    rmSync(outdir, { recursive: true });
  }
});

it("the routes are those of the template", () => {
  const documented = operations.map(({ method, resource }) => `${method} ${resource}`);
  const deployed = stack.routes.map(({ method, resource }) => `${method} ${resource}`);
  expect(documented.sort()).toEqual(deployed.sort());
});

const arn = "arn:aws:sts::111122223333:assumed-role/report-service/pod-1";

it.each([
  ["no such route for an unsigned request", refusals.missingAuthentication],
  ["a wrong signature", refusals.refuseSignature("mismatch", "The request signature we calculated…")],
  ["an unknown key", refusals.refuseSignature("unknown_access_key", "The security token …")],
  ["what IAM does not allow", refusals.refuseInvoke(arn, "arn:aws:execute-api:…", false)],
  ["a query that does not decode", refusals.malformedQuery],
  ["an event that Lambda does not take", refusals.eventTooLarge],
  ["a long URI", refusals.uriTooLong],
  ["too many requests", refusals.throttled],
  ["a function that is throttled", refusals.invocationRejected],
  ["a function that fails", refusals.functionFailed],
  ["a function that takes too long", refusals.integrationTimedOut],
])("every operation documents API Gateway's answer to %s", (_, refusal) => {
  const requestId = "11111111-2222-3333-4444-555555555555";
  const { status, headers, body } = customize(refusal, stack.gatewayResponses, {
    requestId,
    extendedRequestId: "",
    apiId: stack.apiId,
    stage: stack.stage,
  });
  const sent = { ...Object.fromEntries(headers), "x-amzn-RequestId": requestId };
  for (const { method, resource } of operations)
    expect([method, resource, ...validateAnswer(method, resource, status, sent, body)]).toEqual([
      method,
      resource,
    ]);
});
