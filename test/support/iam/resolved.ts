/** What the construct synthesizes, resolved as CloudFormation would, for the evaluator. */
import type { ScopeDefinitions } from "../../../functions/domain/scope.ts";
import type { Template } from "../../../local/stack/cloud-assembly.ts";
import type { LocalFunction } from "../../../local/stack/functions.ts";
import type { AwsLocation } from "../../../local/stack/location.ts";
import { type ResolvedResource, resolveResources } from "../../../local/stack/resources.ts";
import { type LocalStack, readTemplate } from "../../../local/stack/template.ts";
import { account, region, type SynthesizeOptions, scopeOf, synthesized } from "../synthesized.ts";
import type { Principal } from "./evaluator.ts";
import { policy } from "./policies.ts";

export const location: AwsLocation = { partition: "aws", region, accountId: account };
/** Named in a scope, and one that is not. */
export const otherAccount = "444455556666";
export const strangeAccount = "777788889999";

export const arn = (service: string, rest: string) =>
  `arn:${location.partition}:${service}:${location.region}:${location.accountId}:${rest}`;
export const roleArn = (name: string, accountId = account) => `arn:aws:iam::${accountId}:role/${name}`;

/** `sales` is for the broker's own account, `finance` for another one. */
export const scopes = {
  sales: scopeOf({ secretName: "looker/sales" }),
  finance: scopeOf(
    { secretName: "looker/finance" },
    {
      callers: [roleArn("report-service", otherAccount)],
      operators: [roleArn("platform-engineer", otherAccount)],
    },
  ),
} satisfies ScopeDefinitions;

export interface Resolved {
  readonly stack: LocalStack;
  readonly resources: readonly ResolvedResource[];
}

export function resolved(options: SynthesizeOptions = {}): Resolved {
  const { stack, template, remove } = synthesized({ scopes, ...options });
  remove();
  const assembly = {
    stackName: stack.stackName,
    template: template.toJSON() as Template,
    // What the functions do has no say in what they may.
    codeDirectory: () => "unused",
  };
  return { stack: readTemplate(assembly, location), resources: resolveResources(assembly, location) };
}

export function functionNamed(name: string, { functions }: LocalStack): LocalFunction {
  const found = functions.find(({ id }) => id === name);
  if (!found) throw new Error(`The template has no function ${name}.`);
  return found;
}

/** A role of the template with all that its policies say. */
export function roleOf(roleArn: string, { roles }: LocalStack): Principal {
  const found = roles.find((role) => role.arn === roleArn);
  if (!found) throw new Error(`The template has no role ${roleArn}.`);
  return { roleArn, policies: [policy(...found.statements)] };
}
