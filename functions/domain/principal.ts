/**
 * The caller's identity. It comes only from the fields verified by API Gateway (`requestContext.identity`).
 * A header, a body or a session name is never authority (CVE-2020-16250 was a forwarded identity).
 */
export interface Principal {
  readonly partition: string;
  /** The caller's account, which need not be the API's. */
  readonly account: string;
  readonly kind: "role" | "user";
  /** Role or user name without its path. */
  readonly name: string;
  /**
   * IAM's immutable unique id (`AROA…`, `AIDA…`): a role that was deleted and made again has another one.
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
   */
  readonly uniqueId: string;
  /** Path-less IAM ARN, for people: the path is lost when a role is assumed. */
  readonly callerArn: string;
  /** Chosen by the caller: information, never authority. */
  readonly sessionName?: string;
}

/** {@link Principal.callerArn}, and nothing else: no path, no session, no wildcard. */
export const isCallerArn = (text: string): boolean => callerArnShape.test(text);

export type ParsedPrincipal = { ok: true; principal: Principal } | { ok: false; reason: string };

/** The relevant fields of `requestContext.identity`. The shape of each is untrusted. */
export type Identity = Readonly<Record<string, unknown>>;

const callerArnShape =
  /^arn:aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?:iam::\d{12}:(?:role|user)\/[\w+=,.@-]{1,64}$/;
const assumedRole =
  /^arn:(aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?):sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\/([\w+=,.@-]{2,64})$/;
const user =
  /^arn:(aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?):iam::(\d{12}):user\/(?:[\x21-\x2e\x30-\x7e]{1,512}\/)*([\w+=,.@-]{1,64})$/;
const roleCaller = /^(AROA[A-Z0-9]{12,124}):([\w+=,.@-]{2,64})$/;
const userCaller = /^(AIDA[A-Z0-9]{12,124})$/;
const cognito = [
  "cognitoIdentityId",
  "cognitoIdentityPoolId",
  "cognitoAuthenticationType",
  "cognitoAuthenticationProvider",
];

/**
 * Reads the caller from API Gateway's identity. Refuses root, federated users, Cognito identities, and an identity
 * with unreadable or contradictory fields. `reason` is for the operator's audit record only.
 */
export function parsePrincipal(identity: Identity): ParsedPrincipal {
  const refused = (reason: string): ParsedPrincipal => ({ ok: false, reason });
  if (cognito.some((field) => identity[field] !== undefined && identity[field] !== null))
    return refused("cognito_identity");
  const { userArn, caller, accountId } = identity;
  if (typeof userArn !== "string" || typeof caller !== "string" || typeof accountId !== "string")
    return refused("no_iam_identity");

  const asRole = groupsOf<[string, string, string, string]>(assumedRole, userArn);
  if (asRole) {
    const [partition, account, name, sessionName] = asRole;
    const id = groupsOf<[string, string]>(roleCaller, caller);
    if (id?.[1] !== sessionName || accountId !== account) return refused("mixed_identity");
    const [uniqueId] = id;
    const callerArn = `arn:${partition}:iam::${account}:role/${name}`;
    return {
      ok: true,
      principal: { partition, account, kind: "role", name, uniqueId, callerArn, sessionName },
    };
  }

  const asUser = groupsOf<[string, string, string]>(user, userArn);
  if (asUser) {
    const [partition, account, name] = asUser;
    const id = groupsOf<[string]>(userCaller, caller);
    if (!id || accountId !== account) return refused("mixed_identity");
    const [uniqueId] = id;
    const callerArn = `arn:${partition}:iam::${account}:user/${name}`;
    return { ok: true, principal: { partition, account, kind: "user", name, uniqueId, callerArn } };
  }
  return refused("not_a_role_or_user");
}

/** The matches of the expression's groups. No group may be optional. */
const groupsOf = <Groups extends string[]>(shape: RegExp, text: string): Groups | undefined =>
  shape.exec(text)?.slice(1) as Groups | undefined;
