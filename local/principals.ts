/**
 * Who can call the local broker: a role or user for each caller and operator of the scopes, with exactly the `execute-api` policy
 * that its team would be given, and an administrator of the account. Their keys are new at each start.
 */
import { createHash } from "node:crypto";
import { matchesPattern, type PrincipalPattern } from "../functions/domain/pattern.ts";
import type { Scopes } from "../functions/domain/scope.ts";
import { pathIn, routesOf, type Verb } from "../infra/routes.ts";
import { awsIdLetters, createSessionCredentials } from "./sigv4/session-credentials.ts";
import type { AwsLocation } from "./stack/location.ts";

export interface LocalPrincipal {
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly accountId: string;
  /** Path-less ARN of the role or user. */
  readonly callerArn: string;
  /** ARN of the user or of the assumed role's session, as API Gateway's `identity.userArn`. */
  readonly userArn: string;
  /** `AROA…:session` or `AIDA…`, as API Gateway's `identity.caller`. */
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

/** Operators have the auditor's policy as well, because the runbook has them ask the records. */
export const auditorArns = (principals: readonly LocalPrincipal[]): string[] =>
  principals.filter(({ operates }) => operates.length > 0).map(({ callerArn }) => callerArn);

type Named = Pick<PrincipalPattern, "partition" | "account" | "kind" | "name">;

export function localPrincipals(
  scopes: Scopes,
  location: AwsLocation,
  api: { apiId: string; stage: string },
): LocalPrincipal[] {
  const { partition, region, accountId } = location;
  const invoke = (scope: string, ...verbs: Verb[]) =>
    routesOf(...verbs).map(
      ({ method, path }) =>
        `arn:${partition}:execute-api:${region}:${accountId}:${api.apiId}/${api.stage}/${method}` +
        pathIn(path, scope),
    );
  const scopesOf = (named: Named, list: "callers" | "operators") =>
    [...scopes.values()].filter((scope) => scope[list].some(matches(named))).map(({ name }) => name);

  const all = [...scopes.values()].flatMap(({ callers, operators }) => [...callers, ...operators]);
  const byArn = new Map(all.map(example).map((named) => [arnOf(named), named]));
  const administrator: Named = { partition, account: accountId, kind: "role", name: administratorName };
  const shortNames = [...byArn.values(), administrator].map(({ name }) => name);
  const principals = [...byArn.values()].map((named) => {
    const [called, operated] = [scopesOf(named, "callers"), scopesOf(named, "operators")];
    const allow = [
      ...called.flatMap((scope) => invoke(scope, "token", "logout")),
      ...operated.flatMap((scope) => invoke(scope, "operate")),
    ];
    const { name, account } = named;
    const unique = shortNames.indexOf(name) === shortNames.lastIndexOf(name);
    // What belongs to no scope comes with each.
    return principal(unique ? name : `${name}@${account}`, named, called, operated, [...new Set(allow)]);
  });
  return [...principals, principal(administratorName, administrator, [], [], [])];
}

/** A role or user that the pattern names: of `nightly-*` it is `nightly-example`. */
function example({ partition, account, kind, name: glob }: PrincipalPattern): Named {
  const filled = (text: string) => glob.replaceAll("?", "x").replace(/\*+/, text).replaceAll("*", "");
  const name = filled("example");
  // IAM's longest name has 64 characters.
  return { partition, account, kind, name: name.length > 64 ? filled("") : name };
}

const arnOf = ({ partition, account, kind, name }: Named) =>
  `arn:${partition}:iam::${account}:${kind}/${name}`;

const matches = (named: Named) => (pattern: PrincipalPattern) =>
  matchesPattern(pattern, { ...named, uniqueId: "", callerArn: "" });

function principal(
  shortName: string,
  named: Named,
  scopes: string[],
  operates: string[],
  allow: string[],
): LocalPrincipal {
  const { partition, account, kind, name } = named;
  const callerArn = arnOf(named);
  const session = `${name}-local`.slice(-64);
  // Immutable in IAM, so the same at every start, because the table may outlive one.
  const letters = awsIdLetters(createHash("sha256").update(callerArn).digest(), 17);
  const identity =
    kind === "user"
      ? { userArn: callerArn, caller: `AIDA${letters}` }
      : {
          userArn: `arn:${partition}:sts::${account}:assumed-role/${name}/${session}`,
          caller: `AROA${letters}:${session}`,
        };
  return {
    name: shortName,
    ...createSessionCredentials(),
    accountId: account,
    callerArn,
    ...identity,
    scopes,
    operates,
    allow,
  };
}
