/** The command line of `npm run probe`. Pure. */
import { isLoopback, isScopeName } from "../functions/domain/scope.ts";
import { type Parsed, parseCommandLine, UsageError, type ValuesOf } from "../local/command-line.ts";

export interface ProbeFlags {
  /** Undefined: the local broker's. */
  readonly endpoint?: string;
  readonly region?: string;
  readonly scope: string;
  readonly otherScope?: string;
  readonly withoutPolicyProfile?: string;
  /** The local broker, as this principal or as the first caller of the scope. */
  readonly local?: { readonly as?: string };
  readonly looker: boolean;
  readonly logout: boolean;
  readonly json: boolean;
}

const help = `Checks a deployed broker from outside: what must fail, and what must work.

  npm run probe -- --endpoint URL --scope NAME [flags]
  npm run probe -- --local --scope NAME [flags]

  --endpoint URL    the broker's, with its stage, as the stack's output has it
  --scope NAME      one of which you are a caller or an operator
  --region REGION   of the API; taken from an execute-api endpoint, else from AWS_REGION
  --other-scope NAME
                    a scope of which you are no caller: its answers must not tell that it exists
  --without-policy-profile PROFILE
                    an AWS profile of a principal in the broker's account whose IAM policies
                    allow no execute-api: API Gateway must refuse it
  --looker          try the token at Looker (GET /user)
  --logout          end the lease, see that it is dead, and take another one
  --local           the broker that \`npm start\` runs in this directory
  --as NAME         with --local: as this principal, such as platform-engineer
  --json            the results as JSON
  --help

You are whom the AWS SDK finds: environment, AWS_PROFILE, SSO, container or instance role.

What it leaves behind: a lease of yours, which ends by itself; about a hundred requests, most of them refused, in the
audit records, the access log and the metrics of 4xx. Nothing that it tries would do harm if it wrongly worked: no
request that freezes, revokes or logs out is valid, unless --logout is given. All sessions of a role share its leases,
so --logout ends one that others of your role may be using; they get another one when they ask. It costs one or two of
the logins that the scope allows a caller in ten minutes.

Exit code: 0 all as expected, 1 a surprise, 2 a wrong flag, 3 it could not run.

  npm run probe -- --endpoint https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/v1 --scope sales
  AWS_PROFILE=reports npm run probe -- --endpoint https://looker-tokens.example.com --region eu-west-1 \\
      --scope sales --other-scope finance --without-policy-profile bystander --looker --logout
  npm run --silent probe -- --local --scope sales --json
`;

const options = {
  endpoint: { type: "string" },
  scope: { type: "string" },
  region: { type: "string" },
  "other-scope": { type: "string" },
  "without-policy-profile": { type: "string" },
  looker: { type: "boolean" },
  logout: { type: "boolean" },
  local: { type: "boolean" },
  as: { type: "string" },
  json: { type: "boolean" },
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

export function parseProbeFlags(args: readonly string[], environment: Environment): Parsed<ProbeFlags> {
  return parseCommandLine(args, {
    name: "npm run probe --",
    help,
    options,
    flagsOf: (values) => flagsOf(values, environment),
  });
}

function flagsOf(values: ValuesOf<typeof options>, environment: Environment): ProbeFlags {
  const { local = false, looker = false, logout = false, json = false } = values;
  if (local && values.endpoint !== undefined)
    throw new UsageError("--local is the broker on this machine: leave out --endpoint, or --local.");
  if (local && values["without-policy-profile"] !== undefined)
    throw new UsageError(
      "--local has a principal without a policy of its own: leave out --without-policy-profile.",
    );
  if (!local && values.as !== undefined)
    throw new UsageError("--as is for --local; elsewhere AWS_PROFILE says who runs the probe.");
  if (!local && values.endpoint === undefined)
    throw new UsageError("Give --endpoint URL, as the stack's output has it, or --local.");
  const scope = scopeName("scope", values.scope);
  if (scope === undefined)
    throw new UsageError("Give --scope NAME, one of which you are a caller or an operator.");
  const otherScope = scopeName("other-scope", values["other-scope"]);
  if (otherScope === scope) throw new UsageError("--other-scope must be another one than --scope.");
  const endpoint = values.endpoint === undefined ? undefined : endpointOf(values.endpoint);
  const region =
    values.region ?? (endpoint === undefined ? undefined : regionOf(endpoint, environment.AWS_REGION));
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    scope,
    ...(otherScope === undefined ? {} : { otherScope }),
    ...(values["without-policy-profile"] === undefined
      ? {}
      : { withoutPolicyProfile: values["without-policy-profile"] }),
    ...(local ? { local: values.as === undefined ? {} : { as: values.as } } : {}),
    looker,
    logout,
    json,
  };
}

function scopeName(flag: string, name: string | undefined): string | undefined {
  if (name === undefined || isScopeName(name)) return name;
  throw new UsageError(`--${flag} must be a scope's name (a-z, 0-9 and -), not ${JSON.stringify(name)}.`);
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Session tokens travel in the clear otherwise.
  const secure = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (!url || !secure || url.search !== "" || url.hash !== "" || url.username !== "")
    throw new UsageError(
      '--endpoint must be a URL like "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/v1" (http:// for loopback only).',
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/**
 * `{api-id}.execute-api.{region}.amazonaws.com`, through a VPC endpoint `{api-id}-{vpce-id}.execute-api.{region}.…`
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-api-test-invoke-url.html
 */
function regionOf(endpoint: string, fallback: string | undefined): string {
  const [, region = fallback] = /\.execute-api\.([a-z0-9-]+)\./.exec(new URL(endpoint).hostname) ?? [];
  if (region) return region;
  throw new UsageError("The endpoint does not say in which region it is: give --region, or set AWS_REGION.");
}
