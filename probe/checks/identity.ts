/** Whoever says who it is, instead of signing as that, is believed nowhere. */
import {
  answersWith,
  type Check,
  type Expectation,
  gatewayRefuses,
  type NotTried,
  refused,
} from "../check.ts";
import type { Caller, ProbeContext } from "../context.ts";
import type { Answer } from "../request.ts";
import { verbsOn } from "./verbs.ts";

export function forgedIdentity({ scope, caller }: ProbeContext): Check[] {
  const forged = forgery(caller);
  const identity = { accountId: caller.account, caller: forged.caller, userArn: forged.userArn };
  const path = `/scopes/${scope.scope}/token`;
  const whoAmI = { method: "GET", path: "/scopes" };
  const unknownField = scope.may.includes("token") ? answersWith(400, "bad_request") : refused;
  return [
    ...Object.entries({
      "x-amzn-iam-identity": JSON.stringify(identity),
      "x-amz-user-arn": forged.userArn,
      "x-amzn-requestcontext": JSON.stringify({ identity }),
      "x-forwarded-user": forged.userArn,
      "x-iam-response": "<GetCallerIdentityResult/>",
    }).map(([name, value]) => ({
      what: `header ${name}`,
      request: { ...whoAmI, headers: { [name]: value } },
      expect: sameCaller(caller),
    })),
    {
      what: "who am I, with a caller in the query",
      request: { ...whoAmI, query: { caller: forged.arn } },
      expect: answersWith(400, "bad_request"),
    },
    {
      what: "token, with a caller in the query",
      request: { method: "POST", path, query: { caller: forged.arn } },
      expect: unknownField,
    },
    ...Object.entries({ caller: forged.arn, requestContext: { identity } }).map(([field, value]) => ({
      what: `token, with a ${field} in the body`,
      request: { method: "POST", path, body: JSON.stringify({ [field]: value }) },
      expect: unknownField,
    })),
  ];
}

function forgery({ arn, account }: Caller) {
  const partition = arn.split(":")[1];
  return {
    arn: `arn:${partition}:iam::${account}:role/forged`,
    userArn: `arn:${partition}:sts::${account}:assumed-role/forged/session`,
    caller: "AROAFORGEDFORGEDFORGE:session",
  };
}

const sameCaller = (caller: Caller): Expectation => ({
  words: "403, or still the same caller",
  surprise: (answer) => {
    if (answer.status !== 200) return refused.surprise(answer, answer);
    const { arn, account, unique_id } = (answer.json.caller ?? {}) as Partial<Caller>;
    const same = arn === caller.arn && account === caller.account && unique_id === caller.unique_id;
    return same ? undefined : "another caller";
  },
});

/** In the API's own account nothing but the principal's own IAM policy may let it in: the first lock, by itself. */
export function withoutPolicy({ bystander, scope, caller }: ProbeContext): (Check | NotTried)[] {
  if (!bystander)
    return [
      { what: "a principal of the account without a policy", flag: "--without-policy-profile PROFILE" },
    ];
  return [
    { name: "who am I", request: { method: "GET", path: "/scopes" } },
    ...verbsOn(scope.scope, caller.arn),
  ].map(({ name, request }) => ({
    what: name,
    request: { ...request, as: "bystander" as const },
    expect: accessDenied,
  }));
}

const accessDenied: Expectation = {
  words: "403 AccessDenied by API Gateway",
  surprise: (answer) => {
    const refusal = gatewayRefuses.surprise(answer, answer);
    if (refusal !== undefined) return refusal;
    if (!/^AccessDenied/.test(answer.headers["x-amzn-errortype"] ?? ""))
      return "its credentials are not valid, which proves nothing";
    // Another account's principals need two policies, so that a refusal proves nothing about this account's.
    const [user, api] = accounts(answer);
    return user === undefined || api === undefined || user === api
      ? undefined
      : "the profile is not of the API's account, which proves nothing";
  },
};

/** The last four digits of both accounts: API Gateway hides the others. */
function accounts({ json }: Answer): [string | undefined, string | undefined] {
  const message = String(json.Message ?? json.message);
  const [, user] = /^User: arn:[\w-]+:\w+::[\d*]{8}(\d{4}):/.exec(message) ?? [];
  const [, api] = /resource: arn:[\w-]+:execute-api:[\w-]+:[\d*]{8}(\d{4}):/.exec(message) ?? [];
  return [user, api];
}
