/** A request to the broker, signed by Signature Version 4 for API Gateway. */
import { SignatureV4 } from "@smithy/signature-v4";
import type { AwsCredentials } from "./aws-credentials.ts";
import type { Connection } from "./connection.ts";
import { Sha256 } from "./sha256.ts";

export interface UnsignedRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Behind the endpoint: `/scopes/sales/token`. Encoded as it is to be sent. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON. */
  readonly body?: object | undefined;
}

export interface SignedRequest {
  readonly url: URL;
  readonly init: { method: string; headers: Record<string, string>; body?: string };
}

export async function sign(
  { endpoint, region }: Connection,
  { method, path, query = {}, body }: UnsignedRequest,
  credentials: AwsCredentials,
  signingDate: Date,
): Promise<SignedRequest> {
  const url = new URL(endpoint);
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  // As the signature has it: a space is %20, not the plus of URLSearchParams.
  url.search = Object.entries(query)
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join("&");
  const text = body === undefined ? undefined : JSON.stringify(body);
  const signer = new SignatureV4({
    service: "execute-api",
    region,
    credentials: signable(credentials),
    sha256: Sha256,
    applyChecksum: false,
  });
  const { headers } = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: { ...query },
      headers: { host: url.host, ...(text === undefined ? {} : { "content-type": "application/json" }) },
      body: text,
    },
    { signingDate },
  );
  // fetch sets it itself, to the same.
  const { host: _, ...others } = headers;
  return { url, init: { method, headers: others, ...(text === undefined ? {} : { body: text }) } };
}

/** The session token of the environment may be empty. */
const signable = ({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials) => ({
  accessKeyId,
  secretAccessKey,
  ...(sessionToken ? { sessionToken } : {}),
});

/** RFC 3986, as Signature Version 4 wants it. */
const percentEncode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
