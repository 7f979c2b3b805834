/**
 * The template's own policies as the AWS proxy's `authorize` port: while a test runs the whole broker, each call to AWS is
 * allowed or denied as IAM would by the caller's identity policies, the table's and the key's.
 */
import type { AccessDecision, ArrivedCall, Authorize, Denial } from "../../../local/aws/call.ts";
import { administratorName } from "../../../local/principals.ts";
import type { LocalStack } from "../../../local/stack/template.ts";
import { decide, encryptionContextKeys, type Request } from "./evaluator.ts";
import { administratorAccess, policy } from "./policies.ts";

/** What a call is about, with the policy that is on it. */
type OnResource = Pick<Request, "resource" | "resourcePolicy">;

/**
 * `engineKeys`: the ARN that the engine behind the AWS proxy gives each of the template's keys. `auditorArns`: principals with
 * the policy that the stack hands out for auditors.
 */
export function templatePolicies(
  stack: LocalStack,
  engineKeys: ReadonlyMap<string, string>,
  auditorArns: readonly string[] = [],
): Authorize {
  const [key] = stack.keys;
  if (!key) throw new Error("The template has no key.");
  const [, partition, , region, account] = key.arn.split(":");
  const arn = (service: string, resource: string) =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`;

  // The local callers are roles of other stacks, with policies for `execute-api` alone: they have none here, unless they are auditors.
  const identities = new Map(stack.roles.map((role) => [role.arn, [policy(...role.statements)]]));
  for (const auditor of auditorArns) identities.set(auditor, [policy(...stack.auditorStatements)]);
  identities.set(`arn:${partition}:iam::${account}:role/${administratorName}`, [administratorAccess]);

  const tablePolicies = new Map(
    stack.tables.map(({ createTable, resourcePolicy }) => [
      arn("dynamodb", `table/${createTable.TableName}`),
      resourcePolicy,
    ]),
  );
  /** By ARN, id or alias, and as the engine calls it. */
  const keyNamed = (named: string) =>
    stack.keys.find(({ arn, aliases }) =>
      [arn, engineKeys.get(arn) ?? arn, ...aliases].some(
        (name) => name === named || name.endsWith(`/${named}`) || named.endsWith(`:${name}`),
      ),
    );

  const resourcesOf: Record<ArrivedCall["service"], (call: ArrivedCall) => OnResource[]> = {
    dynamodb: ({ resources, indexName }) =>
      resources.map((named) => {
        const table = named.startsWith("arn:") ? named : arn("dynamodb", `table/${named}`);
        const resource = indexName === undefined ? table : `${table}/index/${indexName}`;
        return { resource, resourcePolicy: tablePolicies.get(table) };
      }),
    // Which six characters a secret's ARN ends in, no policy can depend on.
    secretsmanager: ({ resources }) =>
      resources.map((named) => ({
        resource: named.startsWith("arn:") ? named : arn("secretsmanager", `secret:${named}-AbCd12`),
      })),
    logs: ({ resources }) => resources.map((named) => ({ resource: arn("logs", `log-group:${named}:*`) })),
    // The last part of a stack's ARN is a random id.
    cloudformation: ({ resources }) =>
      resources.map((named) => ({ resource: arn("cloudformation", `stack/${named}/1a2b3c4d`) })),
    // A Decrypt without a key id means the key of its ciphertext: here there is one.
    kms: ({ resources: [named = key.arn] }) => {
      const found = keyNamed(named);
      return [{ resource: found?.arn ?? arn("kms", "key/unknown"), resourcePolicy: found?.policy }];
    },
  };

  const decideCall = (call: ArrivedCall): AccessDecision => {
    const onResources = resourcesOf[call.service](call);
    for (const onResource of onResources.length > 0 ? onResources : [{ resource: "*" }]) {
      const denial = denialOf({
        principal: { roleArn: call.principalArn, policies: identities.get(call.principalArn) ?? [] },
        action: `${call.service}:${call.operation}`,
        context: encryptionContextKeys(call.encryptionContext),
        ...onResource,
      });
      if (denial) return { allow: false, reason: `${denial.kind} deny`, denial };
    }
    return { allow: true };
  };

  const decided = new Map<string, AccessDecision>();
  return (call) => {
    const { service, operation, principalArn, resources, indexName, encryptionContext } = call;
    const facts = JSON.stringify([principalArn, service, operation, resources, indexName, encryptionContext]);
    const decision = decided.get(facts) ?? decideCall(call);
    decided.set(facts, decision);
    return decision;
  };
}

function denialOf(request: Request): Denial | undefined {
  const verdict = decide(request);
  if (verdict === "allowed") return undefined;
  const { resourcePolicy: _, ...byIdentity } = request;
  if (verdict === "explicit deny")
    return { kind: "explicit", policy: decide(byIdentity) === verdict ? "identity" : "resource" };
  // Were the identity allowed everything: would the resource's policy still be in the way?
  const principal = request.principal && { ...request.principal, policies: [administratorAccess] };
  const unbound = decide({ ...request, principal });
  return { kind: "implicit", policy: unbound === "allowed" ? "identity" : "resource" };
}
