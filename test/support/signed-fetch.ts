/** What a client with AWS credentials does: signs with Signature Version 4, and sends. */
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";

export interface SigningOptions {
  method?: string;
  body?: string | Uint8Array<ArrayBuffer>;
  /** Signed as well. */
  headers?: Record<string, string>;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  region: string;
  /** `execute-api` unless told. */
  service?: string;
  /** When it is said to be signed; now unless told. */
  signingDate?: Date;
}

export interface SignedFetchRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
}

/** Kept apart from the sending, so that a test can tamper with the request in between. */
export async function signRequest(url: string, options: SigningOptions): Promise<SignedFetchRequest> {
  const { credentials, region, body } = options;
  // Not `new URL().pathname` of the whole: it would tidy up `..` and the like.
  const [, host = "", path = "/", search = ""] = /^http:\/\/([^/?]+)([^?]*)(?:\?(.*))?$/.exec(url) ?? [];
  const query: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(search.replaceAll("+", "%2B")))
    query[name] = [...(query[name] ?? []), value];
  const signer = new SignatureV4({
    service: options.service ?? "execute-api",
    region,
    credentials,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: options.method ?? "GET",
      protocol: "http:",
      hostname: host,
      path: path === "" ? "/" : path,
      query,
      headers: { ...options.headers, host },
      ...(body === undefined ? {} : { body }),
    },
    options.signingDate === undefined ? {} : { signingDate: options.signingDate },
  );
  return {
    url,
    method: signed.method,
    headers: signed.headers,
    ...(body === undefined ? {} : { body }),
  };
}

export async function signedFetch(url: string, options: SigningOptions): Promise<Response> {
  const { method, headers, body } = await signRequest(url, options);
  const { host: _, ...sent } = headers;
  return fetch(url, { method, headers: sent, ...(body === undefined ? {} : { body }) });
}
