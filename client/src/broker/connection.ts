/** Where the broker is and as whom to ask it. */

import { checkRegion } from "../errors/header-values.ts";
import { checkOptions, type OptionKinds } from "../errors/options.ts";
import { TokenBrokerError } from "../errors/token-broker-error.ts";
import { type Clock, clockOf } from "../waiting/clock.ts";
import type { AwsCredentials, AwsCredentialsProvider } from "./aws-credentials.ts";
import { defaultChain } from "./default-chain.ts";
import { isVpcEndpoint, regionOfHost } from "./partitions.ts";
import { UnansweredRequests } from "./unanswered.ts";

/** As much of `fetch` as a call to the broker needs: Node's own, undici's with a dispatcher, or another. */
export type BrokerFetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string;
    signal: AbortSignal;
    /** A redirect would carry the signature to another host. */
    redirect: "manual";
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

export interface ConnectionOptions {
  /** The URL that the deployment printed, with the stage: `https://….amazonaws.com/v1`. Default: LOOKER_BROKER_ENDPOINT. */
  endpoint?: string | undefined;
  /** Default: from the endpoint's host name, else AWS_REGION, else AWS_DEFAULT_REGION. */
  region?: string | undefined;
  /** Default: AWS's default chain (environment, profile with SSO, web identity, container, instance). */
  credentials?: AwsCredentials | AwsCredentialsProvider | undefined;
  /** For requests to the broker, for instance through a proxy. Default: Node's. Requests to Looker and AWS do not use it. */
  fetch?: BrokerFetch | undefined;
}

export interface Connection {
  readonly endpoint: URL;
  readonly region: string;
  readonly credentials: AwsCredentialsProvider;
  readonly fetch?: BrokerFetch | undefined;
}

const kinds = {
  endpoint: "string",
  region: "string",
  credentials: "object or function",
  fetch: "function",
} satisfies OptionKinds<ConnectionOptions>;

/**
 * Reads options and environment, and reaches for nothing: that is for the first request.
 *
 * @example
 * ```ts
 * import { connect } from "@looker-token-broker/client/broker";
 *
 * const { endpoint, region } = connect({ endpoint: "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/v1" });
 * console.log(endpoint.host, region);
 * ```
 */
export function connect(options: ConnectionOptions = {}): Connection {
  checkOptions("connect", options, kinds);
  return connectionOf(options);
}

export function connectionOf(options: ConnectionOptions): Connection {
  const endpoint = endpointOf(options.endpoint ?? process.env.LOOKER_BROKER_ENDPOINT);
  return {
    endpoint,
    region: regionOf(options.region, endpoint),
    credentials: providerOf(options.credentials, clockOf(options)),
    fetch: options.fetch,
  };
}

function endpointOf(text: string | undefined): URL {
  if (!text) throw new TokenBrokerError("no_endpoint", "It is not known where the token broker is.");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password)
    throw new TokenBrokerError("no_endpoint", "The token broker's endpoint is not a plain http(s) URL.");
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    throw new TokenBrokerError(
      "no_endpoint",
      "The token broker's endpoint must be https: tokens travel in the answer.",
    );
  // The root's dot: neither certificates nor the signature that API Gateway expects have it.
  url.hostname = url.hostname.replace(/\.$/, "");
  if (isVpcEndpoint(url.hostname))
    throw new TokenBrokerError(
      "no_endpoint",
      `${url.host} is a VPC endpoint, which does not say which API is meant.`,
      {
        hint: "Pass the API's own name, which works inside the VPC: https://API-ID-VPCE-ID.execute-api.REGION.amazonaws.com/STAGE, or a private domain name.",
      },
    );
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}

const isLoopback = (host: string) =>
  host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);

function regionOf(given: string | undefined, endpoint: URL): string {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const candidates = {
    "`region`": given,
    "the endpoint's name": regionOfHost(endpoint.hostname),
    AWS_REGION,
    AWS_DEFAULT_REGION,
  };
  for (const [name, region] of Object.entries(candidates)) {
    if (!region) continue;
    checkRegion(region, name);
    return region;
  }
  throw new TokenBrokerError(
    "no_region",
    `The region of the API at ${endpoint.host} is not known: only API Gateway's own host names tell it.`,
  );
}

function providerOf(given: ConnectionOptions["credentials"], clock: Clock): AwsCredentialsProvider {
  if (typeof given === "object") return async () => given;
  const unanswered = new UnansweredRequests(clock);
  if (!given) return defaultChain(unanswered);
  return (options) => unanswered.begin(() => given(options), options?.signal);
}
