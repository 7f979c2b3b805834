/**
 * IAM's answer to one request, as iam-simulate evaluates it. Whichever way a policy came to be, here it is judged by
 * what it does: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 *
 * In the same account an Allow of the identity's or of the resource's policy suffices; across accounts it takes both.
 * That is API Gateway's rule for `AWS_IAM` as well. Of a KMS key nobody is allowed anything but by its key policy.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
 */
import { appendFileSync } from "node:fs";
import {
  createValidatedPolicy,
  type ValidatedPolicy,
  validateIdentityPolicy,
  validateResourcePolicy,
  validateServiceControlPolicy,
} from "@cloud-copilot/iam-policy";
import {
  allowedContextKeysForRequest,
  anonymousPrincipal,
  runUnsafeSimulation,
} from "@cloud-copilot/iam-simulate";
import type { PolicyDocument } from "../../../local/stack/policy-document.ts";

/** A session of a role. */
export interface Principal {
  /** Of the account it belongs to; none: its organisation forbids nothing. */
  readonly serviceControlPolicies?: readonly PolicyDocument[];
  /** arn:aws:iam::111122223333:role/report-service, which is also its `aws:PrincipalArn`. */
  readonly roleArn: string;
  /** Undefined: its account is in no organisation. */
  readonly organization?: string;
  readonly policies: readonly PolicyDocument[];
}

export interface Request {
  /** Undefined: nobody has signed it. */
  readonly principal: Principal | undefined;
  /** dynamodb:GetItem */
  readonly action: string;
  /** An ARN, or `*` for actions that know no resources. */
  readonly resource: string;
  readonly resourcePolicy?: PolicyDocument | undefined;
  /** Context keys beside those of the principal. Several values for keys that may have several. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

export type Verdict = "allowed" | "implicit deny" | "explicit deny";

const verdicts = {
  Allowed: "allowed",
  ImplicitlyDenied: "implicit deny",
  ExplicitlyDenied: "explicit deny",
} as const satisfies Record<string, Verdict>;

export interface Decision extends Request {
  readonly verdict: Verdict;
}

/** Names a file for the decisions of a run: a second evaluator is asked the same (test/external/reference/second-evaluator.test.ts). */
export const decisionsFile = "IAM_DECISIONS";

/** @throws where IAM would not have taken a policy. */
export function decide(request: Request): Verdict {
  const verdict = evaluate(request);
  const file = process.env[decisionsFile];
  if (file !== undefined)
    appendFileSync(file, `${JSON.stringify({ ...request, verdict } satisfies Decision)}\n`);
  return verdict;
}

function evaluate({ principal, action, resource, resourcePolicy, context = {} }: Request): Verdict {
  const account = accountOf(principal?.roleArn ?? "");
  // Not `runSimulation`: of the request's context it drops `kms:EncryptionContext:…`, whose names it does not know.
  const result = runUnsafeSimulation(
    {
      request: {
        principal: principal ? sessionArn(principal) : anonymousPrincipal,
        action,
        // Some ARNs name no account, of API Gateway and S3: here they are of the principal's own.
        resource: { resource, accountId: accountOf(resource) || account },
        contextVariables: { ...contextOf(principal), ...context } as Record<string, string | string[]>,
      },
      identityPolicies: (principal?.policies ?? []).map((policy, index) => ({
        name: `identity ${index}`,
        policy: validated(policy, validateIdentityPolicy),
      })),
      ...(resourcePolicy && { resourcePolicy: validated(resourcePolicy, validateResourcePolicy) }),
      serviceControlPolicies: principal?.serviceControlPolicies
        ? [{ orgIdentifier: account, policies: controls(principal.serviceControlPolicies) }]
        : [],
      resourceControlPolicies: [],
    },
    {},
  );
  return verdicts[result];
}

/** @throws where AWS has no such action on such a resource: a misspelt one would be denied, and prove nothing. */
export async function assertExists(action: string, resource: string): Promise<void> {
  const [service = "", name = ""] = action.split(":");
  await allowedContextKeysForRequest(service, name, resource, false, undefined);
}

/** What KMS tells IAM of a call's encryption context. None and an empty one look alike: neither key is there. */
export function encryptionContextKeys(
  encryptionContext: Readonly<Record<string, string>> = {},
): Record<string, string | readonly string[]> {
  const keys = Object.keys(encryptionContext);
  if (keys.length === 0) return {};
  return {
    "kms:EncryptionContextKeys": keys,
    ...Object.fromEntries(keys.map((key) => [`kms:EncryptionContext:${key}`, encryptionContext[key] ?? ""])),
  };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
function contextOf(principal: Principal | undefined): Record<string, string> {
  if (!principal) return {};
  const { roleArn, organization } = principal;
  return {
    "aws:PrincipalArn": roleArn,
    "aws:PrincipalAccount": accountOf(roleArn),
    ...(organization !== undefined && { "aws:PrincipalOrgID": organization }),
  };
}

function sessionArn({ roleArn }: Principal): string {
  const [, partition, , , account] = roleArn.split(":");
  const roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
  return `arn:${partition}:sts::${account}:assumed-role/${roleName}/session`;
}

/** AWS attaches `FullAWSAccess` beside those that one attaches oneself. */
const controls = (policies: readonly PolicyDocument[]) =>
  [fullAwsAccess, ...policies].map((policy, index) => ({
    name: `control ${index}`,
    policy: validated(policy, validateServiceControlPolicy),
  }));
const fullAwsAccess: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};

const accountOf = (arn: string) => arn.split(":")[4] ?? "";

type Validated = ValidatedPolicy<{ name: string }>;
const known = new WeakMap<PolicyDocument, Validated>();

function validated(policy: PolicyDocument, validate: Parameters<typeof createValidatedPolicy>[1]): Validated {
  const before = known.get(policy);
  if (before) return before;
  const made = createValidatedPolicy(policy, validate, { name: "policy" });
  if (made.errors.length > 0)
    throw new Error(
      `Not a policy to IAM: ${made.errors.map(({ path, message }) => `${path}: ${message}`).join("; ")}`,
    );
  known.set(policy, made);
  return made;
}
