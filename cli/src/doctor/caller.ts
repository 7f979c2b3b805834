/** The caller: its AWS credentials, its identity at the broker and its scope. */
import {
  type AwsCredentials,
  type AwsCredentialsProvider,
  type BrokerFetch,
  type Connection,
  callBroker,
  parsePermissions,
  type ScopeGrant,
  TokenBrokerError,
} from "@looker-token-broker/client/broker";
import type { Broker } from "../broker.ts";
import { exitCodes } from "../exit-codes.ts";
import type { OptionValues } from "../options.ts";
import { permissionsOf } from "../permissions.ts";
import { span } from "../time.ts";
import { type Finding, Trouble } from "./examination.ts";

/** The agent of a container answers within one second, an SSO renewal within a few. */
const patienceMs = 15_000;

export async function checkCredentials(
  connection: Connection,
  values: OptionValues,
): Promise<Finding<AwsCredentials>> {
  const credentials = await credentialsOf(connection);
  const { accessKeyId, sessionToken, expiration } = credentials;
  const key = `key ${partOf(accessKeyId)}${sessionToken ? " with a session token" : ""}`;
  const until = expiration ? `, until ${expiration.toISOString()}` : "";
  const found = `From ${values.local ? ".local/broker.json" : sourceOf(credentials)}: ${key}${until}.`;
  if (accessKeyId.startsWith("ASIA") && !sessionToken)
    throw new Trouble(
      "bad_credentials",
      exitCodes.refused,
      `${found} A key that begins with ASIA is not valid without its session token.`,
      "Set AWS_SESSION_TOKEN as well, from the same place as the key.",
    );
  return { value: credentials, ...(values.local ? { found } : beside(found)) };
}

/**
 * Enough to find it in IAM's console, and too little for anything else. Nothing of any other value: it may be a secret that
 * was set in the wrong place. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
const partOf = (accessKeyId: string) =>
  /^A[KS]IA[A-Z0-9]{16,}$/.test(accessKeyId)
    ? `${accessKeyId.slice(0, 4)}…${accessKeyId.slice(-4)}`
    : "of an unusual form";

/** By the library's own time-out and words for their absence. A request that is refused before it is sent ends the call. */
async function credentialsOf({ credentials, ...connection }: Connection): Promise<AwsCredentials> {
  let found: AwsCredentials | undefined;
  const provider: AwsCredentialsProvider = async (options) => {
    found = await credentials(options);
    return found;
  };
  const unsent: BrokerFetch = () =>
    Promise.reject(new Error("The doctor only wants to see the credentials."));
  const request = { method: "GET", path: "/scopes", timeoutMs: patienceMs } as const;
  const failure = await callBroker({ ...connection, credentials: provider, fetch: unsent }, request).catch(
    (error) => error,
  );
  if (found && failure.code === "unreachable") return found;
  if (failure.code !== "credentials_unavailable") throw failure;
  throw new Trouble(
    failure.code,
    exitCodes.unavailable,
    `${failure.summary.replace(/\.$/, "")} (${sourcesSet()}).`,
    "Look at their source: a container's agent, the instance's metadata, or a credential_process (it may wait for input).",
  );
}

/** By the marks that AWS's SDK leaves on credentials, the innermost source first. */
const sources: readonly (readonly [mark: RegExp, words: (profile: string) => string])[] = [
  [
    /STS_WEB_ID_TOKEN|ASSUME_ROLE_WEB_ID/,
    () => "AWS_WEB_IDENTITY_TOKEN_FILE (a Kubernetes service account, or CI)",
  ],
  [/ENV_VARS/, () => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"],
  [/SSO/, (profile) => `the SSO session of the profile ${profile}`],
  [/LOGIN/, (profile) => `\`aws login\` of the profile ${profile}`],
  [/PROCESS/, (profile) => `the credential_process of the profile ${profile}`],
  [/ASSUME_ROLE/, (profile) => `the role that the profile ${profile} assumes`],
  [/HTTP/, () => "the container's agent (AWS_CONTAINER_CREDENTIALS_…)"],
  [/IMDS/, () => "the instance's metadata"],
  [/PROFILE/, (profile) => `keys of the profile ${profile}`],
];

function sourceOf(credentials: AwsCredentials): string {
  const { $source = {} } = credentials as { $source?: object };
  const marks = Object.keys($source).join(" ");
  const [, words] = sources.find(([mark]) => mark.test(marks)) ?? [];
  return words?.(process.env.AWS_PROFILE ?? "default") ?? "AWS's default chain";
}

const sourceVariables = [
  "AWS_PROFILE",
  "AWS_ACCESS_KEY_ID",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

function sourcesSet(): string {
  const set = sourceVariables.filter((name) => process.env[name]);
  return set.length === 0 ? "no variable names a source" : `set: ${set.join(", ")}`;
}

/** Names other sources: one of them may be meant. */
function beside(found: string): { found: string; next?: string } {
  const [first, ...others] = sourceVariables.filter((name) => process.env[name]);
  if (first === undefined || others.length === 0) return { found };
  const all = `${found} ${first} wins over ${others.join(" and ")}.`;
  return first === "AWS_PROFILE" && others.includes("AWS_ACCESS_KEY_ID")
    ? {
        found: `${all} The AWS CLI does it the other way round.`,
        next: "Unset AWS_PROFILE, or the key's variables.",
      }
    : { found: all };
}

export async function checkIdentity(broker: Broker): Promise<Finding<ScopeGrant[]>> {
  const permissions = await permissionsOf(broker).catch(nameRoute);
  const { caller, grants } = parsePermissions(permissions);
  const { arn, account, uniqueId } = caller;
  return {
    value: [...grants],
    found: `The broker knows you as ${arn} (account ${account}, unique id ${uniqueId}).`,
  };
}

/** The usual hint speaks of a scope, and this route is of none. */
function nameRoute(error: unknown): never {
  if (!(error instanceof TokenBrokerError) || error.code !== "access_denied") throw error;
  throw new Trouble(
    error.code,
    exitCodes.refused,
    error.summary,
    "Your role's IAM policy must allow execute-api:Invoke on GET /scopes of this API, and no policy may deny it.",
  );
}

/** @returns a grant of tokens. */
export function checkScope(grants: readonly ScopeGrant[], scope: string): Finding<ScopeGrant> {
  const grant = grants.find((each) => each.scope === scope);
  const others = grants.map((each) => each.scope).join(", ");
  if (!grant)
    throw new Trouble(
      "not_allowed",
      exitCodes.refused,
      `The scope ${scope} does not list you, or there is no such scope. You are in ${others || "none"}.`,
      "Check its name, or ask its owners to add the ARN above to the scope's callers.",
    );
  if (!grant.may.includes("token"))
    throw new Trouble(
      "not_allowed",
      exitCodes.refused,
      `The scope ${scope} lists you as an operator, who gets no token.`,
      "Ask its owners to add the ARN above to the scope's callers.",
    );
  return {
    value: grant,
    found: `${scope} lists you (${grant.may.join(", ")}). A lease is ${span(grant.leaseSeconds)}. Looker is ${grant.baseUrl}.`,
  };
}
