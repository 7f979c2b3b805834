/** The command line of `npm start`, and the few environment variables that go with it. Pure. */
import { isLoopback } from "../functions/domain/scope.ts";
import { endpointVariables, type FunctionService } from "./aws/call.ts";
import { type Parsed, parseCommandLine, UsageError, type ValuesOf } from "./command-line.ts";
import type { SandboxKind } from "./lambda/sandbox.ts";

export interface StartFlags {
  /** Scopes and settings of the operator's own. */
  scopesFile?: string;
  port: number;
  lookerPort: number;
  lookerControlPort: number;
  /** Another Looker than the stand-in, with the credentials of one service account there. */
  externalLooker?: { url: string; clientId: string; clientSecret: string };
  maxInstances: number;
  throttle: boolean;
  instances: SandboxKind;
  /** URLs of engines to put behind the AWS proxy in place of the stand-ins. */
  externalEngines: Partial<Record<FunctionService, string>>;
}

const help = `Runs the whole broker on this machine, from the synthesized template.

  npm start -- [flags]

  --scopes FILE            run this file, such as infra/scopes.ts: each Looker URL has a
                           stand-in, each caller and operator has keys
  --port N                 of the broker's API (4180); 0 picks a free one, here and below
  --looker-port N          of the stand-in Looker (4191)
  --looker-control-port N  of its control interface (a free one)
  --looker-url URL         use another Looker and start no stand-in; credentials from
                           LOOKERSDK_CLIENT_ID and LOOKERSDK_CLIENT_SECRET
  --max-instances N        per function (20); excess requests wait for up to 29 s
  --throttle               excess requests are throttled instead, and those beyond the
                           setting throttle, 200 a second, are throttled too
  --instances KIND         threads (default), or processes, which can be killed one by one
  --help

AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SECRETS_MANAGER and AWS_ENDPOINT_URL_KMS put another engine in the
place of a stand-in.
`;

const options = {
  scopes: { type: "string" },
  port: { type: "string" },
  "looker-port": { type: "string" },
  "looker-control-port": { type: "string" },
  "looker-url": { type: "string" },
  "max-instances": { type: "string" },
  throttle: { type: "boolean" },
  instances: { type: "string" },
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

export function parseStartFlags(args: readonly string[], environment: Environment): Parsed<StartFlags> {
  return parseCommandLine(args, {
    name: "npm start --",
    help,
    options,
    flagsOf: (values) => flagsOf(values, environment),
  });
}

function flagsOf(values: ValuesOf<typeof options>, environment: Environment): StartFlags {
  const instances = values.instances ?? "threads";
  if (instances !== "threads" && instances !== "processes")
    throw new UsageError(`--instances must be threads or processes, not ${JSON.stringify(instances)}.`);
  const lookerUrl = values["looker-url"];
  if (lookerUrl !== undefined)
    for (const flag of ["looker-port", "looker-control-port"] as const)
      if (values[flag] !== undefined)
        throw new UsageError(
          `--${flag} is for the stand-in Looker, which --looker-url replaces: leave one of them out.`,
        );
  return {
    ...(values.scopes === undefined ? {} : { scopesFile: values.scopes }),
    port: port("port", values.port, 4180),
    lookerPort: port("looker-port", values["looker-port"], 4191),
    lookerControlPort: port("looker-control-port", values["looker-control-port"], 0),
    ...(lookerUrl === undefined ? {} : { externalLooker: externalLookerOf(lookerUrl, environment) }),
    maxInstances: wholeNumber("max-instances", values["max-instances"], 20, 1, 1000),
    throttle: values.throttle ?? false,
    instances,
    externalEngines: externalEnginesOf(environment),
  };
}

/**
 * Ports from 1024 up that `fetch` refuses to call, ours and every client's ("bad port"): 4190 is one of them.
 * https://fetch.spec.whatwg.org/#port-blocking
 */
const blockedPorts = [
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10_080,
];

function port(flag: string, text: string | undefined, preset: number): number {
  const number = wholeNumber(flag, text, preset, 0, 65_535);
  if (!blockedPorts.includes(number)) return number;
  throw new UsageError(
    `--${flag} cannot be ${number}, which fetch refuses to call: choose another (0 picks a free one).`,
  );
}

function wholeNumber(
  flag: string,
  text: string | undefined,
  preset: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return preset;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new UsageError(
    `--${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}.`,
  );
}

function externalLookerOf(text: string, environment: Environment) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The same rule as for a scope's `lookerUrl`; told here, it is told about the flag.
  const secure = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (!url || !secure || text.replace(/\/$/, "") !== url.origin)
    throw new UsageError(
      '--looker-url must be an origin like "https://example.cloud.looker.com" (http:// for loopback only).',
    );
  if (blockedPorts.includes(Number(url.port)))
    throw new UsageError(`--looker-url cannot have port ${url.port}, which fetch refuses to call.`);
  const clientId = environment.LOOKERSDK_CLIENT_ID;
  const clientSecret = environment.LOOKERSDK_CLIENT_SECRET;
  if (!clientId || !clientSecret)
    throw new UsageError(
      "--looker-url needs a service account's credentials: set LOOKERSDK_CLIENT_ID and LOOKERSDK_CLIENT_SECRET.",
    );
  return { url: url.origin, clientId, clientSecret };
}

function externalEnginesOf(environment: Environment): StartFlags["externalEngines"] {
  const engines: StartFlags["externalEngines"] = {};
  for (const [service, variable] of Object.entries(endpointVariables)) {
    const url = environment[variable];
    if (!url) continue;
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new UsageError(
        `${variable} must be a URL like "http://127.0.0.1:8000"; unset it for the stand-in.`,
      );
    engines[service as FunctionService] = url;
  }
  return engines;
}
