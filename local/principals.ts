/**
 * Who can call the local broker: one role for each that the scopes name, with exactly the `execute-api` policy that
 * its team would be given, and an administrator of the account. Their keys are new at each start.
 */
import { createHash } from "node:crypto";
import { routesOf, type Verb } from "../infra/routes.ts";
import { awsIdLetters, createSessionCredentials } from "./sigv4/session-credentials.ts";
import type { AwsLocation } from "./stack/location.ts";

export interface LocalPrincipal {
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly accountId: string;
  /** Path-less ARN of the role. */
  readonly roleArn: string;
  /** ARN of the assumed role's session, as API Gateway's `identity.userArn`. */
  readonly userArn: string;
  /** `AROA…:session`, as API Gateway's `identity.caller`. */
  readonly caller: string;
  /** Scopes whose tokens it may fetch. */
  readonly scopes: readonly string[];
  /** Scopes that it may operate. */
  readonly operates: readonly string[];
  /** What its IAM policy lets it invoke: `execute-api` ARNs. */
  readonly allow: readonly string[];
}

/** May read and change what lies behind the AWS proxy, as an administrator of the AWS account could. */
export const administratorName = "administrator";

type Grants = Readonly<
  Record<string, { readonly callers: readonly string[]; readonly operators: readonly string[] }>
>;

export function localPrincipals(
  scopes: Grants,
  location: AwsLocation,
  api: { apiId: string; stage: string },
): LocalPrincipal[] {
  const { partition, region, accountId } = location;
  const invoke = (scope: string, ...verbs: Verb[]) =>
    routesOf(...verbs).map(
      ({ method, path }) =>
        `arn:${partition}:execute-api:${region}:${accountId}:${api.apiId}/${api.stage}/${method}` +
        path.replace("{scope}", scope),
    );
  const namesOf = (list: readonly string[]) => list.map((arn) => arn.slice(arn.lastIndexOf("/") + 1));
  const scopesOf = (name: string, list: "callers" | "operators") =>
    Object.keys(scopes).filter((scope) => namesOf(scopes[scope]?.[list] ?? []).includes(name));

  const roles = Object.values(scopes).flatMap(({ callers, operators }) => [...callers, ...operators]);
  const principals = [...new Set(namesOf(roles))].map((name) => {
    const [called, operated] = [scopesOf(name, "callers"), scopesOf(name, "operators")];
    const allow = [
      ...called.flatMap((scope) => invoke(scope, "token", "logout")),
      ...operated.flatMap((scope) => invoke(scope, "operate")),
    ];
    // What belongs to no scope comes with each.
    return principal(name, location, called, operated, [...new Set(allow)]);
  });
  return [...principals, principal(administratorName, location, [], [], [])];
}

function principal(
  name: string,
  { partition, accountId }: AwsLocation,
  scopes: string[],
  operates: string[],
  allow: string[],
): LocalPrincipal {
  const session = `${name}-local`;
  // Immutable in IAM, so the same at every start; the table may outlive one.
  const uniqueId = `AROA${awsIdLetters(createHash("sha256").update(name).digest(), 17)}`;
  return {
    name,
    ...createSessionCredentials(),
    accountId,
    roleArn: `arn:${partition}:iam::${accountId}:role/${name}`,
    userArn: `arn:${partition}:sts::${accountId}:assumed-role/${name}/${session}`,
    caller: `${uniqueId}:${session}`,
    scopes,
    operates,
    allow,
  };
}
