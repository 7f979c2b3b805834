/** Where the stack of a deployment is: in an AWS account, or in the local run. */
import { type AwsCredentialsProvider, connect } from "@looker-token-broker/client/broker";
import { findLocalBroker, keysOf, localPrincipal } from "../broker-file.ts";
import type { OptionValues } from "../options.ts";
import { UsageError } from "../usage-error.ts";

export interface Place {
  readonly stack: string;
  readonly isLocal: boolean;
  /** Undefined: AWS's SDK looks into the profile. */
  readonly region: string | undefined;
  readonly credentials: AwsCredentialsProvider;
  /** Undefined: AWS's own. */
  readonly endpoint: string | undefined;
}

/** The name that infra/app.ts gives. */
const defaultStack = "looker-token-broker";

export function placeOf(values: OptionValues): Place {
  return values.local ? localPlace(values) : awsPlace(values);
}

/** --stack, or the variable. Undefined: neither is there. */
export const stackNamed = (values: OptionValues): string | undefined =>
  values.stack ?? (process.env.LOOKER_BROKER_STACK || undefined);

function awsPlace(values: OptionValues): Place {
  if (values.as !== undefined)
    throw new UsageError("--as names a principal of the local broker.", { hint: "Add --local." });
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const region = values.region ?? (AWS_REGION || AWS_DEFAULT_REGION || undefined);
  return {
    stack: stackNamed(values) ?? defaultStack,
    isLocal: false,
    region,
    // The same chain as for calls of the broker. This connection is used for nothing else.
    credentials: connect({ endpoint: "https://unused.invalid", region: region ?? "us-east-1" }).credentials,
    endpoint: undefined,
  };
}

function localPlace(values: OptionValues): Place {
  for (const name of ["stack", "region"] as const)
    if (values[name] !== undefined)
      throw new UsageError(`--local finds the ${name} by itself.`, { hint: `Leave --${name} out.` });
  const broker = findLocalBroker(process.cwd());
  const { stack, region, endpoints } = broker;
  if (stack === undefined || endpoints?.logs === undefined)
    throw new UsageError("The broker that runs here is of a version that cannot be asked.", {
      hint: "Stop it, and start it again by `npm start`.",
    });
  const keys = keysOf(localPrincipal(broker, values.as, { may: "operate", scope: undefined }));
  return { stack, isLocal: true, region, credentials: async () => keys, endpoint: endpoints.logs };
}
