import type { GatewayPrincipal, ProxyEvent } from "../../local/gateway/event.ts";
import type { ApiStage } from "../../local/gateway/invoke-policy.ts";
import { type GatewayOptions, startGateway } from "../../local/gateway/server.ts";
import type { InvokeResult } from "../../local/lambda/invoke-result.ts";
import type { LocalRoute } from "../../local/stack/routes.ts";

const apiStage: ApiStage = {
  partition: "aws",
  region: "eu-west-1",
  accountId: "111122223333",
  apiId: "a1b2c3d4e5",
  stage: "v1",
};
export const { region, apiId } = apiStage;
const arn = (rest: string) => `arn:aws:execute-api:${region}:111122223333:${apiId}/v1/${rest}`;

const route = (
  resource: string,
  method: string,
  authorization: LocalRoute["authorization"] = "AWS_IAM",
): LocalRoute => ({
  resource,
  resourceId: `id${resource.length}${method}`,
  method,
  functionId: `function of ${method} ${resource}`,
  authorization,
});

export const routes: LocalRoute[] = [
  route("/scopes", "GET"),
  route("/scopes/{scope}/token", "POST"),
  route("/scopes/{scope}/leases", "DELETE"),
  route("/health", "GET", "NONE"),
];

export const service: GatewayPrincipal = {
  accessKeyId: "ASIAREPORTSERVICE0",
  secretAccessKey: "report-service-secret",
  sessionToken: "report/service+token==",
  userArn: "arn:aws:sts::444455556666:assumed-role/report-service/local",
  accountId: "444455556666",
  caller: "AROAREPORTSERVICE000:local",
  orgId: "o-abc123",
  allow: [arn("POST/scopes/sales/token"), arn("GET/scopes"), arn("POST/scopes/frozen/*")],
  deny: [arn("*/scopes/frozen/*")],
};

export const user: GatewayPrincipal = {
  accessKeyId: "AKIAALICE0000000000",
  secretAccessKey: "alice-secret",
  userArn: "arn:aws:iam::111122223333:user/alice",
  accountId: "111122223333",
  caller: "AIDAALICE00000000000",
  allow: [arn("*")],
};

/** Fields of the access log that the tests look at. */
const accessLogFields = {
  method: "$context.httpMethod",
  path: "$context.path",
  status: "$context.status",
  resource: "$context.resourcePath",
  userArn: "$context.identity.userArn",
  problem: "$context.integration.error",
  responseType: "$context.error.responseType",
};

/** A gateway whose function answers what the test says, and which keeps the events that it was given. */
export async function startTestGateway(
  answer: (event: ProxyEvent) => InvokeResult | Promise<InvokeResult> = () => ok({}),
  more: Partial<GatewayOptions> = {},
) {
  const invocations: { functionId: string; event: ProxyEvent; trace: string }[] = [];
  const lines: (typeof accessLogFields)[] = [];
  const gateway = await startGateway({
    ...apiStage,
    routes,
    principals: { find: (id) => [service, user].find(({ accessKeyId }) => accessKeyId === id) },
    invoke: async (functionId, event, trace) => {
      // As it arrives at a function.
      invocations.push({ functionId, event: JSON.parse(JSON.stringify(event)), trace });
      return answer(event);
    },
    accessLog: { format: JSON.stringify(accessLogFields), write: (line) => lines.push(JSON.parse(line)) },
    ...more,
  });
  return { ...gateway, invocations, lines };
}

export const ok = (more: Record<string, unknown>): InvokeResult => ({
  kind: "answer",
  payload: { statusCode: 200, body: "{}", ...more },
});
