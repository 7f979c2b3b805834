/**
 * The API's resource policy. In the API's own account an Allow here would suffice by itself, whatever the caller's IAM
 * policy says; so there is none for it, and the first of the two locks stays with IAM. Callers of other accounts need
 * an Allow on both sides.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
 */
import { Aws, Stack, Token } from "aws-cdk-lib";
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Scopes } from "../functions/domain/scope.ts";

export interface ResourcePolicyProps {
  readonly scopes: Scopes;
  readonly organizationId?: string;
  readonly vpcEndpointIds?: readonly string[];
}

/** API Gateway's quota: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
const maximumCharacters = 8192;

/**
 * Never nothing: an API whose template names no policy any more keeps its last one (aws-cdk#21840), and whom that let in.
 */
export function resourcePolicy(scope: Construct, props: ResourcePolicyProps): PolicyDocument {
  const { organizationId, vpcEndpointIds } = props;
  const statements: PolicyStatement[] = [];
  if (organizationId !== undefined)
    statements.push(
      deny("DenyOutsideOrganisation", { StringNotEquals: { "aws:PrincipalOrgID": organizationId } }),
    );
  if (vpcEndpointIds !== undefined)
    statements.push(
      deny("DenyOutsideVpcEndpoints", { StringNotEquals: { "aws:SourceVpce": [...vpcEndpointIds] } }),
    );
  const others = otherAccounts(scope, props.scopes);
  const isOther = { StringNotEquals: { "aws:PrincipalAccount": Aws.ACCOUNT_ID } };
  const allowed =
    organizationId === undefined
      ? { "aws:PrincipalAccount": others }
      : { "aws:PrincipalOrgID": organizationId };
  statements.push(
    others.length === 0
      ? deny("DenyOtherAccounts", isOther)
      : invoke("AllowOtherAccounts", Effect.ALLOW, { StringEquals: allowed, ...isOther }),
  );
  const document = new PolicyDocument({ statements });
  const characters = JSON.stringify(Stack.of(scope).resolve(document)).length;
  if (characters > maximumCharacters)
    throw new Error(
      `The API's resource policy would have ${characters} characters, more than API Gateway's ${maximumCharacters}: ` +
        "the scopes name too many accounts. Set organizationId, and one condition takes the place of the list.",
    );
  return document;
}

const deny = (sid: string, conditions: Record<string, unknown>) => invoke(sid, Effect.DENY, conditions);

const invoke = (sid: string, effect: Effect, conditions: Record<string, unknown>) =>
  new PolicyStatement({
    sid,
    effect,
    principals: [new AnyPrincipal()],
    actions: ["execute-api:Invoke"],
    // API Gateway makes it the API's own ARN, which a template cannot know of an API that it is creating.
    resources: ["execute-api:/*"],
    conditions,
  });

/** Accounts of callers and operators other than the broker's own; all of them where that is known at deployment only. */
function otherAccounts(scope: Construct, scopes: Scopes): string[] {
  const own = Stack.of(scope).account;
  const accounts = [...scopes.values()].flatMap(({ callers, operators }) =>
    [...callers, ...operators].map(({ account }) => account),
  );
  return [...new Set(accounts)].filter((account) => Token.isUnresolved(own) || account !== own).sort();
}
