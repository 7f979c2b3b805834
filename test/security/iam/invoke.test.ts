/**
 * The first of the two locks: who may invoke which route, by the caller's IAM policy and the API's resource policy.
 * Callers hold what the construct's `grant…` methods give, or what the stack hands out for other accounts. Whatever is
 * not named as allowed is asserted to be denied.
 */
import { Role } from "aws-cdk-lib/aws-iam";
import { describe, expect, it } from "vitest";
import { stageName } from "../../../functions/contract.ts";
import type { BrokerSettings } from "../../../infra/stack.ts";
import type { PolicyDocument } from "../../../local/stack/policy-document.ts";
import type { ResolvedResource } from "../../../local/stack/resources.ts";
import { assertExists, decide, type Principal } from "../../support/iam/evaluator.ts";
import { administratorAccess, policy } from "../../support/iam/policies.ts";
import {
  arn,
  location,
  otherAccount,
  resolved,
  roleArn,
  scopes,
  strangeAccount,
} from "../../support/iam/resolved.ts";

const caller = (scope: string) => [
  "GET /scopes",
  `POST /scopes/${scope}/token`,
  `POST /scopes/${scope}/logout`,
];
const operator = (scope: string) => [
  "GET /scopes",
  `GET /scopes/${scope}/leases`,
  `DELETE /scopes/${scope}/leases`,
  `GET /scopes/${scope}/account`,
  `PUT /scopes/${scope}/freeze`,
  `DELETE /scopes/${scope}/freeze`,
  `DELETE /scopes/${scope}/denials/60feedcafd9abdf2eef2`,
];
const everyRoute = [
  ...new Set(Object.keys(scopes).flatMap((scope) => [...caller(scope), ...operator(scope)])),
];

/** A broker of the broker's own account, of which three roles there have one grant each. */
function broker(settings: ReturnType<BrokerSettings> = {}) {
  const { stack, resources } = resolved({
    settings: () => settings,
    prepare(made) {
      const imported = (name: string) => Role.fromRoleArn(made, name, roleArn(name));
      made.broker.grantToken(imported("fetcher"), "sales");
      made.broker.grantLogout(imported("leaver"), "sales");
      made.broker.grantOperate(imported("keeper"), "sales");
    },
  });
  const apiArn = arn("execute-api", `${stack.apiId}/`);
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  return {
    apiArn,
    resourcePolicy: expanded(ofType("AWS::ApiGateway::RestApi")[0], apiArn),
    /** What the grants made of a role of the broker's account. */
    granted: (name: string) =>
      ofType("AWS::IAM::Policy")
        .filter(({ properties: { Roles } }) => (Roles as string[]).includes(name))
        .map(({ properties }) => properties.PolicyDocument as PolicyDocument),
    /** What the stack hands out for teams to attach themselves. */
    handedOut: (scope: keyof typeof scopes, to: "caller" | "operator") => {
      const parameter = ofType("AWS::SSM::Parameter").find(({ properties }) =>
        String(properties.Name).endsWith(`/scopes/${scope}`),
      );
      return [JSON.parse(String(parameter?.properties.Value))[to].policy as PolicyDocument];
    },
  };
}

/** API Gateway makes `execute-api:/` the API's own ARN: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html */
function expanded(api: ResolvedResource | undefined, apiArn: string): PolicyDocument | undefined {
  const document = api?.properties.Policy as PolicyDocument | undefined;
  return document && JSON.parse(JSON.stringify(document).replaceAll("execute-api:/", apiArn));
}

type Broker = ReturnType<typeof broker>;

async function allowed(
  { apiArn, resourcePolicy }: Broker,
  principal: Principal | undefined,
  context: Record<string, string> = {},
): Promise<string[]> {
  const verdicts = everyRoute.map(async (route) => {
    const [method, path] = route.split(" ");
    const resource = `${apiArn}${stageName}/${method}${path}`;
    await assertExists("execute-api:Invoke", resource);
    const request = { principal, action: "execute-api:Invoke", resource, resourcePolicy, context };
    return decide(request) === "allowed" ? [route] : [];
  });
  return (await Promise.all(verdicts)).flat();
}

const sorted = (routes: readonly string[]) => [...routes].sort();
const role = (account: string, policies: readonly PolicyDocument[], organization?: string): Principal => ({
  roleArn: roleArn("service", account),
  policies,
  ...(organization !== undefined && { organization }),
});
const invokeAll = policy({ Effect: "Allow", Action: "execute-api:Invoke", Resource: "*" });

describe("a regional API", () => {
  const regional = broker();
  const own = (policies: readonly PolicyDocument[]) => role(location.accountId, policies);
  const [other, strange] = [
    (policies: readonly PolicyDocument[]) => role(otherAccount, policies),
    (policies: readonly PolicyDocument[]) => role(strangeAccount, policies),
  ];
  const { granted, handedOut } = regional;

  it.each<[string, Principal | undefined, string[]]>([
    ["nobody who has not signed", undefined, []],
    ["a role without a policy", own([]), []],
    [
      "one with a policy for other services",
      own([policy({ Effect: "Allow", Action: "s3:*", Resource: "*" })]),
      [],
    ],
    [
      "one that was granted tokens of sales",
      own(granted("fetcher")),
      ["GET /scopes", "POST /scopes/sales/token"],
    ],
    ["one that was granted logout from sales", own(granted("leaver")), ["POST /scopes/sales/logout"]],
    ["one that was granted to operate sales", own(granted("keeper")), operator("sales")],
    ["one that was handed the caller's policy of sales", own(handedOut("sales", "caller")), caller("sales")],
    [
      "one that was handed the operator's policy of sales",
      own(handedOut("sales", "operator")),
      operator("sales"),
    ],
    // The second lock is what keeps these from tokens: a scope's own lists.
    ["the account's administrator", own([administratorAccess]), everyRoute],

    ["a role of an account that a scope names, without a policy", other([]), []],
    ["one with the caller's policy of finance", other(handedOut("finance", "caller")), caller("finance")],
    [
      "one with the operator's policy of finance",
      other(handedOut("finance", "operator")),
      operator("finance"),
    ],
    ["one with the caller's policy of sales", other(handedOut("sales", "caller")), caller("sales")],
    ["one that may invoke everything", other([invokeAll]), everyRoute],

    ["a role of an account that no scope names, without a policy", strange([]), []],
    ["one of it with the caller's policy of finance", strange(handedOut("finance", "caller")), []],
    ["one of it that may invoke everything", strange([invokeAll]), []],
  ])("opens exactly the intended routes to %s", async (_, principal, routes) => {
    expect(sorted(await allowed(regional, principal))).toEqual(sorted(routes));
  });

  it("grants one scope, one stage and one API", () => {
    const invoke = (resource: string) =>
      decide({
        principal: own([...granted("fetcher"), ...granted("leaver"), ...granted("keeper")]),
        action: "execute-api:Invoke",
        resource,
        resourcePolicy: regional.resourcePolicy,
      });
    const path = "POST/scopes/sales/token";
    expect(invoke(`${regional.apiArn}${stageName}/${path}`)).toBe("allowed");
    for (const elsewhere of [
      `${regional.apiArn}test-invoke-stage/${path}`,
      `${regional.apiArn}v2/${path}`,
      `${regional.apiArn}${stageName}/${path}/more`,
      `${regional.apiArn}${stageName}/POST/scopes/sales-too/token`,
      arn("execute-api", `an0therap1/${stageName}/${path}`),
    ])
      expect([elsewhere, invoke(elsewhere)]).toEqual([elsewhere, "implicit deny"]);
  });
});

describe("a broker for callers of its own account alone", () => {
  it("lets its own callers in by their IAM policies, and nobody of another account", async () => {
    const { stack, resources } = resolved({ scopes: { sales: scopes.sales } });
    const alone = resources.find(({ type }) => type === "AWS::ApiGateway::RestApi");
    const apiArn = arn("execute-api", `${stack.apiId}/`);
    const resourcePolicy = expanded(alone, apiArn);
    const resource = `${apiArn}${stageName}/POST/scopes/sales/token`;
    const invoke = (principal: Principal) =>
      decide({ principal, action: "execute-api:Invoke", resource, resourcePolicy });
    expect(invoke(role(location.accountId, [invokeAll]))).toBe("allowed");
    expect(invoke(role(otherAccount, [invokeAll]))).toBe("explicit deny");
  });
});

describe("a broker of an organisation", () => {
  const organizationId = "o-a1b2c3d4e5";
  const organised = broker({ organizationId });
  const { granted, handedOut } = organised;

  it.each<[string, Principal, string[]]>([
    ["a granted role", role(location.accountId, granted("keeper"), organizationId), operator("sales")],
    ["a role without a policy", role(location.accountId, [], organizationId), []],
    [
      "a granted role, were the account outside",
      role(location.accountId, granted("keeper"), "o-zzzzzzzzzz"),
      [],
    ],
    ["a granted role, were the account in no organisation", role(location.accountId, granted("keeper")), []],
    [
      "a role of an account that a scope names",
      role(otherAccount, handedOut("finance", "caller"), organizationId),
      caller("finance"),
    ],
    ["such a role without a policy", role(otherAccount, [], organizationId), []],
    ["such a role, were its account outside", role(otherAccount, [invokeAll], "o-zzzzzzzzzz"), []],
    // By organisation there is no list of accounts: of the two locks, the scope's own is left.
    [
      "a role of any other account of the organisation",
      role(strangeAccount, handedOut("sales", "caller"), organizationId),
      caller("sales"),
    ],
    ["a role of a strange account outside", role(strangeAccount, [invokeAll], "o-zzzzzzzzzz"), []],
  ])("opens exactly the intended routes to %s", async (_, principal, routes) => {
    expect(sorted(await allowed(organised, principal))).toEqual(sorted(routes));
  });
});

describe("a private API", () => {
  const [endpoint, foreign] = ["vpce-0a1b2c3d4e5f60718", "vpce-0fffffffffffffff"];
  const hidden = broker({ vpcEndpointIds: [endpoint, "vpce-01234567"] });
  const principals: [string, Principal, string[]][] = [
    [
      "a granted role",
      role(location.accountId, hidden.granted("fetcher")),
      ["GET /scopes", "POST /scopes/sales/token"],
    ],
    ["a role without a policy", role(location.accountId, []), []],
    ["the account's administrator", role(location.accountId, [administratorAccess]), everyRoute],
    [
      "a role of another account",
      role(otherAccount, hidden.handedOut("finance", "caller")),
      caller("finance"),
    ],
    ["a role of a strange account", role(strangeAccount, [invokeAll]), []],
  ];

  it.each(principals)(
    "opens exactly the intended routes to %s, through its endpoints only",
    async (_, principal, routes) => {
      const through = async (context: Record<string, string>) =>
        sorted(await allowed(hidden, principal, context));
      expect(await through({ "aws:SourceVpce": endpoint })).toEqual(sorted(routes));
      expect(await through({ "aws:SourceVpce": foreign })).toEqual([]);
      expect(await through({})).toEqual([]);
    },
  );
});
